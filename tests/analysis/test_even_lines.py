"""The break-even by other prices than those that were billed: of another day, in batches, of another service tier."""

import pytest

from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.summary_json import summary_of
from tests.helpers.first_study import stage_of
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run

BOOK = """region: us-east-1
currency: USD
as_of: 2026-11-01
source: made
instances:
  ml.p4d.24xlarge:
    - {usd_per_hour: 37.688}
    - {usd_per_hour: 25.25, effective: 2025-06-01}
models:
  meta.llama2-13b-chat-v1: {input: 0.00075, output: 0.001, variants: {batch: 0.5, priority: {input: 0.0015, output: 0.002}}}
"""


def report_of(tmp_path, book=BOOK, source="b.yaml", targets=(P4D, BEDROCK), prices=PRICES):
    """The first study's two stages: 346/min by the hour, 2923 + 24 tokens for 0.00221625 $ by tokens."""
    (tmp_path / "b.yaml").write_text(book)
    tokens = {"target": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    stages = [stage_of(1, 100, 5, 346, 0, 0.86), stage_of(2, 200, 5, 190, 0, 1.56, **tokens)]
    records, windows = [r for made, _ in stages for r in made], [w for _, w in stages]
    book_used = {"file": str(tmp_path / source), "region": "nowhere-1", "as_of": "2024-04-15", "source": "made"}
    return analyse(
        [made_run(tmp_path / "r", records, windows, targets=list(targets), price_book=book_used, prices=prices)]
    )


def test_the_study_stands_at_the_price_of_its_day_and_at_that_of_today(tmp_path):
    report = report_of(tmp_path)
    lines = summary_of(report)["break_even_prices"]
    found = [(p["hourly_price"].split(" (")[0], p["token_price"], p["usd_per_hour"]) for p in lines]
    later = "from 2025-06-01 on, today's"
    assert found == [
        ("as billed", "as billed", 37.688),
        ("as billed", "priority", 37.688),
        ("as billed", "batch", 37.688),
        (later, "as billed", 25.25),
    ]
    # 37.688 / 0.00221625 / 60 = 283.42; at twice and half the token price half and twice as many; 25.25: 189.89
    assert [p["even_per_minute"] for p in lines] == pytest.approx([283.42, 141.71, 566.85, 189.89], abs=0.01)
    assert lines[1]["usd_per_transaction"] == pytest.approx(2 * 0.00221625)
    # 566.85/min are more than the 346 that an instance carries: in batches tokens are cheaper at every volume
    assert lines[2]["hourly_from_per_minute"] is None
    # at 283.42 of 346 in parts, (k - 1) x 346 or k x 283.42 up to k = 5 = ceil(283.42 / 62.58), always from 5 x 283.42 on
    assert lines[0]["hourly_above_per_minute"] == pytest.approx(5 * 283.4226, rel=1e-4)
    text = markdown(report, [])
    assert f"| p4d | bedrock | $25.25 {later} ({tmp_path / 'b.yaml'}) | $0.002216 as billed | 190 |" in text
    assert "| $0.001108 batch | 567 | nowhere |" in text
    write_html(report, [], tmp_path / "r.html")
    assert "$0.001108 batch" in (tmp_path / "r.html").read_text()


def test_without_another_price_there_is_no_table_and_one_line_in_the_data(tmp_path):
    book = BOOK.replace("    - {usd_per_hour: 25.25, effective: 2025-06-01}\n", "")
    report = report_of(tmp_path, book.replace(", variants: {batch: 0.5, priority: {input: 0.0015, output: 0.002}}", ""))
    (line,) = report.even_lines
    assert (line.hourly_price, line.token_price) == ("as billed", "as billed")
    assert "By the other prices" not in markdown(report, [])


def test_variants_of_a_price_that_is_no_longer_the_runs_are_not_taken(tmp_path):
    report = report_of(tmp_path, BOOK.replace("input: 0.00075", "input: 0.0009"))
    assert [line.token_price for line in report.even_lines] == ["as billed", "as billed"]


def test_a_book_that_is_gone_and_a_price_of_the_scenario_have_no_other_prices(tmp_path):
    assert len(report_of(tmp_path / "", source="gone.yaml").even_lines) == 1
    own = [P4D | {"price": {"usd_per_hour": 37.688}}, BEDROCK | {"price": {"input": 0.00075, "output": 0.001}}]
    (tmp_path / "own").mkdir()
    assert len(report_of(tmp_path / "own", targets=own).even_lines) == 1


def test_a_target_with_a_discount_stands_beside_itself_without_it_and_other_prices_have_it_too(tmp_path):
    targets = [P4D | {"discount_percent": 20.0}, BEDROCK]
    prices = PRICES | {"p4d": {"usd_per_hour": 30.1504, "instance_count": 1}}
    lines = report_of(tmp_path, targets=targets, prices=prices).even_lines
    # 0.8 x 37.688 = 30.1504 was billed; 0.8 x 25.25 = 20.2
    assert [line.usd_per_hour for line in lines] == pytest.approx([30.1504, 30.1504, 30.1504, 37.688, 20.2])
    assert lines[3].hourly_price == "without its discount"
