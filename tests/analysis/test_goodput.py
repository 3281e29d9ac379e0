"""Goodput, failures as infinity, and what is said of intervals."""

import json
import math

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.cost.pricing import prices_of_run
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from tests.helpers.flat import flat, steps
from tests.helpers.made_run import BEDROCK, made_run, record, steady, streamed, window


def row_of(path):
    run = load_run(path)
    (result,) = results_of(run, prices_of_run(run).of_target)
    return flat(result)


def mixed():
    """Window [10, 20): two good ones, one half inside it, one slow, one with a late first token, one failure."""
    return [
        streamed(11, 1, ttft=0.2, tokens=5, prompt_tokens=10),
        streamed(13, 1, ttft=0.2, tokens=5, prompt_tokens=10),
        streamed(19.5, 1, ttft=0.2, tokens=5, prompt_tokens=10),
        streamed(14, 3, ttft=0.2, tokens=5, prompt_tokens=10),
        streamed(15, 1, ttft=0.9, tokens=5, prompt_tokens=10),
        record(16, 0.1, error="throttled"),
    ]


SLO = {"latency_s": {"p50": 0.9, "p99": 1.5}, "ttft_s": {"p95": 0.5}}


def test_goodput_counts_successes_inside_every_limit_by_their_share_of_the_window(tmp_path):
    row = row_of(made_run(tmp_path / "r", mixed(), [window(1, 10, 20)], slo=SLO))
    # the limit on the highest percentile of latency is 1.5 s, of TTFT 0.5 s: 1 + 1 + 0.5 of the window's 10 s
    assert row["goodput_per_s"] == pytest.approx(0.25)
    assert row["throughput_per_s"] == pytest.approx(0.45)
    # 37.688 $/h / 3600 / 0.25 per s
    assert row["usd_per_good_transaction"] == pytest.approx(37.688 / 3600 / 0.25)


def test_a_stage_that_keeps_every_limit_is_almost_all_good(tmp_path):
    """80 of 0.8 s and 20 of 1.6 s keep a median of 1 s and a p95 of 2 s: no user is asked to do with the median."""
    records = [record(10 + i, 1.6 if i % 5 == 0 else 0.8, prompt_id=str(i)) for i in range(100)]
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 112)], slo={"latency_s": {"p50": 1.0, "p95": 2.0}}))
    assert (row["latency_p50_s"], row["slo"]) == (pytest.approx(0.8), "met")
    assert row["goodput_per_s"] == pytest.approx(row["throughput_per_s"]) == pytest.approx(100 / 102)


def test_an_answer_at_its_limits_is_good(tmp_path):
    # the limits on the highest percentiles: latency 1.5 s, TTFT 0.5 s; two such answers in 10 s, a third is 1 ms late
    records = [streamed(at, 1.5, ttft=0.5, tokens=5) for at in (11, 13)] + [streamed(15, 1.501, ttft=0.5, tokens=5)]
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 20)], slo=SLO))
    assert (row["goodput_per_s"], row["throughput_per_s"]) == (pytest.approx(0.2), pytest.approx(0.3))


def test_tokens_are_paid_for_bad_answers_too(tmp_path):
    bed = [type(r)(**{f: getattr(r, f) for f in r.__slots__} | {"target": "bedrock"}) for r in mixed()]
    path = made_run(tmp_path / "r", bed, [window(1, 10, 20, target="bedrock")], targets=[BEDROCK], slo=SLO)
    row = row_of(path)
    # five successes of 10 x 0.00075 / 1000 + 5 x 0.001 / 1000 $ each, the throttled one free; three of them were good
    assert row["usd_per_good_transaction"] == pytest.approx(5 * 12.5e-6 / 3)


def test_without_a_limit_on_a_percentile_there_is_no_goodput(tmp_path):
    for name, slo in (("a", {}), ("b", {"latency_s": {"mean": 2.0}, "error_rate": 0.0})):
        assert row_of(made_run(tmp_path / name, mixed(), [window(1, 10, 20)], slo=slo))["goodput_per_s"] is None


def test_goodput_is_not_known_where_a_limited_ttft_is_not(tmp_path):
    target = BEDROCK | {"stream": False}
    records = [record(11, 1, target="bedrock", prompt_tokens=1, completion_tokens=1)]
    path = made_run(tmp_path / "r", records, [window(1, 10, 20, target="bedrock")], targets=[target], slo=SLO)
    assert row_of(path)["goodput_per_s"] is None


def test_with_retries_goodput_goes_by_the_call_that_a_user_waits_for(tmp_path):
    """Two calls that succeed at last: the second attempt of one began 2 s after its first."""
    records = [
        streamed(11, 1, ttft=0.2, tokens=5, call=1),
        record(13, 0.5, call=2, error="throttled"),
        streamed(15, 1, ttft=0.2, tokens=5, call=2, attempt=2),
    ]
    keys = {"retry": {"attempts": 3, "base_s": 0.1, "max_s": 1.0}}
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 20)], slo=SLO, scenario_keys=keys))
    # the second call took 3 s, above 1.5 s
    assert (row["goodput_per_s"], row["throughput_per_s"]) == (pytest.approx(0.1), pytest.approx(0.2))


def test_shed_load_does_not_look_fast(tmp_path, capsys):
    """Half of the requests are refused in 10 ms: the successes' p95 is that of an idle endpoint."""
    records = [record(10 + i * 0.3, 0.5, prompt_id=str(i)) for i in range(100)]
    records += [record(10.1 + i * 0.3, 0.01, prompt_id=f"f{i}", error="throttled") for i in range(100)]
    path = made_run(tmp_path / "r", records, [window(1, 10, 40)])
    row = row_of(path)
    assert row["latency_p95_s"] == 0.5
    # of 200, the median lies between the 100th, which succeeded, and the 101st, which did not
    assert [row[f"latency_{p}_all_s"] for p in ("p50", "p95", "p99")] == [math.inf] * 3
    assert main(["report", str(path)]) == 0
    steps = pd.read_csv(path / "report" / "steps.csv")
    assert steps["latency_p95_all_s"].tolist() == [math.inf]
    assert json.loads((path / "report" / "summary.json").read_text())["steps"][0]["latency_p95_all_s"] == "inf"
    text = (path / "report" / "report.md").read_text()
    assert "| p95 with failures |" in text and "| ∞ (failed) | ∞ (failed) | ∞ (failed) |" in text
    assert "∞ (failed)" in (path / "report" / "report.html").read_text()


def test_without_failures_nothing_is_said_of_them(tmp_path):
    path = made_run(tmp_path / "r", steady(1, 10, 40, 1, 0.5), [window(1, 10, 40)])
    assert main(["report", str(path)]) == 0
    for file in ("report.md", "report.html"):
        words = (path / "report" / file).read_text()
        assert (
            "∞ (failed)" not in words
            and "| p95 with failures |" not in words
            and "p95 with failures as ∞</th>" not in words
        )


def test_the_intervals_of_throughput_and_cost_are_columns(tmp_path):
    report = analyse([made_run(tmp_path / "r", steady(1, 10, 40, 2, 0.7, lead=2), [window(1, 10, 40, users=2)])])
    row = steps(report).iloc[0]
    assert row["throughput_low"] <= row["throughput_per_s"] <= row["throughput_high"]
    # an hourly price: the cost at the highest throughput is the lowest
    assert row["usd_per_transaction_ci_low"] == pytest.approx(37.688 / 3600 / row["throughput_high"])
    assert row["usd_per_transaction_ci_high"] == pytest.approx(37.688 / 3600 / row["throughput_low"])
    assert row["batches"] == ""


def test_intervals_of_a_window_shorter_than_four_requests_are_marked_too_narrow(tmp_path):
    path = made_run(tmp_path / "long", steady(1, 10, 50, 10, 10.0, lead=11), [window(1, 10, 50, users=10)])
    assert row_of(path)["batches"] == ""  # 40 s: four times 10 s
    path = made_run(tmp_path / "r", steady(1, 10, 50, 10, 10.5, lead=11), [window(1, 10, 50, users=10)])
    assert row_of(path)["batches"] == "too narrow"
    assert main(["report", str(path)]) == 0
    assert ", too narrow) |" in (path / "report" / "report.md").read_text()
