"""`check` has prompts counted by Bedrock before it spends anything, says what it could not count, and which lines are dearer."""

import json

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.runs.test_check import check

CLAUDE, OLD = "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"
EMULATOR = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 200, "seed": 3}},
    "models": {
        CLAUDE: {"engine": "quick", "family": "claude"},
        OLD: {"engine": "quick", "family": "claude", "counts_tokens": False},
        f"us.{OLD}": {"engine": "quick", "family": "claude"},
    },
}
LOAD = {"users": [1], "settle_s": 1, "measure_s": 2}
PRICE = {"input": 0.001, "output": 0.005, "steps": [{"above": 2000, "input": 0.005, "output": 0.02}]}


@pytest.fixture(scope="module")
def served():
    with running_emulator(EMULATOR) as e:
        yield e


def scenario(folder, served, *targets: dict):
    """10 lines, of 1,000 characters, 250 tokens, or 12,000, 3,000 tokens, each with a few of what stands around it."""
    made = folders.make_scenario(folder, served.url, list(targets), LOAD, pricing=None)
    texts = [("abc " * 3000 if n in (3, 7) else "abc " * 250)[:-1] for n in range(10)]
    (folder / "prompts.jsonl").write_text(
        "".join(json.dumps({"id": str(n), "prompt": t}) + "\n" for n, t in enumerate(texts))
    )
    return made


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_prompts_are_counted_and_lines_above_a_step_are_said(served, tmp_path, api):
    before = served.stats()["requests"]
    target = folders.bedrock(f"us.{CLAUDE}", name="t", api=api, price=PRICE)
    run = check(scenario(tmp_path, served, target))
    # 999 and 11,999 characters; 250 x 0.001 and 3,000 x 0.005 a thousand
    assert run.returncode == 0, run.stderr
    assert "Counted: t, prompts: all 10 lines, 250 to 3,000 prompt tokens, $0.00025 to $0.015 each" in flat(run.stdout)
    dearer = "2 of 10 lines of prompts.jsonl have more than 2,000 prompt tokens: the whole prompt costs 5 times and the answer 4"
    assert dearer in flat(run.stdout)
    # two different prompts, the longer one perhaps twice, for both of its lines are asked for at once; and the first call
    assert served.stats()["requests"] - before in (3, 4)


def test_a_model_that_does_not_count_is_said_once_and_the_estimate_goes_by_the_first_call(served, tmp_path):
    run = check(scenario(tmp_path, served, folders.bedrock(OLD, name="t", price=PRICE)))
    assert run.returncode == 0, run.stderr
    text = flat(run.stdout)
    assert text.count("Not counted: t, prompts: ValidationException: The provided model doesn't support counting") == 1
    assert "about 2 of 10 lines of prompts.jsonl have more than 2,000 prompt tokens" in text and "Ahead: about" in text


def test_a_model_that_counts_by_its_profile_alone_is_asked_by_that(served, tmp_path):
    before = served.stats()["requests"]
    run = check(scenario(tmp_path, served, folders.bedrock(f"us.{OLD}", name="t", price=PRICE)))
    assert run.returncode == 0, run.stderr
    assert "Counted: t, prompts: all 10 lines, 250 to 3,000 prompt tokens" in flat(run.stdout)
    # refused once by the model's own id; then the two prompts, of which both may be asked for twice, and the first call
    assert served.stats()["requests"] - before in (4, 5)


def test_without_calls_nothing_is_counted(served, tmp_path):
    before = served.stats()["requests"]
    run = check(scenario(tmp_path, served, folders.bedrock(CLAUDE, name="t", price=PRICE)), "--no-call")
    assert run.returncode == 0 and "ounted:" not in run.stdout
    assert "about 2 of 10 lines" in flat(run.stdout)  # by their characters
    assert served.stats()["requests"] == before


def test_of_conversations_the_first_turns_are_counted(served, tmp_path):
    made = scenario(tmp_path, served, folders.bedrock(CLAUDE, name="t", price={"input": 0.001, "output": 0.005}))
    turns = [{"user": "abc " * 250}, {"user": "And then?"}]
    (tmp_path / "prompts.jsonl").write_text(json.dumps({"turns": turns}) + "\n" + json.dumps({"prompt": "abc " * 500}))
    run = check(made)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "prompts: all 2 lines, 250 to 500 prompt tokens (of conversations the first turn), $0.00025 to" in flat(
        run.stdout
    )
