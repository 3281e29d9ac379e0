"""Conversations that cannot be held as the scenario says are named before anything is sent."""

import json

import pytest

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.contract.bad_input import BadInput
from tests.helpers import folders

SERVICES = ("bedrock", "sagemaker", "openai")
LOAD = {"users": [1], "measure_s": 1}
TALK = {"id": "c1", "turns": [{"user": "One"}, {"user": "Two"}]}
RESULT = {"name": "weather", "content": "12 degrees"}
TOOLS = {"parameters": {"max_tokens": 9, "tools": [{"type": "function", "function": {"name": "weather"}}]}}
CHAT = {"dialect": "openai-chat"}


def told(tmp_path, target: dict, load: dict, *lines: dict) -> str:
    """What is said of a scenario; empty if it is taken."""
    scenario = folders.make_scenario(tmp_path, "http://127.0.0.1:9", [target], load)
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        load_inputs(str(scenario), SERVICES)
    except BadInput as e:
        return str(e)
    return ""


RECORDED = LOAD | {"sessions": {"answers": "recorded"}}
PLACED = CHAT | {"prefix_aware_id": "{session}"}
#: what is wrong -> (target, load, lines, what is said)
WRONG = {
    "a dialect that takes text": (folders.sagemaker("e"), LOAD, [TALK], "is a conversation (`turns`), which tgi does not take; use one of converse, nova"),
    "rules without conversations": (folders.bedrock("quick-model"), LOAD | {"sessions": {}}, [{"prompt": "Hi"}], "`sessions` is for conversations, and no line of its payloads has `turns`; remove it"),
    "an id without a conversation": (folders.sagemaker("e", **PLACED), LOAD, [TALK, {"prompt": "Hi"}], "`prefix_aware_id` has {session}, and prompts: `2` is no conversation; write an id"),
    "a tool's result for Command R": (folders.bedrock("quick-model", api="invoke", dialect="cohere-command-r"), LOAD, [{"turns": [{"user": "Hi"}, {"tool": RESULT}]}], "turn 2 is the result of a tool, for which cohere-command-r has no form here; use one of converse"),
    "a result without a tool": (folders.sagemaker("e", **CHAT), LOAD, [{"turns": [{"user": "Hi"}, {"tool": RESULT}]}], "turn 2 is the result of a tool, and turn 1 offers none; add `tools`"),
    "no recorded answer": (folders.bedrock("quick-model"), RECORDED, [TALK], "turn 1 has no `assistant`, the recorded answer that `answers: recorded` needs; add it"),
    "no recorded call": (folders.sagemaker("e", **CHAT, **TOOLS), RECORDED, [{"turns": [{"user": "Hi"}, {"tool": RESULT}]}], "turn 2 has results without the `input` of their calls, which `answers: recorded` needs; add it"),
    "a later turn that the dialect cannot take": (folders.bedrock("quick-model", api="invoke", dialect="nova"), LOAD, [{"turns": [{"user": "Hi"}, {"user": [{"type": "text", "text": "a"}, {"cachePoint": {"type": "default"}}]}]}], "has a `cachePoint`, which nova does not take; remove it"),
    "several answers": (folders.sagemaker("e", **CHAT, parameters={"max_tokens": 9, "n": 2}), LOAD, [TALK], "a conversation goes on from one answer, and `n` asks for 2; remove it"),
    "a system prompt twice": (folders.bedrock("quick-model", system="Be brief."), LOAD, [TALK | {"system": "Be long."}], "has a system message and target `by-quick-model` a `system`; keep one"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_it_is_said_what_to_mend(tmp_path, what):
    target, load, lines, expected = WRONG[what]
    said = told(tmp_path, target, load, *lines)
    assert expected in said and "\n" not in said


def test_what_fits_is_taken(tmp_path):
    known = {"turns": [{"user": "Hi"}, {"tool": RESULT | {"input": {}}, "assistant": "Oh."}, {"user": "Well?"}]}
    good = [
        (folders.bedrock("quick-model"), LOAD, [TALK, {"prompt": "Hi"}]),
        (folders.bedrock("quick-model"), LOAD | {"sessions": {"think_s": 1}}, [TALK]),
        (folders.sagemaker("e", **PLACED), LOAD, [TALK]),
        (folders.sagemaker("e", **CHAT, **TOOLS), RECORDED, [known]),
        (folders.sagemaker("e", **CHAT), LOAD, [known | {"parameters": TOOLS["parameters"]}]),
    ]
    assert [told(tmp_path, *each[:2], *each[2]) for each in good] == [""] * len(good)


def test_a_trace_of_lengths_begins_no_conversations(tmp_path):
    (tmp_path / "t.csv").write_text("timestamp,prompt_tokens\n0,10\n1,20\n")
    said = told(
        tmp_path, folders.bedrock("quick-model"), {"replay": str(tmp_path / "t.csv")}, TALK | {"prompt_tokens": 3}
    )
    assert "has lengths, which are of single requests, and target `by-quick-model` has conversations; remove" in said
    (tmp_path / "t.csv").write_text("timestamp\n0\n1\n")
    assert told(tmp_path, folders.bedrock("quick-model"), {"replay": str(tmp_path / "t.csv")}, TALK) == ""
