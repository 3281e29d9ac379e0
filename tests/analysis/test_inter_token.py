"""Inter-token latency: gaps counted per request, percentiles per stage, limits on them."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.contract.gap_counts import KNOWN_TO, gap_counts, gap_text, middle_ms
from locustfiles.contract.record import RequestRecord
from tests.helpers.first_study import run_of
from tests.helpers.made_run import streamed, window


def test_gaps_are_counted_in_bins_of_five_percent():
    # ln(20.1 / 0.01) / ln 1.05 = 155.9, so bin 156, of 19.25 to 20.21 ms; 20.3 ms are in 157, 50 ms in 175
    assert gap_text([0.0201, 0.0203, 0.05, 0.0202]) == "156*2 157 175"
    assert gap_text([0.0, 0.000009]) == "0*2"  # read at once
    assert gap_text([]) is None
    assert gap_counts("0*2 156*2 175") == {0: 2, 156: 2, 175: 1}
    assert middle_ms(156) == pytest.approx(math.sqrt(0.01 * 1.05**155 * 0.01 * 1.05**156))


@given(st.lists(st.floats(1e-5, 600.0), min_size=1, max_size=60))
def test_no_gap_is_lost_and_each_is_known_to_its_bin(gaps):
    counts = gap_counts(gap_text(gaps))
    assert sum(counts.values()) == len(gaps) and max(counts) <= 368
    middles = sorted(middle_ms(k) for k, n in counts.items() for _ in range(n))
    for gap, middle in zip(sorted(gaps), middles, strict=True):
        assert abs(middle / (gap * 1000) - 1) <= KNOWN_TO * 1.001


@pytest.mark.parametrize(
    "text", ["x", "5*", "-1", "5*0", "5*x", "1_0", "+5", "5*1e3", "9999", "5*99999999999", "5*2*3", "\u0665"]
)
def test_what_is_no_count_of_gaps_is_refused(text):
    with pytest.raises(ValueError, match="is no count of gaps"):
        gap_counts(text)


def answer(i: int, gaps_ms: list[float], **other) -> RequestRecord:
    """A success whose first delta comes after 0.1 s."""
    last = 0.1 + sum(gaps_ms) / 1000
    spaced = {"chunks": len(gaps_ms) + 1, "max_gap_ms": max(gaps_ms), "gaps": gap_text(g / 1000 for g in gaps_ms)}
    return streamed(100 + i / 10, last, 0.1, len(gaps_ms) + 1, prompt_id=str(i), **(spaced | other))


def figures(tmp_path, records):
    (result,) = run_of(tmp_path, [(records, window(1, 100, 160))]).results
    return result.figures


def test_percentiles_are_of_all_gaps_of_all_streams_together(tmp_path):
    rng = random.Random(5)
    answers = [[rng.lognormvariate(3.0, 0.4) for _ in range(50)] for _ in range(100)]
    found = figures(tmp_path, [answer(i, gaps) for i, gaps in enumerate(answers)]).itl
    every = sorted(gap for gaps in answers for gap in gaps)
    # of 5,000: the 2,500th, 4,500th, 4,750th, 4,950th and 4,995th
    for name, rank in {"p50": 2500, "p90": 4500, "p95": 4750, "p99": 4950, "p99_9": 4995}.items():
        assert found.at(name) == pytest.approx(every[rank - 1], rel=KNOWN_TO * 1.001), name
    # times are written to a microsecond
    assert found.mean == pytest.approx(sum(every) / 5000, rel=1e-5) and found.max == pytest.approx(every[-1], rel=1e-4)
    assert found.gaps == 5000


def test_files_of_before_have_none_and_failures_and_single_deltas_are_not_in_it(tmp_path):
    old = figures(tmp_path / "old", [answer(i, [20.0] * 9, gaps=None) for i in range(20)]).itl
    assert old == type(old)()
    some = [answer(i, [20.0] * 9) for i in range(20)]
    some.append(answer(20, [900.0], error="stream_broken"))
    some.append(streamed(105, 0.5, 0.1, 1, prompt_id="one"))
    assert figures(tmp_path / "new", some).itl.max == 20.0


def test_a_limit_within_what_a_bin_tells_is_undecided(tmp_path):
    records = [answer(i, [20.0] * 9) for i in range(20)]
    # 20 ms are in bin 156, whose middle is 19.72 ms: known to lie from 19.2 to 20.2 ms
    for limit, state in ((19.0, "missed"), (20.0, "undecided"), (21.0, "met")):
        slo = {"itl_ms": {"p99.9": limit, "mean": 20.0}}
        (result,) = run_of(tmp_path / str(limit), [(records, window(1, 100, 160))], slo=slo).results
        mean, tail = result.checks
        assert (mean.state, tail.state, tail.criterion.text) == ("met", state, f"ITL p99.9 ≤ {limit:g} ms")


def test_counts_that_cannot_be_read_are_not_known(tmp_path):
    records = [answer(i, [20.0] * 9) for i in range(20)]
    assert figures(tmp_path, [*records, answer(21, [20.0], gaps="156*many")]).itl.gaps is None
