import io
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from analysis.bill import usd_by_tokens
from analysis.html import write_html
from analysis.markdown import markdown, total
from analysis.report import analyse
from analysis.report_command import print_gist
from analysis.stage_view import run_cost_table
from analysis.summary import summary_of
from locustfiles.common.price_book import TokenPrice
from locustfiles.common.scenario import BadScenario
from tests.analysis.made_run import BEDROCK, P4D, made_run, record, window
from tests.analysis.test_cost import PER_CALL, call


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
    hourly, tokens = report.run_cost.to_dict("records")
    assert hourly["duration_s"] == pytest.approx(263.5475, abs=1e-5)
    assert f"{hourly['usd']:.5f}" == "2.75905"
    assert (hourly["usd_per_hour"], hourly["instance_count"]) == (37.688, 1)
    # two calls with tokens: the warm-up's are billed as well
    assert (tokens["prompt_tokens"], tokens["completion_tokens"]) == (5846, 48)
    assert tokens["usd"] == pytest.approx(2 * PER_CALL)
    assert report.total_cost == pytest.approx(2.75905 + 0.0044325, abs=1e-5)


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
    assert report.run_cost["usd"].tolist()[0] == 0.0
    assert report.run_cost["usd"].isna().tolist() == [False, True]


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
    assert (new.steps["usd_per_transaction"] / old.steps["usd_per_transaction"]).tolist() == pytest.approx([2.0, 2.0])
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
    assert total(report).startswith(f"Total: {words}, for failures")
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
    assert "`p4d` (3 × ml.p4d.24xlarge) " in report.sentences["recommendation"][0]
    # 4.545 / 3600 / (25 / 30) and three and a third of it at 30 % use
    assert "$0.001515 a transaction at full use ($0.00505 at 30 % use)" in report.sentences["recommendation"][0]
    hourly, tokens = run_cost_table(report.run_cost)["Factors"]
    assert hourly.endswith("s × $1.515/h × 3")
    assert tokens == "2,923 prompt tokens × $0.00006/1k + 24 output tokens × $0.00024/1k"
    # 3 x 1.515, which is 4.545000000000001 to a computer when summed up
    assert "$4.545/h against" in report.break_even[0].text
    text = markdown(report, [])
    assert "| 4.545 |" in text  # the second study's tables
    write_html(report, [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "$4.545<" in page and "$1.515/h" in page and "6e-05" not in page and "6e-05" not in text


COUNTS = st.one_of(st.none(), st.integers(0, 10**6))
PER_1K = st.floats(0, 1)


@given(COUNTS, COUNTS, COUNTS, COUNTS, PER_1K, PER_1K, st.one_of(st.none(), PER_1K), st.one_of(st.none(), PER_1K))
def test_the_bill_of_a_table_and_the_price_of_a_call_are_one_arithmetic(p, c, read, written, i, o, cache_read, cache_write):
    price = TokenPrice(input=i, output=o, cache_read=cache_read, cache_write=cache_write)
    counts = {"prompt_tokens": p, "completion_tokens": c, "cache_read_tokens": read, "cache_write_tokens": written}
    (billed,) = usd_by_tokens(pd.DataFrame([counts], dtype="float64"), price)
    assert billed == pytest.approx(math.nan if (one := price.usd(p, c, read, written)) is None else one, nan_ok=True)
