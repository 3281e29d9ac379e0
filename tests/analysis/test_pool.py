"""Repetitions of a level: side by side with their spread, and together as one candidate."""

import math
import statistics

import pytest

from analysis.advice.analyse import analyse
from analysis.advice.tie import tie
from analysis.cost.pricing import prices_of_run
from analysis.runs.run_reader import load_run
from analysis.verdicts.pooled_repeats import candidates_among
from analysis.verdicts.stage_results import StageKey, by_count, results_of
from analysis.words.columns import STEP_COLUMNS
from tests.helpers.flat import ends, flat, steps, table
from tests.helpers.made_run import BEDROCK, made_run, record, steady, window

TOKENS = {"prompt_tokens": 100, "completion_tokens": 10}


def repeated(tmp_path, latencies, users=2, slo=None, **other):
    """A run of one level, each repetition with its latency."""
    records, stages = [], []
    for number, latency in enumerate(latencies, 1):
        a = 100 * number
        records += steady(number, a, a + 60, users, latency, lead=3, repeat=number, **TOKENS)
        stages.append(window(number, a, a + 60, users=users, repeat=number, **other))
    return made_run(tmp_path / "r", records, stages, slo=slo)


def pooled(path):
    run = load_run(path)
    prices = prices_of_run(run).of_target
    results = results_of(run, prices)
    return results, candidates_among([run], {run.name: prices}, results)


def test_repetitions_of_a_level_are_one_candidate_of_all_their_requests(tmp_path):
    results, (candidate,) = pooled(repeated(tmp_path, [0.5, 0.75, 1.0]))
    rows = [flat(r) for r in results]
    assert candidate.stages == (1, 2, 3) and candidate.key == StageKey("r", 1)
    assert flat(candidate)["requests"] == sum(r["requests"] for r in rows)
    assert flat(candidate)["window_s"] == 180.0
    # 4/s, 2.667/s and 2/s over equal windows; its cost is all dollars over all transactions, not the mean of the three
    assert flat(candidate)["throughput_per_s"] == pytest.approx((4 + 8 / 3 + 2) / 3, rel=1e-3)
    assert candidate.usd == pytest.approx(37.688 / 3600 / flat(candidate)["throughput_per_s"])
    # 240, 160 and 120 requests: the 260th of 520 took 0.75 s, the 494th 1 s
    assert (flat(candidate)["latency_p50_s"], flat(candidate)["latency_p95_s"]) == (0.75, 1.0)
    # the mean of all requests: (240 x 0.5 + 160 x 0.75 + 120 x 1.0) / 520
    assert flat(candidate)["latency_mean_s"] == pytest.approx(360 / 520, rel=1e-3)


def test_rates_of_unequal_windows_are_weighted_by_their_length(tmp_path):
    # 2 users: 4/s over 90 s and 2/s over 30 s are 420 successes in 120 s, 3.5/s and not 3
    records = steady(1, 100, 190, 2, 0.5, lead=3, **TOKENS) + steady(2, 300, 330, 2, 1.0, lead=3, repeat=2, **TOKENS)
    stages = [window(1, 100, 190, users=2), window(2, 300, 330, users=2, repeat=2)]
    _, (candidate,) = pooled(made_run(tmp_path / "r", records, stages))
    assert flat(candidate)["throughput_per_s"] == pytest.approx(3.5)
    assert flat(candidate)["completion_tokens_per_s"] == pytest.approx(35.0)
    assert candidate.usd == pytest.approx(37.688 / 3600 / 3.5)


def test_a_level_measured_once_is_its_stage(tmp_path):
    results, candidates = pooled(repeated(tmp_path, [0.5]))
    assert candidates == results and candidates[0].stages == ()


def test_the_interval_of_repetitions_that_differ_is_the_one_between_them(tmp_path):
    results, (candidate,) = pooled(repeated(tmp_path, [0.5, 0.75, 1.0]))
    low, high = ends(candidate)["throughput_per_s"]
    rates = [flat(r)["throughput_per_s"] for r in results]
    # Student's t of 2 degrees of freedom: 4.303 x sd / sqrt(3), far wider than what each minute tells of itself
    half = 4.303 * statistics.stdev(rates) / math.sqrt(3)
    assert (high - low) / 2 == pytest.approx(half)
    assert all(high - low > ends(r)["throughput_per_s"][1] - ends(r)["throughput_per_s"][0] for r in results)
    assert (flat(candidate)["throughput_low"], flat(candidate)["throughput_high"]) == (low, high)


def test_the_intervals_of_repetitions_are_in_the_order_of_the_columns(tmp_path):
    """And not in that of a set of names, which changes from one process to the next."""
    _, (candidate,) = pooled(repeated(tmp_path, [0.5, 0.51, 0.52]))
    names = list(ends(candidate))
    assert len(names) == 6 and names == [name for name in STEP_COLUMNS if name in names]


def test_the_interval_of_repetitions_that_agree_is_the_one_within_them(tmp_path):
    """Both repetitions have the same uneven arrivals: nothing between them, much within."""
    records, stages = [], []
    for number in (1, 2):
        a = 100 * number
        # two and six requests in turn in each three seconds, which are a batch
        at = [a + 3 * i + 3 * j / n for i in range(20) for n in (2 + 4 * (i % 2),) for j in range(n)]
        records += [record(t, 0.4, stage=number, repeat=number, prompt_id=str(t), **TOKENS) for t in at]
        stages.append(window(number, a, a + 60, repeat=number))
    results, (candidate,) = pooled(made_run(tmp_path / "r", records, stages))
    low, high = ends(candidate)["throughput_per_s"]
    own_low, own_high = ends(results[0])["throughput_per_s"]
    # two independent means of equal width: the half-width shrinks by sqrt(2)
    assert high - low == pytest.approx((own_high - own_low) / math.sqrt(2), rel=1e-6)
    # dollars go by one over the rate, at each end of its interval
    assert ends(candidate)["usd_per_transaction"] == pytest.approx((37.688 / 3600 / high, 37.688 / 3600 / low))


def test_the_cost_by_the_hour_of_repetitions_says_what_their_throughput_says(tmp_path):
    _, (candidate,) = pooled(repeated(tmp_path / "a", [0.5, 0.51, 0.52]))
    found = ends(candidate)
    # 4, 3.92 and 3.85 /s and ten tokens each: the ends of a rate's interval give those of its cost, the other way round
    (low, high), (tokens_low, tokens_high) = found["throughput_per_s"], found["completion_tokens_per_s"]
    assert 3.7 < low < 3.92 < high < 4.2
    assert found["usd_per_transaction"] == pytest.approx((37.688 / 3600 / high, 37.688 / 3600 / low))
    assert found["usd_per_1m_output_tokens"] == pytest.approx(
        (1e6 * 37.688 / 3600 / tokens_high, 1e6 * 37.688 / 3600 / tokens_low)
    )
    # 4 and 2.857 /s: 3.43 +- 12.7 x 0.808 / sqrt(2) = 7.26 reaches 0, so a transaction may cost anything from 37.688 / 3600 / 10.69 on
    _, (apart,) = pooled(repeated(tmp_path / "b", [0.5, 0.7]))
    assert ends(apart)["throughput_per_s"] == pytest.approx((0.0, 10.69), abs=0.01)
    assert "usd_per_transaction" not in ends(apart) and flat(apart)["usd_per_transaction_ci_low"] is None
    assert by_count(apart) == (pytest.approx(37.688 / 3600 / 10.69, rel=1e-3), math.inf)


def lossy(tmp_path, lost, answers=(10, 10, 10, 10)):
    """Repetitions by tokens of 100 successes each, $0.000075 + its answer's tokens x $0.000001, and so many of which it is not known whether they
    were billed: each of these at most $0.000075 + 100 x $0.000001."""
    records, stages, call = [], [], {"target": "bedrock", "service": "bedrock", "prompt_tokens": 100}
    for number, n in enumerate(lost, 1):
        spot, a = call | {"stage": number, "repeat": number}, 100 * number
        records += [
            record(a + 0.6 * i, 0.5, prompt_id=str(i), completion_tokens=answers[number - 1], **spot)
            for i in range(100)
        ]
        records += [
            record(a + i, 0.5, prompt_id=f"f{i}", error="read_timeout", token_source="none", **spot) for i in range(n)
        ]
        stages.append(window(number, a, a + 60, repeat=number, target="bedrock"))
    return pooled(made_run(tmp_path / "r", records, stages, targets=[BEDROCK]))[1][0]


def test_the_interval_of_a_pooled_bill_is_no_narrower_than_its_bounds(tmp_path):
    # successes alike, and 20 lost in each of four: no sampling error at all, yet 0.000085 to 0.000085 + 0.2 x 0.000175 each
    alike = lossy(tmp_path / "a", [20, 20, 20, 20])
    assert ends(alike)["usd_per_transaction"] == pytest.approx((0.000085, 0.00012))
    assert ends(alike)["usd_per_1m_output_tokens"] == pytest.approx((8.5, 12.0))  # of ten tokens each
    assert (flat(alike)["usd_per_transaction_ci_low"], flat(alike)["usd_per_transaction_ci_high"]) == pytest.approx(
        (0.000085, 0.00012)
    )


def test_what_lies_between_the_bills_of_repetitions_is_added_outside_their_bounds(tmp_path):
    apart = lossy(tmp_path / "a", [20, 10])
    # at most 0.00012 and 0.0001025 each: sd 0.0000175 / sqrt(2), t of one degree 12.706: half 12.706 x 0.0000175 / 2 = 0.0001112;
    # of all 0.000085 + 0.15 x 0.000175 = 0.00011125. At least 0.000085 in both
    assert apart.usd == pytest.approx(0.00011125)
    assert ends(apart)["usd_per_transaction"] == pytest.approx((0.000085, 0.00011125 + 0.00011118), rel=1e-4)
    # none lost, answers of 10 and 20 tokens: 0.000085 and 0.000095, half 12.706 x 0.00001 / 2 = 0.0000635 on either side of 0.00009
    unlike = lossy(tmp_path / "b", [0, 0], answers=(10, 20))
    assert ends(unlike)["usd_per_transaction"] == pytest.approx((0.00009 - 0.00006353, 0.00009 + 0.00006353), rel=1e-4)


def test_a_figure_beyond_an_undecided_limit_in_one_repetition_is_so_of_the_level(tmp_path):
    records, stages = [], []
    for number, failures in ((1, 0), (2, 5)):
        spot, a = {"stage": number, "repeat": number}, 100 * number
        records += [record(a + i, 0.5, prompt_id=str(i), **spot) for i in range(50)]
        records += [record(a + 50 + i, 0.1, prompt_id=f"f{i}", error="server", **spot) for i in range(failures)]
        stages.append(window(number, a, a + 60, repeat=number))
    results, (candidate,) = pooled(made_run(tmp_path / "r", records, stages, slo={"latency_s": {"p95": 1.0}}))
    # 0 of 50 above the limit, and 5 of 55, where 2.75 may be
    assert [(c.state, c.beyond) for r in (*results, candidate) for c in r.checks] == [
        ("undecided", False), ("undecided", True), ("undecided", True),
    ]  # fmt: skip


def test_a_limit_is_met_only_if_each_repetition_met_it(tmp_path):
    slo = {"latency_s": {"p50": 0.8}}
    assert flat(pooled(repeated(tmp_path / "a", [0.5, 0.7], slo=slo))[1][0])["slo"] == "met"
    assert flat(pooled(repeated(tmp_path / "b", [0.9, 1.0], slo=slo))[1][0])["slo"] == "missed"
    mixed = pooled(repeated(tmp_path / "c", [0.5, 0.6, 0.9], slo=slo))[1][0]
    # all 493 requests together would keep it: their median is 0.6 s
    assert flat(mixed)["latency_p50_s"] == 0.6
    assert (flat(mixed)["slo"], flat(mixed)["slo_failed"]) == ("missed", "latency_p50")
    (check,) = mixed.checks
    assert (check.value, check.why) == (0.9, "of 3 repetitions met in 2, missed in 1")


def test_a_level_that_one_repetition_misses_is_not_recommended(tmp_path):
    report = analyse([repeated(tmp_path, [0.5, 0.9, 0.9], slo={"latency_s": {"mean": 0.8}})])
    assert report.recommendation.pick is None
    assert "1 of 1 stages missed a limit, most often latency mean ≤ 0.8 s (1 of 1)" in report.recommendation.text
    assert not table(report, "sentences")["positive"].any()


def test_the_interval_of_a_percentile_is_as_wide_as_the_repetitions_lie_apart(tmp_path):
    _, (candidate,) = pooled(repeated(tmp_path, [0.5, 0.75, 1.0]))
    row = flat(candidate)
    # each repetition has one latency: within, the 260th of 520 is 0.75 s at every rank; between, 4.303 x 0.25 / sqrt(3) = 0.6211
    assert row["latency_p50_low_s"] == pytest.approx(0.75 - 4.303 * 0.25 / math.sqrt(3))
    assert row["latency_p50_high_s"] == pytest.approx(0.75 + 4.303 * 0.25 / math.sqrt(3))
    # p99 of 520 requests has both ends, and p95 of all is 1.0 s, the slowest repetition's
    assert row["latency_p95_high_s"] == pytest.approx(1.0 + 4.303 * 0.25 / math.sqrt(3))
    # two that agree: what the requests tell alone
    _, (same,) = pooled(repeated(tmp_path / "b", [0.5, 0.5]))
    assert (flat(same)["latency_p50_low_s"], flat(same)["latency_p50_high_s"]) == pytest.approx((0.5, 0.5))


def test_the_luckiest_repetition_is_never_picked(tmp_path):
    """At 2 users one of three repetitions is the cheapest stage of all; together they are dearer than 3 users."""
    records, stages = [], []
    for number, (users, latency) in enumerate([(2, 0.30), (2, 1.0), (2, 1.2), (3, 0.60), (3, 0.61), (3, 0.62)], 1):
        a = 100 * number
        records += steady(number, a, a + 60, users, latency, lead=3, **TOKENS)
        stages.append(window(number, a, a + 60, users=users))
    report = analyse([made_run(tmp_path / "r", records, stages)])
    cheapest = steps(report).loc[steps(report)["usd_per_transaction"].idxmin()]
    assert (cheapest["stage"], cheapest["users"]) == (1, 2)
    best = report.recommendation
    assert (best.pick, best.stages) == (StageKey("r", 4), [4, 5, 6])
    assert "at 3 users (3 repetitions together)" in best.text
    assert report.level(best.pick).figures.outcome.requests == steps(report)["requests"][3:].sum()
    # 2 users: 6.67, 2 and 1.67 /s lie so far apart that 3 users cannot be told from them
    assert best.tie is True


def test_an_invalid_repetition_is_left_out_and_said(tmp_path):
    records = steady(1, 100, 160, 2, 0.5, lead=3) + steady(2, 200, 260, 2, 0.5, lead=3)
    records.append(record(210, 0.1, stage=2, users=2, error="internal"))
    stages = [window(1, 100, 160, users=2), window(2, 200, 260, users=2)]
    _, (candidate,) = pooled(made_run(tmp_path / "r", records, stages))
    assert candidate.stages == (1,)
    assert flat(candidate)["verdict"] == "SUSPECT"
    assert flat(candidate)["reasons"].startswith("repetition 2 left out as INVALID (1 request ended by a fault")
    # what is recommended then is the one that remains, and not several together
    assert "at 2 users: $" in analyse([tmp_path / "r"]).recommendation.facts[0]


def test_of_repetitions_the_headroom_is_the_worst_ones_and_says_so(tmp_path):
    facts = analyse([repeated(tmp_path, [0.5, 0.9], slo={"latency_s": {"mean": 2.0}})]).recommendation.facts
    # 240 of 0.5 s and 134 of 0.9 s: mean 0.643 s of all, 0.9 s of the worse: 1 - 0.9 / 2
    assert "latency mean 0.643 s" in facts[1]
    assert facts[2] == "It keeps every limit: latency mean ≤ 2 s (at worst 0.900 s, 55.0 % below)."


def test_the_table_shows_each_repetition_and_how_far_they_lie_apart(tmp_path):
    report = analyse([repeated(tmp_path, [0.5, 0.75, 1.0])])
    assert table(report, "repeats")["repetition"].tolist() == [1, 2, 3]
    assert table(report, "repeats")["latency_p50_s"].tolist() == [0.5, 0.75, 1.0]
    p50 = table(report, "repeat_spread").set_index("figure").loc["latency_p50_s"]
    # sd with n - 1: sqrt((0.0625 + 0 + 0.0625) / 2)
    assert (p50["repetitions"], p50["mean"], p50["sd"], p50["min"], p50["max"]) == (3, 0.75, 0.25, 0.5, 1.0)
    assert len(table(report, "candidates")) == 1 and len(steps(report)) == 3


def test_stages_without_repetitions_have_no_such_table(tmp_path):
    report = analyse([repeated(tmp_path, [0.5])])
    assert table(report, "repeats").empty and table(report, "repeat_spread").empty and table(report, "candidates").empty


def test_two_repetitions_that_differ_tie_with_everything_near(tmp_path):
    # t of one degree of freedom is 12.7: two runs say little
    results, (candidate,) = pooled(repeated(tmp_path, [0.5, 0.6]))
    assert tie(candidate, results[0]) is True
