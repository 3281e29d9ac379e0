"""Tools that a request demands are called, with an input that follows their schema, whole and in pieces, on every surface."""

import json

import jsonschema
import pytest

from tests.helpers import openai_wire, raw_wire, shapes, tool_calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.openai_wire import CHAT
from tests.helpers.tool_calls import SURFACES, ask, body_of

BOOKING = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 3, "maxLength": 20},
        "nights": {"type": "integer", "minimum": 1, "maximum": 14},
        "price": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
        "room": {"enum": ["single", "double"]},
        "kind": {"const": "booking"},
        "breakfast": {"type": "boolean"},
        "guests": {"type": "array", "items": {"$ref": "#/$defs/Guest"}, "minItems": 2},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["city", "nights", "price", "room", "kind", "breakfast", "guests"],
    "additionalProperties": False,
    "$defs": {
        "Guest": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "born": {"type": "string", "format": "date"}},
            "required": ["name", "born"],
        }
    },
}
SMALL = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TOOLS = {"look": SMALL, "book": BOOKING}
STOPS = {"openai": "tool_calls", "openai-stream": "tool_calls", "gpt-oss": "tool_calls"}


@pytest.fixture(scope="module")
def url():
    with running_emulator(tool_calls.CONFIG) as e:
        yield e.url


@pytest.mark.parametrize("surface", SURFACES)
def test_a_named_tool_is_called_with_what_its_schema_asks_for(url, surface):
    told = ask(url, surface, TOOLS, "book")
    [(name, given)] = told.calls
    jsonschema.Draft202012Validator(BOOKING).validate(given)
    assert (name, told.stop) == ("book", STOPS.get(surface, "tool_use"))
    assert 10 < told.output_tokens <= 400
    thought = 2 if "thinking" in surface else 0
    assert told.deltas in (None, told.output_tokens - thought)  # a token a piece


@pytest.mark.parametrize("surface", SURFACES)
def test_any_tool_is_the_first_and_auto_is_none(url, surface):
    assert [name for name, _ in ask(url, surface, TOOLS, "any").calls] == ["look"]
    told = ask(url, surface, TOOLS, None, limit=5)
    assert told.calls == [] and told.output_tokens == 5 and told.stop in ("max_tokens", "length")


@pytest.mark.parametrize("surface", ["converse-stream", "claude", "openai", "openai-stream", "nova-stream"])
def test_a_small_limit_makes_long_tokens_and_no_half_calls(url, surface):
    told = ask(url, surface, TOOLS, "book", limit=4)
    jsonschema.Draft202012Validator(BOOKING).validate(told.calls[0][1])
    assert told.output_tokens == 4 and told.deltas in (None, 4)


def test_an_input_of_any_form_is_a_text_as_long_as_any_answer(url):
    for surface in ("converse", "converse-stream", "claude-stream", "nova", "openai"):
        told = ask(url, surface, {"free": {"type": "object"}}, "free", limit=7)
        [(_, given)] = told.calls
        assert len(given["text"].split()) == told.output_tokens == 7


@pytest.mark.parametrize(("target", "dialect", "operation"), [
    ("two.claude", "converse", "Converse"), ("two.claude", "converse", "ConverseStream"),
    ("two.claude", "claude", "InvokeModel"), ("two.claude", "claude", "InvokeModelWithResponseStream"),
    ("two", "openai", CHAT), ("two", "openai-stream", CHAT),
])  # fmt: skip
def test_a_target_may_call_two_tools_at_once_even_where_it_is_free_to(url, target, dialect, operation):
    for demand in (None, "any"):
        body = body_of(dialect, TOOLS, demand)
        told = tool_calls.called(dialect, _send(url, operation, target, body))
        assert [name for name, _ in told.calls] == ["look", "book"]
        for name, given in told.calls:
            jsonschema.Draft202012Validator(TOOLS[name]).validate(given)
        assert told.deltas in (None, told.output_tokens)


def _send(url, operation, target, body):
    if operation == CHAT:
        return openai_wire.ask(url, CHAT, {"model": target, **body})
    return raw_wire.send(url, operation, target, body)


def test_a_family_that_takes_no_choice_calls_what_is_offered(url):
    body = body_of("converse", TOOLS, None)
    del body["toolConfig"]["toolChoice"]
    told = tool_calls.called("converse", raw_wire.send(url, "Converse", "mistral.mistral-7b-instruct-v0:2", body))
    assert [name for name, _ in told.calls] == ["look"]
    assert tool_calls.called("converse", raw_wire.send(url, "Converse", tool_calls.GPT, body)).calls == []


def test_one_tool_at_a_time_where_the_request_says_so(url):
    body = {"model": "two", **body_of("openai", TOOLS, "any"), "parallel_tool_calls": False}
    assert len(tool_calls.called("openai", openai_wire.ask(url, CHAT, body)).calls) == 1
    body = body_of("claude", TOOLS, "any")
    body["tool_choice"]["disable_parallel_tool_use"] = True
    assert len(tool_calls.called("claude", raw_wire.send(url, "InvokeModel", "two.claude", body)).calls) == 1


def test_a_tool_that_was_called_comes_after_those_that_were_not(url):
    body = {"model": "sim", **body_of("openai", TOOLS, "any")}
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"n": 1}'}}
    body["messages"] += [{"role": "assistant", "content": None, "tool_calls": [call]}]
    body["messages"] += [{"role": "tool", "tool_call_id": "c1", "content": "sunny"}]
    assert tool_calls.called("openai", openai_wire.ask(url, CHAT, body)).calls[0][0] == "book"


CHOICES = {
    "required": ["look"],
    "any": ["look"],
    "auto": [],
    "none": [],
    "a function": ["book"],
    "some of them": ["book"],
}


@pytest.mark.parametrize("choice", CHOICES)
def test_openais_tool_choice_has_many_forms(url, choice):
    function = {"type": "function", "function": {"name": "book"}}
    some = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function]}}
    form = {"a function": function, "some of them": some}.get(choice, choice)
    body = {"model": "sim", **body_of("openai", TOOLS, None, limit=60), "tool_choice": form}
    told = tool_calls.called("openai", openai_wire.ask(url, CHAT, body))
    assert [name for name, _ in told.calls] == CHOICES[choice]


def test_tools_count_as_part_of_the_prompt_and_every_event_is_as_botocore_describes_it(url):
    for operation in ("Converse", "ConverseStream"):
        answer = raw_wire.send(url, operation, "two.claude", body_of("converse", TOOLS, "any"))
        shapes.walk_answer("bedrock", operation, answer)
    plain = raw_wire.send(url, "Converse", "two.claude", {"messages": body_of("converse", TOOLS, None)["messages"]})
    told = raw_wire.send(url, "Converse", "two.claude", body_of("converse", TOOLS, "book"))
    config = body_of("converse", TOOLS, None)["toolConfig"]["tools"]
    more = told.json()["usage"]["inputTokens"] - plain.json()["usage"]["inputTokens"]
    # four characters are a token; the line break between tools and text is one of them
    characters = len(json.dumps(config, separators=(",", ":"))) + 1
    assert more == -(-(characters + 5) // 4) - 2  # `Hello` alone is two tokens


NOT_DEMANDED = {
    "a tool that is not there": body_of("openai", TOOLS, "fly"),
    "tools without a function": {**body_of("openai", {}, None), "tools": [{"name": "look"}]},
    "required of none": {**body_of("openai", {}, "any")},
    "a schema that nothing follows": body_of("openai", {"x": {"type": "object", "properties": {"a": False}, "required": ["a"]}}, "x"),
}  # fmt: skip


@pytest.mark.parametrize("why", NOT_DEMANDED)
def test_a_demand_that_cannot_be_met_is_refused(url, why):
    answer = openai_wire.ask(url, CHAT, {"model": "sim", **NOT_DEMANDED[why]})
    assert openai_wire.error(answer) == (400, "invalid_request_error", None)


def test_bedrock_refuses_a_tool_whose_input_is_no_object(url):
    for dialect, operation in (("converse", "Converse"), ("nova", "InvokeModel")):
        answer = raw_wire.send(
            url, operation, tool_calls.MODELS["nova"], body_of(dialect, {"x": {"type": "string"}}, "x")
        )
        assert shapes.walk_error("bedrock", operation, answer) == "ValidationException"
        assert "must be one of the following: object" in answer.json()["message"]
