"""Requests that Bedrock refuses before a model sees them, in Bedrock's words and shape; and what it takes all the same."""

import pytest

from tests.helpers import raw_wire, shapes, tool_calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.tool_calls import MODELS, body_of

CLAUDE = MODELS["claude"]
TOOL = {"look": {"type": "object"}}
TOOL_CONFIG = body_of("converse", TOOL, None)["toolConfig"]


def _said(*turns: tuple[str, list | str]) -> list[dict]:
    return [{"role": role, "content": [{"text": c}] if isinstance(c, str) else c} for role, c in turns]


def _use(number: int) -> list[dict]:
    return [{"toolUse": {"toolUseId": f"t{number}", "name": "look", "input": {}}}]


def _result(*numbers: int) -> list[dict]:
    return [{"toolResult": {"toolUseId": f"t{n}", "content": [{"text": "sunny"}]}} for n in numbers]


def _image(form: str) -> list[dict]:
    return [{"image": {"format": form, "source": {"bytes": "aGk="}}}, {"text": "What is it?"}]


HELLO = _said(("user", "Hello"))
USED = _said(("user", "Weather?"), ("assistant", _use(1)))
CONVERSE = {
    "no message": ({"messages": []}, "A conversation must start with a user message"),
    "no messages at all": ({}, "A conversation must start with a user message"),
    "the assistant begins": ({"messages": _said(("assistant", "Hi"))}, "must start with a user message"),
    "two turns of one": ({"messages": [*HELLO, *HELLO]}, "must alternate between user and assistant roles"),
    "no text": ({"messages": _said(("user", ""))}, "The text field in the ContentBlock object at messages.0.content.0 is blank"),
    "spaces": ({"messages": [*HELLO, *_said(("assistant", " \n"))]}, "at messages.1.content.0 is blank"),
    "no content": ({"messages": _said(("user", []))}, "The content field in the Message object at messages.0 is empty"),
    "a block of nothing": ({"messages": _said(("user", [{}]))}, "must set one of the following keys: text, image"),
    "a block of two": ({"messages": _said(("user", [{"text": "a", "cachePoint": {"type": "default"}}]))}, "must set one of"),
    "a role of its own": ({"messages": [{"role": "tool", "content": [{"text": "a"}]}]}, "enum value set: [user, assistant"),
    "no role": ({"messages": [{"content": [{"text": "a"}]}]}, "Value null at 'messages.1.member.role'"),
    "a blank system": ({"messages": HELLO, "system": [{"text": ""}]}, "at 'system.1.member.text' failed to satisfy"),
    "a system of spaces": ({"messages": HELLO, "system": [{"text": "  "}]}, "at system.0 is blank"),
    "no tokens": ({"messages": HELLO, "inferenceConfig": {"maxTokens": 0}}, "must have value greater than or equal to 1"),
    "too many tokens": (  # of this model 4,096
        {"messages": HELLO, "inferenceConfig": {"maxTokens": 4097}}, "exceeds the model limit of 4096. Try again",
    ),
    "too hot": ({"messages": HELLO, "inferenceConfig": {"temperature": 1.1}}, "'inferenceConfig.temperature' failed"),
    "topP": ({"messages": HELLO, "inferenceConfig": {"topP": -0.1}}, "greater than or equal to 0"),
    "an empty stop": ({"messages": HELLO, "inferenceConfig": {"stopSequences": [""]}}, "stopSequences.1.member"),
    "a format": ({"messages": _said(("user", _image("bmp")))}, "enum value set: [png, jpeg, gif, webp]"),
    "no tools": ({"messages": HELLO, "toolConfig": {"tools": []}}, "'toolConfig.tools' failed to satisfy"),
    "a tool's name": (
        {"messages": HELLO, "toolConfig": body_of("converse", {"a b": {"type": "object"}}, None)["toolConfig"]},
        "regular expression pattern: [a-zA-Z0-9_-]+",
    ),
    "a tool left unanswered": ({"messages": USED, "toolConfig": TOOL_CONFIG}, "Expected toolResult blocks at messages.2.content"),
    "another tool answered": (
        {"messages": [*USED, *_said(("user", _result(2)))], "toolConfig": TOOL_CONFIG}, "for the following Ids: t1",
    ),
    "a result of no use": (
        {"messages": _said(("user", _result(1))), "toolConfig": TOOL_CONFIG}, "exceeds the number of toolUse blocks of previous",
    ),
    "one result too many": (
        {"messages": [*USED, *_said(("user", _result(1, 2)))], "toolConfig": TOOL_CONFIG}, "exceeds the number of toolUse",
    ),
    "tools without a toolConfig": ({"messages": [*USED, *_said(("user", _result(1)))]}, "The toolConfig field must be defined"),
}  # fmt: skip


@pytest.fixture(scope="module")
def url():
    with running_emulator(tool_calls.CONFIG) as e:
        yield e.url


def _refusal(url, operation, target, body) -> str:
    answer = raw_wire.send(url, operation, target, body)
    assert shapes.walk_error("bedrock", operation, answer) == "ValidationException"
    assert answer.status == 400
    return answer.json()["message"]


@pytest.mark.parametrize("why", CONVERSE)
def test_converse_refuses(url, why):
    body, words = CONVERSE[why]
    assert words in _refusal(url, "Converse", CLAUDE, body)
    assert words in _refusal(url, "ConverseStream", CLAUDE, body)


def test_all_that_the_description_rules_out_is_told_at_once(url):
    body = {"messages": HELLO, "inferenceConfig": {"maxTokens": 0, "topP": 2}}
    told = _refusal(url, "Converse", CLAUDE, body)
    assert told.startswith("2 validation errors detected: Value '0' at 'inferenceConfig.maxTokens'") and "topP" in told


def _claude(messages, **more) -> dict:
    return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": messages, **more}


ASK = [{"role": "user", "content": "Hello"}]
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]}
ANSWER = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "sunny"}]}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "aGk="}}
INVOKE = {
    "no message": (_claude([]), "messages: at least one message is required"),
    "the assistant begins": (_claude([{"role": "assistant", "content": "Hi"}]), 'first message must use the "user" role'),
    "no text": (_claude([{"role": "user", "content": ""}]), "messages.0: all messages must have non-empty content"),
    "an empty block": (_claude([{"role": "user", "content": [{"type": "text", "text": ""}]}]), "must be non-empty"),
    "spaces": (_claude([{"role": "user", "content": " "}]), "must contain non-whitespace text"),
    "a blank system": (_claude(ASK, system=""), "system: text content blocks must be non-empty"),
    "a space at the end": (_claude([*ASK, {"role": "assistant", "content": "So "}]), "cannot end with trailing whitespace"),
    "a tool left unanswered": (_claude([*ASK, CALL, *ASK]), "were found without `tool_result` blocks immediately after: t1"),
    "a result of no use": (_claude([ANSWER]), "unexpected `tool_use_id` found in `tool_result` blocks: t1"),
    "a format": (_claude([{"role": "user", "content": [IMAGE]}]), "media_type: Input should be 'image/jpeg'"),
    "no tokens": (_claude(ASK, max_tokens=0), "#/max_tokens: 0 is not greater or equal to 1"),
    "too many tokens": (_claude(ASK, max_tokens=4097), "max_tokens: 4097 > 4096, which is the maximum allowed"),
    "too hot": (_claude(ASK, temperature=1.5), "#/temperature: 1.5 is not less or equal to 1"),
    "a version": (_claude(ASK, anthropic_version="2026-10-21"), "#/anthropic_version: 2026-10-21 is not one of bedrock-2023"),
}  # fmt: skip


@pytest.mark.parametrize("why", INVOKE)
def test_claude_refuses_in_anthropics_words(url, why):
    body, words = INVOKE[why]
    assert words in _refusal(url, "InvokeModel", CLAUDE, body)


def test_nova_refuses_what_converse_refuses(url):
    for messages in (_said(("assistant", "Hi")), _said(("user", " ")), [*HELLO, *HELLO]):
        _refusal(url, "InvokeModel", MODELS["nova"], {"messages": messages})


def test_a_model_may_know_another_version_and_give_less(url):
    body = _claude(ASK, anthropic_version="2026-10-21", max_tokens=9)
    assert raw_wire.send(url, "InvokeModel", "new.claude", body).status == 200
    assert "max_tokens: 10 > 9" in _refusal(url, "InvokeModel", "new.claude", body | {"max_tokens": 10})


TAKEN = {
    "an answer to a tool": {"messages": [*USED, *_said(("user", _result(1)))], "toolConfig": TOOL_CONFIG},
    "an assistant's turn to go on with": {"messages": [*HELLO, *_said(("assistant", "So"))]},
    "a system turn in between": {"messages": [*HELLO, *_said(("assistant", "Hi"), ("system", "Be brief."), ("user", "?"))]},
    "an image": {"messages": _said(("user", _image("png")))},
    "a block of tomorrow": {"messages": _said(("user", [{"text": "a"}, {"hologram": {"format": "x"}}]))},
    "a key of tomorrow": {"messages": HELLO, "hologram": True},
    "settings at their ends": {"messages": HELLO, "inferenceConfig": {"maxTokens": 4096, "temperature": 1, "topP": 0}},
}  # fmt: skip


@pytest.mark.parametrize("what", TAKEN)
def test_converse_takes(url, what):
    body = TAKEN[what] | {"inferenceConfig": {"maxTokens": 4} | TAKEN[what].get("inferenceConfig", {})}
    assert raw_wire.send(url, "Converse", CLAUDE, body).status == 200


def test_claude_takes_tools_answered_and_two_turns_of_one(url):
    for messages in ([*ASK, CALL, ANSWER], [*ASK, *ASK], [*ASK, {"role": "assistant", "content": ""}]):
        answer = raw_wire.send(url, "InvokeModel", CLAUDE, _claude(messages))
        assert answer.status == 200, answer.body
