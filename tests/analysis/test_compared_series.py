"""Gaps between deltas and goodput of two runs: compared with intervals, never by other limits, empty where there are none."""

import random

import pytest

from analysis.comparison.build import compare
from analysis.comparison.gist import gist_sentences
from analysis.runs.run_reader import load_runs
from analysis.runs.stage import stages_of
from analysis.verdicts.compared_series import with_compared_series
from analysis.verdicts.difference import GOOD_SHARE, GOODPUT
from analysis.verdicts.gap_intervals import gap_intervals
from analysis.verdicts.measured import measured
from analysis.verdicts.proportions import Share, wilson
from analysis.words.columns import column
from locustfiles.contract.gap_counts import RATIO, gap_text, middle_ms
from tests.helpers.made_run import made_run, record, streamed, window

ITL_P50, ITL_MEAN, ITL_P99 = (column(lambda f, s=s: getattr(f.itl, s)) for s in ("p50", "mean", "p99"))
LIMIT = {"latency_s": {"p95": 2.0}}


def stream(i, gaps_ms, **other):
    """One a second, of 0.1 s to the first delta and then these gaps."""
    last = 0.1 + sum(gaps_ms) / 1000
    spaced = {"chunks": len(gaps_ms) + 1, "max_gap_ms": max(gaps_ms), "gaps": gap_text(g / 1000 for g in gaps_ms)}
    return streamed(100 + i, last, 0.1, len(gaps_ms) + 1, prompt_id=str(i), **(spaced | other))


def drawn(seed, slower=1.0, n=100, apart=0.0, gaps=40):
    """n streams; gaps about 20 ms, and of whole requests `apart` from each other."""
    draw, made = random.Random(seed), []
    for i in range(n):
        pace = slower * 20 * draw.lognormvariate(0, apart)
        made.append(stream(i, [pace * draw.lognormvariate(0, 0.2) for _ in range(gaps)]))
    return made


def run(path, records, slo=LIMIT, **keys):
    return made_run(path, records, [window(1, 100, 100 + len(records))], slo=slo, **keys)


def figures_of(comparison):
    (level,) = comparison.groups[0].levels
    return {c.column: c for c in level.compared["b"]}


def measured_of(path):
    return measured(load_runs([path]))


def stage(path, records):
    found = measured_of(run(path, records))
    (the_run,) = found.runs.values()
    (one,) = stages_of(the_run, found.prices[the_run.name].of_target)
    return one


def test_slower_gaps_are_worse_and_the_same_gaps_are_not(tmp_path):
    a = run(tmp_path / "a", drawn(1))
    found = figures_of(compare([a, run(tmp_path / "x/b", drawn(2))]))
    assert {found[c].said for c in (ITL_P50, ITL_MEAN)} == {"no difference seen"}
    # two percentiles are known to a bin each: less than 5 % is never seen, and two or three bins are
    assert 0.05 < found[ITL_P50].difference.smallest < 0.16
    assert found[ITL_MEAN].difference.smallest < 0.03
    comparison = compare([a, run(tmp_path / "y/b", drawn(3, slower=1.2))])
    found = figures_of(comparison)
    for c in (ITL_P50, ITL_MEAN):
        assert found[c].said == "worse" and found[c].sure
        assert found[c].difference.low < 1.2 < found[c].difference.high
    assert any("worse: " in text and "TPOT p50 +" in text for text in gist_sentences(comparison))


def test_gaps_of_neighbouring_bins_are_no_difference(tmp_path):
    # 20 ms are in bin 156, 20.4 ms in 157: medians 5 % apart of gaps that differ by 2 %
    one, other = ([stream(i, [ms] * 40) for i in range(60)] for ms in (20.0, 20.4))
    found = figures_of(compare([run(tmp_path / "a", one), run(tmp_path / "b", other)]))[ITL_P50]
    assert found.other / found.one == pytest.approx(RATIO) and found.said == "no difference seen"


def test_gaps_that_are_alike_within_a_request_tell_as_much_as_requests_do(tmp_path):
    # 100 requests of 40 gaps each: independent gaps are 4,000, those of requests that differ by 30 % some hundred
    alone, alike = (gap_intervals(stage(tmp_path / str(by), drawn(7, apart=by))) for by in (0.0, 0.3))
    widths = [high / low for low, high in (alone[ITL_P50], alike[ITL_P50])]
    # bins alone: 1.05^(2 / sqrt 2) = 1.071; 100 medians with a deviation of 0.36 / sqrt(100) x 1.25: some 4.5 % to either side
    assert 1.07 < widths[0] < 1.15 < widths[1] < 1.6
    assert alike[ITL_P99][1] > 1.3 * alike[ITL_P99][0]


def test_under_twenty_streams_and_without_counts_of_gaps_nothing_is_told(tmp_path):
    assert gap_intervals(stage(tmp_path / "few", drawn(1, n=19))) == {}
    assert gap_intervals(stage(tmp_path / "unreadable", [*drawn(1, n=30), stream(30, [20.0], gaps="x")])) == {}
    plain = [record(100 + i, 0.5, prompt_id=str(i)) for i in range(30)]
    found = figures_of(compare([run(tmp_path / "a", plain, slo={}), run(tmp_path / "b", plain, slo={})]))
    assert not {ITL_P50, ITL_MEAN, GOODPUT, GOOD_SHARE} & set(found)
    one = figures_of(compare([run(tmp_path / "c", plain), run(tmp_path / "x/b", drawn(1, n=30))]))[ITL_P50]
    assert (one.one, one.difference, one.said) == (None, None, "not known")


def test_a_percentile_beyond_all_gaps_has_no_upper_end(tmp_path):
    # 20 x 3 gaps, 72 are needed for p95
    few = gap_intervals(stage(tmp_path, [stream(i, [20.0, 25.0, 30.0]) for i in range(20)]))
    assert few[column(lambda f: f.itl.p95)][1] == float("inf")
    assert few[ITL_P50][0] <= middle_ms(161) <= few[ITL_P50][1]  # 25 ms


def of_lengths(lengths):
    return [streamed(100 + i, s, 0.1, 5, prompt_id=str(i)) for i, s in enumerate(lengths)]


def test_goodput_is_compared_as_rate_and_as_share_with_intervals(tmp_path):
    # 100 requests, one a second, every fifth of 3 s where 2 s are the limit: 80 % are good; in the other run every second
    one, other = ([3.0 if i % each == 0 else 0.5 for i in range(100)] for each in (5, 2))
    comparison = compare([run(tmp_path / "a", of_lengths(one)), run(tmp_path / "b", of_lengths(other))])
    found = figures_of(comparison)
    assert (found[GOOD_SHARE].one, found[GOOD_SHARE].other) == (0.80, 0.50) and found[GOOD_SHARE].said == "worse"
    (level,) = with_compared_series(measured_of(tmp_path / "a"))
    assert level.series[GOOD_SHARE] == pytest.approx(wilson(Share(0.8, 100)))
    # 80 and 50 in 100 s, but for the ends of the window
    assert found[GOODPUT].one == pytest.approx(0.8) and found[GOODPUT].other == pytest.approx(0.5)
    assert found[GOODPUT].said == "worse" and 0.3 < found[GOODPUT].difference.low < 0.625


def test_a_goodput_that_fell_to_nothing_is_seen_by_its_share(tmp_path):
    runs = [run(tmp_path / n, of_lengths([s] * 60)) for n, s in (("a", 0.5), ("b", 3.0))]
    found = figures_of(compare(runs))[GOOD_SHARE]
    assert (found.one, found.other, found.said, found.sure) == (1.0, 0.0, "worse", True)


def test_the_smallest_loss_is_told_of_a_share_that_can_hardly_grow(tmp_path):
    runs = [run(tmp_path / n, of_lengths([0.5] * 60)) for n in "ab"]
    # of 60 good ones in each run: some 9 of them have to be lost
    assert 0.08 < figures_of(compare(runs))[GOOD_SHARE].difference.smallest < 0.25


def test_goodput_by_other_limits_is_not_compared_and_that_is_said(tmp_path):
    lengths = of_lengths([3.0 if i % 2 else 0.5 for i in range(60)])
    comparison = compare([run(tmp_path / "a", lengths), run(tmp_path / "b", lengths, slo={"latency_s": {"p95": 5.0}})])
    found = figures_of(comparison)
    assert found[GOODPUT].difference is found[GOOD_SHARE].difference is None
    assert any("goodput is by other limits in run b than in run a" in text for text in comparison.cautions)
    values = {c.what: c.values for c in comparison.conditions}
    assert values["limits of goodput of p4d"] == {"a": "latency ≤ 2,000 ms", "b": "latency ≤ 5,000 ms"}


def test_repetitions_widen_both(tmp_path):
    records, stages = [], []
    for number, slower in ((1, 1.0), (2, 1.3), (3, 1.0)):
        own = [stream(1000 * number + i, [slower * 20.0] * 40, stage=number) for i in range(40)]
        records += own
        a = 100 + 1000 * number
        stages.append(window(number, a, a + 40))
    (level,) = with_compared_series(measured_of(made_run(tmp_path / "r", records, stages, slo=LIMIT)))
    # means 20, 26 and 20 ms: 22 +- 4.303 x 3.46 / sqrt 3 = 8.6, or what all requests one behind the other tell
    assert level.series[ITL_MEAN][0] <= 22 - 8.6 and level.series[ITL_MEAN][1] >= 22 + 8.6
    assert level.series[GOODPUT][0] <= GOODPUT.of(level.figures) <= level.series[GOODPUT][1]
