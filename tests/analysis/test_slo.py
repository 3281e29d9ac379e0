"""Limits that are met, missed or undecided."""

import pytest

from analysis.advice.analyse import analyse
from analysis.cost.pricing import prices_of_run
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.runs.run_reader import load_run
from analysis.verdicts.slo_checks import needed
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.statistics.binomial import decide
from tests.helpers.flat import steps, table
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, streamed, window


def judged(tmp_path, records, slo, **keys):
    target = keys.pop("target", "p4d")
    return analyse([made_run(tmp_path / "r", records, [window(1, 10, 110, target=target)], slo=slo, **keys)])


def state(report):
    return steps(report)["slo"][0], steps(report)["slo_failed"][0]


def successes(n, latency, **other):
    return [record(10 + i / 10, latency, prompt_id=str(i), **other) for i in range(n)]


def test_a_p95_limit_is_met_missed_or_undecided_by_the_share_above_it(tmp_path):
    slo = {"latency_s": {"p95": 2.0}}
    # 72 within: 0.95^72 = 0.0249
    assert state(judged(tmp_path / "a", successes(72, 2.0), slo)) == ("met", "")  # the limit is inclusive
    assert state(judged(tmp_path / "b", successes(71, 1.0), slo)) == ("undecided", "")
    # 20 above of 100 where 5 may be
    assert state(judged(tmp_path / "c", successes(80, 1.0) + successes(20, 3.0), slo)) == ("missed", "latency_p95")
    # 5 above of 100 is what a p95 at the limit gives
    assert state(judged(tmp_path / "d", successes(95, 1.0) + successes(5, 3.0), slo)) == ("undecided", "")


def test_a_failure_is_above_every_limit_so_that_shedding_load_does_not_look_fast(tmp_path):
    slo = {"latency_s": {"p95": 2.0}}
    throttled = [record(10 + i / 10, 0.01, prompt_id=f"f{i}", error="throttled") for i in range(900)]
    report = judged(tmp_path / "a", successes(100, 0.5) + throttled, slo)
    assert state(report) == ("missed", "latency_p95")
    assert table(report, "criteria")["cell"].tolist() == ["0.500 s, with 900 failures above it ✗"]
    # 1 of 200 where 10 may be: one failure changes nothing; a request that we ended ourselves is none
    few = [*successes(199, 1.0), record(50, 0.1, error="server"), record(51, 0.1, error="cancelled")]
    assert state(judged(tmp_path / "b", few, slo)) == ("met", "")


def test_means_and_error_rate_are_compared_as_they_are(tmp_path):
    records = [*successes(9, 1.0), record(90, 1.0, error="server")]
    assert state(judged(tmp_path / "a", records, {"error_rate": 0.1, "latency_s": {"mean": 1.0}})) == ("met", "")
    assert state(judged(tmp_path / "b", records, {"error_rate": 0.099})) == ("missed", "error_rate")
    assert state(judged(tmp_path / "c", records, {"latency_s": {"mean": 0.999}})) == ("missed", "latency_mean")


TTFT = {"ttft_s": {"p95": 0.5}}


def test_a_ttft_limit_without_streaming_is_unknown_whatever_the_samples_and_says_why(tmp_path):
    target = P4D | {"stream": False}
    report = judged(tmp_path / "a", successes(900, 1.0), TTFT, targets=[target])
    assert state(report) == ("unknown", "")
    why = "TTFT is not known: the target does not stream"
    assert table(report, "criteria")["cell"].tolist() == [f"? {why}"]
    assert steps(report)["slo_open"][0] == f"TTFT p95 ≤ 0.5 s ({why})"
    (sentence,) = table(report, "sentences")["recommendation"]
    assert f"not all are proven (unknown: TTFT p95 ≤ 0.5 s ({why}))" in sentence
    assert "too few samples" not in sentence + report.recommendation.text + report.recommendation.label
    assert report.recommendation.label == "unknown against its limits"
    assert f"unknown: TTFT p95 ≤ 0.5 s ({why})" in report.recommendation.text
    line = f"en @1: TTFT p95 ≤ 0.5 s ({why})"
    assert line in markdown(report, [])
    write_html(report, [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert line in page
    assert '<li class="undecided"><span class="mark">?</span>' in page  # no tick beside what is not proven


def test_too_few_samples_are_the_reason_only_where_more_would_tell(tmp_path):
    report = judged(tmp_path / "a", successes(71, 1.0), {"latency_s": {"p95": 2.0}})
    assert (
        steps(report)["slo_open"][0]
        == "latency p95 ≤ 2 s (too few samples: 71, 0 of them above; 1 more, none above, would show that it is met)"
    )
    assert "nothing is proven (undecided, too few samples)" in table(report, "sentences")["recommendation"][0]


def test_where_every_request_failed_a_percentile_is_missed_and_a_mean_is_not_known(tmp_path):
    failed = [record(11 + i, 1.0, error="server") for i in range(5)]
    slo = {"latency_s": {"p50": 2.0, "p95": 2.0, "mean": 1.0}, "ttft_s": {"p95": 1.0}}
    report = judged(tmp_path / "a", failed, slo)
    # 5 of 5 above: 0.5^5 = 0.031 > 0.025 for the median, 0.05^5 for p95; a mean of nothing is nothing
    assert table(report, "criteria")["cell"].tolist() == [
        "? no success was measured",
        "– ?",
        "all 5 failed ✗",
        "all 5 failed ✗",
    ]
    assert state(report) == ("missed", "latency_p95, ttft_p95")
    assert len(report.failed) == 1 and "1 of 1 stages missed a limit" in report.recommendation.text
    # what is never known of a target is not missed by it
    report = judged(tmp_path / "b", failed, TTFT, targets=[P4D | {"stream": False}])
    assert state(report) == ("unknown", "")
    # one request that we ended ourselves is no failure: nothing was measured
    report = judged(tmp_path / "c", [record(11, 1.0, error="cancelled")], {"latency_s": {"p95": 2.0}})
    assert table(report, "criteria")["cell"].tolist() == ["? no success was measured"]


def test_a_ttft_limit_is_decided_where_the_target_streams(tmp_path):
    records = [streamed(10 + i / 10, 1, ttft=0.4, tokens=5) for i in range(90)]
    assert state(judged(tmp_path / "b", records, {"ttft_s": {"p95": 0.5}})) == ("met", "")


def test_a_cost_limit_between_the_bounds_of_the_bill_is_unknown(tmp_path):
    call = {"target": "bedrock", "prompt_tokens": 1000, "completion_tokens": 100}
    lost = {"target": "bedrock", "error": "read_timeout"}
    records = [record(11, 1, **call), record(12, 1, **lost)]
    # one success: 0.75 + 0.1 = 0.85 cents/10; low 8.50 $ per 10k, high 17.00 $ (the same prompt, max_tokens 100)
    keys = {"target": "bedrock", "targets": [BEDROCK]}
    for limit, expected in ((17.01, "met"), (10, "unknown"), (8.49, "missed")):
        slo = {"cost_per_10k_transactions_usd": limit}
        report = judged(tmp_path / str(limit), records, slo, **keys)
        assert steps(report)["slo"][0] == expected
        run = load_run(tmp_path / str(limit) / "r")
        (found,) = results_of(run, prices_of_run(run).of_target)[0].checks
        assert found.beyond == (expected == "unknown")  # by its upper bound, which is what is shown as its cost
        if expected == "unknown":
            assert "(known only to be $8.50 to $17.00, for failures of" in steps(report)["slo_open"][0]


def test_without_limits_the_state_is_none(tmp_path):
    report = judged(tmp_path, successes(3, 1.0), None)
    assert state(report) == ("none", "")
    assert table(report, "criteria").empty


def test_every_limit_of_every_stage_is_in_the_criteria_table(tmp_path):
    slo = {"latency_s": {"mean": 2.0, "p99": 3.0}, "error_rate": 0.0, "cost_per_10k_transactions_usd": 50.0}
    report = judged(tmp_path, successes(10, 1.0), slo)
    assert table(report, "criteria")["criterion"].tolist() == [
        "latency_mean",
        "latency_p99",
        "error_rate",
        "cost_per_10k",
    ]
    assert table(report, "criteria")["state"].tolist() == ["met", "undecided", "met", "missed"]
    # 10 in 100 s = 6/min: 37.688 / 360 x 10,000 = 1046.89
    assert table(report, "criteria")["cell"].tolist() == ["1.00 s ✓", "1.00 s ?", "0 % ✓", "$1,046.89 ✗"]
    assert table(report, "criteria")["value"].tolist()[3] == pytest.approx(1046.8889, rel=1e-6)


@pytest.mark.parametrize(
    ("above", "n", "q", "enough", "beyond"),
    [
        (0, 3, 0.50, 6, False),  # 0.5^6 = 0.0156, 0.5^5 = 0.0313
        (0, 65, 0.95, 72, False),  # 0.95^72 = 0.0249, 0.95^71 = 0.0262
        (0, 10, 0.99, 368, False),  # 0.99^368 = 0.02476, 0.99^367 = 0.02501
        (1, 3, 0.50, 9, False),  # (1 + 9) / 2^9 = 0.0195, (1 + 8) / 2^8 = 0.0352
        (4, 4, 0.50, 6, True),  # as for none of them
        (1, 1, 0.95, 2, True),  # 0.05^2 = 0.0025
    ],
)
def test_how_many_samples_would_decide_is_the_exact_binomials_answer(above, n, q, enough, beyond):
    assert needed(above, n, q) == (enough, beyond)
    more = enough - n if beyond else 0
    assert decide(above + more, enough, q) == ("missed" if beyond else "met")
    assert decide(above + max(0, more - 1), enough - 1, q) == "undecided"


def test_the_samples_that_would_decide_stand_beside_those_that_were_too_few(tmp_path):
    slow = [record(10 + i, 3.0, prompt_id=f"s{i}") for i in range(4)]
    report = judged(tmp_path, slow, {"latency_s": {"p50": 2.0}})
    assert (
        steps(report)["slo_open"][0]
        == "latency p50 ≤ 2 s (too few samples: 4, 4 of them above; 2 more, all above, would show that it is missed)"
    )
