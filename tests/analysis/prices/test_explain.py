"""`prices MODEL|INSTANCE|SCENARIO`: source, rates and parts that add up; and the list of all that is known."""

import decimal
import json
import subprocess
import sys

import pytest

from analysis.__main__ import main
from tests.helpers.emulator_process import ROOT

BOOK = """\
region: us-east-1
currency: USD
as_of: 2026-11-01
source: a contract
instances: {ml.g5.xlarge: 1.5}
models:
  maker.model-v1:
    input: 0.001
    output: 0.002
    cache_read: 0.0001
    cache_write: 0.00125
    cache_write_1h: 0.003
    steps: [{above: 10000, input: 0.002, output: 0.003, cache_read: 0.0002, cache_write: 0.0025, cache_write_1h: 0.006}]
    variants: {flex: 0.5}
    guardrail: {contentPolicyUnits: 0.00015}
  maker.rerank-v1: {units: {query: 0.002}}
  maker.plain-v1: {input: 0.001, output: 0.002}
"""
SCENARIO = """\
name: two
region: us-east-1
pricing: book.yaml
payloads: [p.jsonl]
targets:
  - {name: hosted, service: sagemaker, endpoint: e, dialect: tgi, stream: true, instance_type: ml.g5.xlarge, instance_count: 2}
  - {name: tokens, service: bedrock, model_id: maker.plain-v1, api: converse, stream: true}
load: {users: [1], measure_s: 1}
slo: {latency_s: {p50: 1}}
"""


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.yaml"
    path.write_text(BOOK)
    return str(path)


def explained(capsys, *arguments: str) -> dict:
    assert main(["prices", *arguments, "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    return found


def test_every_part_of_a_charge_is_told_and_they_add_up_exactly(book, capsys):
    tokens = "--prompt-tokens 9001 --completion-tokens 100 --cache-read-tokens 500 --cache-write-tokens 500 --cache-write-1h-tokens 200"
    given = ["maker.model-v1", "--pricing", book, *tokens.split(), "--guardrail", "contentPolicyUnits=3"]
    found = explained(capsys, *given)
    # 9,001 + 500 + 500 prompt tokens are above 10,000: 9001 x 0.002, 100 x 0.003, 500 x 0.0002, 300 x 0.0025, 200 x 0.006 per 1,000
    assert {part["kind"]: part["usd"] for part in found["parts"]} == {
        "input": "0.018002", "output": "0.0003", "cache_read": "0.0001", "cache_write": "0.00075", "cache_write_1h": "0.0012",
        "guardrail contentPolicyUnits": "0.00045",
    }  # fmt: skip
    assert found["usd"] == "0.020802"
    assert sum(decimal.Decimal(part["usd"]) for part in found["parts"]) == decimal.Decimal(found["usd"])
    assert main(["prices", *given]) == 0
    shown = capsys.readouterr().out
    assert "step: 10,001 prompt tokens, cached ones counted, are above 10,000" in shown
    assert "300 tokens cache write, 5 min" in shown and "total: $0.020802; of 10,000 such transactions $208.02" in shown
    assert "USD per unit of a guardrail: contentPolicyUnits $0.00015" in shown
    assert "says     a contract" in shown and "book.yaml, us-east-1, 2026-11-01" in shown


def test_a_tier_is_a_rule_and_its_rates(book, capsys):
    found = explained(capsys, "maker.model-v1", "--pricing", book, "--tier", "flex")
    # 1,000 x 0.0005 + 100 x 0.001 per 1,000
    assert found["usd"] == "0.0006" and found["source"]["rules"] == ["flex: × 0.5"]
    assert main(["prices", "maker.model-v1", "--pricing", book, "--tier", "flex"]) == 0
    assert "a guardrail has a price, too" in capsys.readouterr().out  # of no call, unless it is asked for


def test_a_kind_without_a_price_makes_the_whole_not_known(book, capsys):
    found = explained(capsys, "maker.plain-v1", "--pricing", book, "--cache-write-1h-tokens", "5")
    assert found["usd"] is None and found["unknown"] == "no `cache_write_1h` price"
    assert main(["prices", "maker.plain-v1", "--pricing", book, "--cache-write-1h-tokens", "5"]) == 0
    assert "total: not known, no `cache_write_1h` price" in capsys.readouterr().out


def test_what_is_billed_by_the_query_is_one_query(book, capsys):
    assert explained(capsys, "maker.rerank-v1", "--pricing", book)["usd"] == "0.002"
    assert explained(capsys, "maker.rerank-v1", "--pricing", book, "--units", "3")["usd"] == "0.006"


def test_an_instance_is_told_by_the_hour_and_at_examples_of_its_use(book, capsys):
    assert main(["prices", "ml.g5.xlarge", "--pricing", book]) == 0
    shown = capsys.readouterr().out
    assert "$1.50 an hour × 1 = $1.50 an hour" in shown
    assert "at 60 transactions a minute: $1.50 / 3,600, $4.1667 for 10,000" in shown  # 1.5 / 3600 x 10,000


def test_a_scenarios_targets_are_told_each_by_its_own_price(book, tmp_path, capsys):
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    assert main(["prices", str(tmp_path / "scenario.yaml")]) == 0
    shown = capsys.readouterr().out
    assert "target hosted in us-east-1" in shown and "$1.50 an hour × 2 = $3.00 an hour" in shown
    assert "target tokens in us-east-1" in shown and "total: $0.0012;" in shown  # 1,000 x 0.001 + 100 x 0.002 per 1,000


def test_the_library_prices_what_no_book_does_on_a_day(capsys):
    found = explained(
        capsys,
        "us.anthropic.claude-haiku-5-5",
        "--prompt-tokens",
        "150000",
        "--completion-tokens",
        "500",
        "--on",
        "2026-11-20",
    )
    # above 100,000 tokens: 150,000 x 0.00055 + 500 x 0.00275 per 1,000
    assert found["usd"] == "0.083875" and found["source"]["name"].startswith("genai-prices ")


def test_the_list_of_a_region_has_books_and_library(book, capsys):
    assert main(["prices", "--pricing", book]) == 0
    shown = capsys.readouterr().out
    assert (
        "  ml.g5.xlarge" in shown
        and "maker.model-v1" in shown
        and "global.anthropic" not in shown.split("maker")[0][:1]
    )
    assert "; above 10,000: $0.002, $0.003" in shown
    assert main(["prices", "--pricing", book, "--json"]) == 0
    known = json.loads(capsys.readouterr().out)
    assert known["region"] == "us-east-1" and known["prices"]["ml.g5.xlarge"]["price"]["usd_per_hour"] == 1.5
    assert known["prices"]["anthropic.claude-haiku-5-5"]["source"]["origin"] == "library"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody.nothing-v1"], "no price for model `nobody.nothing-v1`"),
        (["g5.xlarge"], "no price for instance type `g5.xlarge`; did you mean `ml.g5.xlarge`?"),
        (["maker.plain-v1", "--region", "useast1"], "`useast1` is no region; write it as us-east-1"),
        (["ml.z9.xlarge"], "no price for instance type `ml.z9.xlarge`"),
        (["maker.plain-v1", "--tier", "flex"], "`flex` has a price of its own"),
        (["ml.g5.xlarge", "--tier", "flex"], "an instance has none"),
        (["maker.plain-v1", "--tier", "cheap"], "--tier"),
        (["maker.plain-v1", "--prompt-tokens", "-1"], "whole number of 0 or more"),
        (["maker.plain-v1", "--prompt-tokens", "1.5"], "whole number of 0 or more"),
        (["maker.plain-v1", "--on", "28.11.2026"], "write it as 2026-11-28"),
        (["maker.plain-v1", "--cache-write-tokens", "1", "--cache-write-1h-tokens", "2"], "more than all that were written"),
        (["maker.plain-v1", "--guardrail", "a=b"], "not units of policies"),
        (["maker.plain-v1", "--write"], "belongs to `prices update`"),
        (["maker.plain-v1", "--with", "x.json"], "belongs to `prices compare`"),
        (["update", "--prompt-tokens", "1"], "belongs to a MODEL"),
        (["none.yaml"], "none.yaml"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_one_line(arguments, said, book, capsys):
    try:
        code = main(["prices", *arguments, *(["--pricing", book] if "update" not in arguments else [])])
    except SystemExit as e:
        code = e.code
    error = capsys.readouterr().err
    assert code == 1 and error.startswith("error: ") and error.count("\n") == 1 and said in error


def test_a_reader_that_has_seen_enough_ends_it_quietly():
    with subprocess.Popen(
        [sys.executable, "-m", "analysis", "prices"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()  # as `| head` does, here before the first line
        assert (process.stderr.read(), process.wait(60)) == (b"", 0)
