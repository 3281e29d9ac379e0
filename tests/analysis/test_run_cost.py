"""What a whole run has cost."""

import io

import pytest
from rich.console import Console

from analysis.advice.analyse import analyse
from analysis.commands.report import print_gist
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.summary_json import summary_of
from analysis.report.text_tables import run_cost_table
from analysis.report.verdict_summary import total
from locustfiles.contract.bad_input import BadScenario
from tests.analysis.test_cost import PER_CALL, call
from tests.helpers.flat import steps, table
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, window


def test_the_first_studys_run_cost(tmp_path):
    # 263.5475 s x 37.688 $/h / 3600 = 2.75905 $; from the warm-up call to the end of the last held request
    records = [
        record(0, 1, phase="warmup", stage=0, users=None),
        record(100, 1),
        record(263.0475, 0.5, phase="hold"),
        call(300, phase="warmup", stage=0),
        call(301, stage=2),
        call(302, stage=2, error="throttled", prompt_tokens=None, completion_tokens=None),
    ]
    stages = [window(1, 90, 110), window(2, 300, 310, target="bedrock")]
    report = analyse([made_run(tmp_path / "r", records, stages, targets=[P4D, BEDROCK])])
    hourly, tokens = table(report, "run_cost").to_dict("records")
    assert hourly["duration_s"] == pytest.approx(263.5475, abs=1e-5)
    assert f"{hourly['usd']:.5f}" == "2.75905"
    assert (hourly["usd_per_hour"], hourly["instance_count"]) == (37.688, 1)
    # two calls with tokens: the warm-up's are billed as well
    assert (tokens["prompt_tokens"], tokens["completion_tokens"]) == (5846, 48)
    assert tokens["usd"] == pytest.approx(2 * PER_CALL)
    assert report.total_cost == pytest.approx(2.75905 + 0.0044325, abs=1e-5)


def test_an_endpoint_is_charged_for_its_own_turns_alone(tmp_path):
    # p4d: its first call 0..1 s, then 50..60 and 200..210; bedrock between them. 1 + 10 + 10 s x 37.688 $/h / 3600 = 0.219847 $
    records = [record(0, 1, phase="warmup", stage=0, users=None), call(2, phase="warmup", stage=0)]
    records += [
        record(50, 4),
        record(55, 5),
        call(100, stage=2),
        record(200, 10, stage=3, repeat=2),
        call(300, stage=4, repeat=2),
    ]
    stages = [window(1, 49, 61), window(2, 99, 110, target="bedrock"), window(3, 199, 211, repeat=2)]
    stages.append(window(4, 299, 310, target="bedrock", repeat=2))
    report = analyse([made_run(tmp_path / "r", records, stages, targets=[P4D, BEDROCK])])
    hourly, tokens = table(report, "run_cost").to_dict("records")
    assert hourly["duration_s"] == pytest.approx(21.0, abs=1e-5)
    assert f"{hourly['usd']:.6f}" == "0.219847"
    assert tokens["duration_s"] == pytest.approx(1.5, abs=1e-5)  # three calls of half a second


def test_what_was_read_from_a_cache_is_part_of_the_prompt_and_has_its_own_factor(tmp_path):
    # 100 x 0.0003 + 1900 x 0.00003 + 20 x 0.0015, each / 1000: 0.00003 + 0.000057 + 0.00003 = 0.000117 $ a call
    price = {"input": 0.0003, "output": 0.0015, "cache_read": 0.00003, "cache_write": 0.000375}
    calls = [
        call(11 + i, prompt_tokens=100, cache_read_tokens=1900, completion_tokens=20, prompt_id=str(i))
        for i in range(2)
    ]
    path = made_run(
        tmp_path / "r", calls, [window(1, 10, 20, target="bedrock")], targets=[BEDROCK], prices={"bedrock": price}
    )
    report = analyse([path])
    (row,) = steps(report).to_dict("records")
    assert row["prompt_tokens_mean"] == 2000
    assert row["cache_read_share"] == pytest.approx(0.95)
    assert row["usd_per_transaction"] == pytest.approx(0.000117)
    assert row["usd_per_1m_tokens"] == pytest.approx(0.000117 / 2020 * 1e6)
    (factors,) = run_cost_table(report.run_cost)["Factors"]
    assert factors == (
        "200 prompt tokens × $0.0003/1k + 3,800 read from a cache × $0.00003/1k + 40 output tokens × $0.0015/1k"
    )


def test_a_failure_may_cost_as_many_tokens_as_its_line_of_the_payload_asked_for(tmp_path):
    # the target asks for 100, a line for 800: 0.00219225 + 800 x 0.001 / 1000
    lost = call(302, stage=1, error="server", prompt_tokens=None, completion_tokens=None)
    stages = [window(1, 300, 310, target="bedrock")]
    path = made_run(tmp_path / "r", [call(301), lost], stages, targets=[BEDROCK], most_tokens={"bedrock": 800})
    (row,) = table(analyse([path]), "run_cost").to_dict("records")
    assert row["usd_high"] == pytest.approx(PER_CALL + 0.00219225 + 0.0008)


def test_a_failed_prompt_is_not_taken_for_another_payloads_of_the_same_id(tmp_path):
    # en 1 is of 1,000 tokens, long 1 of 3,000: the failed en 1 costs up to 1000 x 0.00075 / 1000 + 100 x 0.001 / 1000 = 0.00085 $
    lost = call(303, error="server", prompt_tokens=None, completion_tokens=None)
    calls = [call(301, prompt_tokens=1000), call(302, prompt_tokens=3000, payload="long"), lost]
    stages = [window(1, 300, 310, target="bedrock")]
    report = analyse([made_run(tmp_path / "r", calls, stages, targets=[BEDROCK])])
    (row,) = table(report, "run_cost").to_dict("records")
    assert row["usd_low"] == pytest.approx(4 * 0.00075 + 2 * 0.000024)
    assert row["usd_high"] - row["usd_low"] == pytest.approx(0.00085)


def test_the_tokens_of_a_run_are_those_that_were_billed(tmp_path):
    # a refused call's prompt was counted, but costs nothing: 1 x 2923 and 24 tokens, as the dollars have it
    stages = [window(1, 300, 310, target="bedrock")]
    path = made_run(tmp_path / "r", [call(301), call(302, error="throttled")], stages, targets=[BEDROCK])
    (row,) = table(analyse([path]), "run_cost").to_dict("records")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (2923, 24)
    assert row["usd"] == pytest.approx(PER_CALL)


def test_an_unknown_part_makes_the_total_unknown(tmp_path):
    path = made_run(
        tmp_path / "r",
        [call(11, completion_tokens=None)],
        [window(1, 10, 20, target="bedrock")],
        targets=[P4D, BEDROCK],
    )
    report = analyse([path])
    assert report.total_cost is None
    # nothing was sent to p4d: that part is known
    assert table(report, "run_cost")["usd"].tolist()[0] == 0.0
    assert table(report, "run_cost")["usd"].isna().tolist() == [False, True]


BOOK = """
region: eu-west-1
currency: USD
as_of: 2025-01-01
source: made
instances: {ml.p4d.24xlarge: 75.376}
models: {meta.llama2-13b-chat-v1: {input: 0.0015, output: 0.002}}
"""


def test_another_price_book_reprices_an_old_run(tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)
    records = [record(10 + i, 0.5) for i in range(10)] + [call(30, stage=2)]
    path = made_run(
        tmp_path / "r", records, [window(1, 10, 20), window(2, 29, 39, target="bedrock")], targets=[P4D, BEDROCK]
    )
    old, new = analyse([path]), analyse([path], pricing=book)
    assert (steps(new)["usd_per_transaction"] / steps(old)["usd_per_transaction"]).tolist() == pytest.approx([2.0, 2.0])
    assert new.pricing["r"] == {"file": str(book), "region": "eu-west-1", "as_of": "2025-01-01", "source": "made"}
    assert old.pricing["r"]["file"] == "configs/pricing/x.yaml"


def test_a_price_book_without_a_targets_price_names_the_target(tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK.replace("ml.p4d.24xlarge", "ml.g5.2xlarge"))
    path = made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])
    with pytest.raises(BadScenario, match=r"target `p4d` of run r: no price for instance type `ml.p4d.24xlarge`"):
        analyse([path], pricing=book)


def test_a_total_that_is_known_within_bounds_only_shows_both(tmp_path):
    # a success, and a failure that may have been billed its prompt and max_tokens: 0.00219225 + 100 x 0.001 / 1000
    lost = call(302, stage=1, error="server", prompt_tokens=None, completion_tokens=None)
    path = made_run(tmp_path / "r", [call(301), lost], [window(1, 300, 310, target="bedrock")], targets=[BEDROCK])
    report = analyse([path])
    assert report.total_cost_low == pytest.approx(PER_CALL)
    assert report.total_cost == pytest.approx(PER_CALL + 0.00229225)
    summary = summary_of(report)
    assert (summary["total_cost_usd_low"], summary["total_cost_usd_high"]) == (report.total_cost_low, report.total_cost)
    words = "$0.002216 to $0.004509"  # 0.00221625 and 0.0045085
    assert total(report).startswith(f"Total: {words}, for requests of unknown tokens, failed or left, may")
    assert run_cost_table(report.run_cost)["Cost"].tolist() == [words]
    write_html(report, [], tmp_path / "r.html")
    assert words in (tmp_path / "r.html").read_text().split('id="cost"')[1]
    assert words in markdown(report, [])
    console = Console(width=200, record=True, file=io.StringIO())
    print_gist(report, console)
    assert f"Cost of the run. Total: {words}" in console.export_text()


def test_the_factors_are_the_prices_of_the_book(tmp_path):
    records = [record(10 + i, 0.5, completion_tokens=5, prompt_tokens=5) for i in range(25)] + [call(60, stage=2)]
    stages = [window(1, 10, 40), window(2, 55, 65, target="bedrock")]
    prices = {"p4d": {"usd_per_hour": 1.515, "instance_count": 3}, "bedrock": {"input": 0.00006, "output": 0.00024}}
    targets = [P4D | {"instance_count": 3}, BEDROCK]
    report = analyse([made_run(tmp_path / "r", records, stages, targets=targets, prices=prices)])
    assert "`p4d` (3 × ml.p4d.24xlarge) " in table(report, "sentences")["recommendation"][0]
    # 4.545 / 3600 / (25 / 30) and three and a third of it at 30 % use
    assert (
        "$15.15 per 10,000 transactions at full use ($50.50 at 30 % use)"
        in table(report, "sentences")["recommendation"][0]
    )
    hourly, tokens = run_cost_table(report.run_cost)["Factors"]
    assert hourly.endswith("s × $1.515/h × 3")
    assert tokens == "2,923 prompt tokens × $0.00006/1k + 24 output tokens × $0.00024/1k"
    # of one of the three, which can be added one by one
    assert "$1.515/h an instance against" in report.break_even[0].text
    text = markdown(report, [])
    # 3 x 1.515, which is 4.545000000000001 to a computer when summed up
    assert "| 4.545 |" in text  # the second study's tables
    write_html(report, [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "$4.545<" in page and "$1.515/h" in page and "6e-05" not in page and "6e-05" not in text
