"""A guardrail, checks and counting tokens as stages of a run: what their records, their report and `check` say, and what they cost."""

import csv
import subprocess
import sys

import pytest

from tests.helpers import bodies, folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import ROOT, environment, one_locust
from tests.runs.test_check import check, value

EMULATOR = {
    "engines": {"exact": {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 1000}},
    "models": {bodies.CLAUDE: {"engine": "exact", "family": "claude", "counting": {"latency_ms": 20}}},
    "guardrails": ["gr12345:1"],
    "guardrail_policies": ["content", "topic", "sensitiveInformation"],
    "guarding": {"latency_ms": 30, "blocks": ["number 7:"]},
}
TARGETS = [
    {"name": "guard", "service": "bedrock", "api": "apply-guardrail", "guardrail": {"id": "gr12345", "version": "1"}},
    {
        "name": "checks",
        "service": "bedrock",
        "api": "guardrail-checks",
        "parameters": {"checks": {"contentFilter": ["HATE"]}},
        "price": {"guardrail": {"contentFilter": 0.0002}},
    },
    {"name": "count", "service": "bedrock", "api": "count-tokens", "model_id": bodies.CLAUDE},
]
LOAD = {"users": [1], "settle_s": 0, "measure_s": 1}
#: USD of a call: a unit of each policy by the shipped prices (content and topics 0.00015, sensitive information 0.0001)
USD = {"guard": 0.0004, "checks": 0.0002, "count": 0.0}


@pytest.fixture(scope="module")
def served():
    with running_emulator(EMULATOR) as e:
        yield e


@pytest.fixture(scope="module")
def run(served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    scenario = folders.make_scenario(folder, served.url, TARGETS, LOAD, budget_usd=1)
    with one_locust(scenario, folder / "run", locustfile="bedrock.py") as process:
        assert process.wait() == 0, process.text
    command = [sys.executable, "-m", "analysis", "report", str(folder / "run"), "--out", str(folder / "report")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return folder


def test_check_tells_units_and_cost_of_each_and_asks_for_no_tokenizer(served, tmp_path):
    scenario = folders.make_scenario(tmp_path, served.url, TARGETS, LOAD)
    done = check(scenario)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert value(done.stdout, "completion tokens") == ["– (it has none)"] * 3
    units = ["contentPolicyUnits=1 sensitiveInformationPolicyUnits=1 topicPolicyUnits=1", "contentFilter=1"]
    assert value(done.stdout, "guardrail units") == units
    assert value(done.stdout, "cost of this call") == ["$0.0004", "$0.0002", "$0.00"]
    assert value(done.stdout, "prompt tokens")[2].endswith("(service)")
    assert "CountTokens is free of charge" in done.stdout and "tokenizer" not in done.stdout


def test_records_have_units_and_counts_and_no_output(run):
    rows = [row for row in folders.rows(run / "run") if row["phase"] == "measure"]
    by = {name: [row for row in rows if row["target"] == name] for name in USD}
    assert {name: {row["operation"] for row in found} for name, found in by.items()} == {
        "guard": {"ApplyGuardrail"}, "checks": {"InvokeGuardrailChecks"}, "count": {"CountTokens"},
    }  # fmt: skip
    assert {(row["error"], row["completion_tokens"], row["ttft_ms"]) for row in rows} == {(None, None, None)}
    stopped = [row["prompt_id"] for row in by["guard"] if row["stop_reason"] == "guardrail_intervened"]
    assert set(stopped) <= {"p7"} and {row["stop_reason"] for row in by["count"]} == {None}
    assert all(row["prompt_tokens"] > 0 and row["prompt_token_source"] == "service" for row in by["count"])


def test_the_report_prices_a_call_by_its_units_and_has_no_figures_by_output_tokens(run):
    with open(run / "report" / "steps.csv", newline="") as file:
        stages = {stage["target"]: stage for stage in csv.DictReader(file)}
    for name, usd in USD.items():
        stage = stages[name]
        assert float(stage["usd_per_transaction"]) == pytest.approx(usd)
        for none in ("completion_tokens_mean", "completion_tokens_per_s", "usd_per_1m_output_tokens", "ttft_p50_s"):
            assert stage[none] == "", none
    text = (run / "report" / "report.md").read_text().replace("`", "")
    assert "output-token count" not in "".join(stage["reasons"] + stage["cautions"] for stage in stages.values())
    assert (
        "Not all ask a model for an answer (guard apply-guardrail, checks guardrail-checks, count count-tokens)" in text
    )
