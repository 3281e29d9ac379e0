"""First calls where answers end by themselves: up to three, the same in `check` and in a run, and all recorded."""

import re

import pytest

from locustfiles.common.planning.first_call import FIRST_CALLS
from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import one_locust
from tests.runs.test_check import check

ENGINE = {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 400}
MODELS = {
    "engines": {"brief": ENGINE | {"output": {"distribution": "uniform", "low": 2, "high": 50}}},
    "models": {"brief-model": {"engine": "brief", "family": "nova"}},
}
TARGET = folders.bedrock("brief-model", price={"input": 0.001, "output": 0.002}, parameters={"max_tokens": 100})
LOAD = {"users": [1], "settle_s": 0, "measure_s": 0.4}


@pytest.fixture(scope="module")
def brief():
    with running_emulator(MODELS) as emulator:
        yield emulator


def ahead(text: str) -> re.Match:
    found = re.search(
        r"about 1 min, \d+ requests and \$[\d.]+ with calls like the first \(answers of (\d+) to (\d+) tokens in 3 calls of "
        r"by-brief-model\); at most ",
        " ".join(text.split()),
    )
    assert found, text
    return found


def test_check_and_a_run_make_the_same_three_calls_and_tell_the_same_lengths(brief, tmp_path):
    scenario = folders.make_scenario(tmp_path, brief.url, [TARGET], LOAD)
    found = check(scenario)
    assert found.returncode == 0, found.stderr
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text
    first = [r for r in folders.rows(tmp_path / "run") if r.phase == "warmup"]
    lengths = [r.completion_tokens for r in first]
    assert len({r.prompt_id for r in first}) == len(first) == FIRST_CALLS
    assert {r.stage for r in first} == {0}
    told = ahead(found.stdout).groups()
    assert ahead(process.text).groups() == told == (str(min(lengths)), str(max(lengths)))


def test_a_small_budget_is_kept_for_the_measurement(brief, tmp_path):
    """Prompts of 31 and 32 characters are 8 tokens: a call costs $0.000012 at least, and a tenth of the budget is $0.000002."""
    scenario = folders.make_scenario(tmp_path, brief.url, [TARGET], LOAD, budget_usd=0.00002)
    before = brief.stats()["requests"]
    assert "calls of by-brief-model" not in check(scenario).stdout
    assert brief.stats()["requests"] - before == 1
