"""Figures in words: an interval is called one, bounds of a bill are called bounds, and each is said once."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.report.html_stages import stages, summary
from analysis.report.markdown import markdown
from analysis.report.summary_json import all_tables, summary_of
from analysis.report.text_tables import cost_table, full_table
from analysis.words.columns import METRICS
from analysis.words.format import money, number, seconds
from analysis.words.value_text import figure, with_interval
from tests.helpers import samples
from tests.helpers.flat import flat, steps, table
from tests.helpers.made_run import BEDROCK, made_run, steady, window

BY_NAME = {c.name: c for c in METRICS}
CALL = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 100, "completion_tokens": 24}
LOST = {"error": "read_timeout", "completion_tokens": None, "prompt_tokens": None, "token_source": "none"}


def billed(tmp_path, latencies, every):
    """A run of one level, a repetition for each latency; every so manieth request is lost, its tokens unknown."""
    records, visits = [], []
    for stage, latency in enumerate(latencies, 1):
        a = 100 * stage
        found = steady(stage, a, a + 60, 1, latency, repeat=stage, **CALL)
        records += [dataclasses.replace(r, **LOST) if i % every == 0 else r for i, r in enumerate(found)]
        visits.append(window(stage, a, a + 60, target="bedrock", repeat=stage))
    return analyse([made_run(tmp_path / "r", records, visits, targets=[BEDROCK])])


def per_transaction(report):
    """(text, what stands under it) of the recommended stage's cost."""
    rows = summary(report.level(report.recommendation.pick)).rows
    return next((value.text, value.under) for name, value in rows if name.text == "$ per transaction")


def test_bounds_of_a_bill_are_not_called_an_interval(tmp_path):
    # 15 requests of 4 s, 4 of them lost: 11 successes, too few for an interval. A success is 0.1 x 0.00075 + 0.024 x 0.001 = 0.000099;
    # a lost one at most 0.000075 + 0.1 x 0.001 = 0.000175, so 0.000099 + 4 / 11 x 0.000175 = 0.0001626 each
    report = billed(tmp_path, [4.0], 4)
    assert per_transaction(report) == ("$0.0001626", "bounds $0.000099 – $0.0001626")
    cells = [cell.under for cell in stages(report).rows[0] if "$" in cell.under]
    assert cells == ["bounds $0.000099 – $0.0001626"]
    assert "95 % interval $" not in markdown(report, [])
    assert cost_table(report.results)["Bounds"].tolist() == ["$0.000099 – $0.0001626"]


def test_the_interval_of_a_pooled_stage_is_its_own_and_goes_before_the_bounds(tmp_path):
    report = billed(tmp_path, [1.0, 1.1, 1.2], 20)
    row = flat(report.level(report.recommendation.pick))
    # the bounds are systematic: no number of repetitions narrows the interval to less than lies between them
    assert row["usd_per_transaction_ci_low"] <= row["usd_per_transaction_low"]
    assert row["usd_per_transaction_high"] <= row["usd_per_transaction_ci_high"]
    low, high = (money(row[f"usd_per_transaction_ci_{end}"]) for end in ("low", "high"))
    assert per_transaction(report)[1] == f"95 % interval {low} – {high}"
    shown = cost_table(report.candidates)
    assert shown["Per transaction"].tolist() == [f"{money(row['usd_per_transaction'])} ({low} – {high})"]


def test_the_markdown_shows_the_intervals_that_stand_beside_the_row_as_the_page_does(tmp_path):
    # 60 requests of 1.0, 1.02 … 1.08 s in turn
    records = [
        dataclasses.replace(r, latency_ms=1000 + 20 * (i % 5))
        for i, r in enumerate(steady(1, 100, 160, 1, 1.0, **CALL))
    ]
    report = analyse([made_run(tmp_path / "r", records, [window(1, 100, 160, target="bedrock")], targets=[BEDROCK])])
    found = {i.column: (i.low, i.high) for i in table(report, "intervals").itertuples()}
    row, cells = (
        steps(report).iloc[0],
        {h.title.partition(":")[0]: c.under for h, c in zip(stages(report).heads, stages(report).rows[0], strict=True)},
    )
    for column, words in (
        ("latency_mean_s", seconds),
        ("completion_tokens_per_s", number),
        ("usd_per_1m_output_tokens", money),
    ):
        low, high = found[column]
        assert low <= row[column] <= high
        assert cells[column] == f"{words(low)} – {words(high)}".replace(" s", "")
        assert f" {words(row[column])} ({words(low)} – {words(high)}) |" in markdown(report, [])


def test_repetitions_together_have_their_own_intervals_published_and_shown(tmp_path):
    """60 s of 1.0 s, 1.1 s and 1.2 s: 24 tokens each, so that tokens a second lie apart."""
    report = billed(tmp_path, [1.0, 1.1, 1.2], 1000)
    ends = {(i.stage, i.column): (i.low, i.high) for i in table(report, "candidate_intervals").itertuples()}
    row = flat(report.level(report.recommendation.pick))
    # 24, 21.8 and 20 tokens/s, sd 2.0, t of 2 degrees of freedom 4.303: half of 4.303 x 2.0 / sqrt(3) = 5.0
    low, high = ends[1, "completion_tokens_per_s"]
    assert low < row["completion_tokens_per_s"] < high and (high - low) / 2 == pytest.approx(5.0, rel=0.05)
    rows = summary(report.level(report.recommendation.pick)).rows
    assert (
        next(v.under for name, v in rows if name.text == "output tokens/s")
        == f"95 % interval {number(low)} – {number(high)}"
    )
    said = summary_of(report)["candidate_intervals"]
    assert {"run": "r", "stage": 1, "column": "completion_tokens_per_s", "low": low, "high": high} in said
    assert len(all_tables(report)["candidate_intervals"]) == len(ends)
    assert set(table(report, "intervals")["stage"]) == {1, 2, 3} and set(
        table(report, "candidate_intervals")["stage"]
    ) == {1}


def test_a_figure_has_the_unit_of_its_column_and_the_interval_that_stands_in_the_row():
    stage = samples.result_of({
        "latency_p95_s": 2.514, "latency_p95_low_s": 2.4, "latency_p95_high_s": None, "ttft_p95_s": 0.0312, "ttft_p95_low_s": 0.03,
        "ttft_p95_high_s": 0.04, "latency_p50_all_s": float("inf"), "error_rate": 0.0625, "requests": 1234, "errors": "",
        "throughput_per_s": 5.0, "throughput_low": 4.9, "throughput_high": 5.1, "batches": "too narrow", "price_basis": "tokens",
        "usd_per_transaction": 0.004, "usd_per_transaction_ci_low": 0.0039, "usd_per_transaction_ci_high": 0.0041,
        "latency_mean_s": None, "tpot_p50_ms": 16.84, "stream": True,
    })  # fmt: skip
    assert with_interval(stage, BY_NAME["latency_p95_s"]) == "2.51 s (2.40 s – wide)"
    assert with_interval(stage, BY_NAME["ttft_p95_s"]) == "31.2 ms (30.0 ms – 40.0 ms)"
    assert with_interval(stage, BY_NAME["throughput_per_s"]) == "5.00 (4.90 – 5.10, too narrow)"
    # by the calls' bills, not by batches; by the hour it is by batches
    assert with_interval(stage, BY_NAME["usd_per_transaction"]) == "$0.004 ($0.0039 – $0.0041)"
    cost = dataclasses.replace(stage.figures.cost, price_basis="hourly")
    hourly = dataclasses.replace(stage, figures=dataclasses.replace(stage.figures, cost=cost))
    assert with_interval(hourly, BY_NAME["usd_per_transaction"]) == "$0.004 ($0.0039 – $0.0041, too narrow)"
    shown = [
        figure(stage.figures, BY_NAME[c])
        for c in ("latency_p50_all_s", "error_rate", "requests", "errors", "latency_mean_s", "tpot_p50_ms", "stream")
    ]
    assert shown == ["∞ (failed)", "6.25 %", "1,234", "", "–", "16.8 ms", "yes"]


def test_the_markdown_and_the_page_show_the_same_recommended_stage(tmp_path):
    report = billed(tmp_path, [1.0], 1000)
    text = markdown(report, [])
    for name, value in summary(report.level(report.recommendation.pick)).rows:
        assert f"| {name.text} | {value.text}{f' ({value.under})' if value.under else ''} |" in text


def test_percentiles_with_failures_have_columns_only_where_something_failed(tmp_path):
    some, (result,) = billed(tmp_path / "a", [1.0], 4).results, billed(tmp_path / "b", [1.0], 1000).results
    outcome = dataclasses.replace(result.figures.outcome, failures=0)
    none = [dataclasses.replace(result, figures=dataclasses.replace(result.figures, outcome=outcome))]
    # every fourth request failed, so p95 falls among the failures
    assert full_table(some)["p95 with failures"].tolist() == ["∞ (failed)"]
    assert not [c for c in full_table(none) if "failures" in c]


def test_what_has_a_place_of_its_own_in_the_report_is_not_said_again_in_the_notes(tmp_path):
    records = steady(1, 10, 70, 1, 1.0, **CALL)
    keys = {"scenario_keys": {"retry": {"attempts": 3, "base_s": 0.1, "max_s": 1.0}}, "status": "stopped"}
    stage = window(1, 10, 70, target="bedrock", ended_by="stop")
    report = analyse([made_run(tmp_path / "r", records, [stage], targets=[BEDROCK], **keys)])
    said = [*report.cut, *report.retries.values()]
    assert len(said) == 2 and not set(said) & set(report.notes)
    text = markdown(report, [])
    assert [text.count(sentence) for sentence in said] == [1, 1]


@pytest.mark.parametrize("column", ["throughput_per_s", "latency_p95_s"])
def test_an_unknown_figure_has_no_interval(column):
    stage = samples.result_of({column: None, "throughput_low": 1.0, "latency_p95_low_s": 1.0})
    assert with_interval(stage, BY_NAME[column]) == "–"
