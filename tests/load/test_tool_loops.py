"""Tool loops: a model's calls get their recorded results with its own ids, in each dialect's words and by both transports."""

import json

import pytest

from locustfiles.contract.scenario.sessions import Sessions
from scripts.emulator.truth import digest
from tests.helpers import calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.spoken_sessions import conversation, hold, next_body

pytestmark = pytest.mark.usefixtures("credentials")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CONFIG = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 2, "tokens_per_second": 2000, "seed": 1}},
    "models": {
        "one.claude": {"engine": "quick", "family": "claude", "tool_calls": 1},
        "one.nova": {"engine": "quick", "family": "nova", "tool_calls": 1},
        "two.claude": {"engine": "quick", "family": "claude", "tool_calls": 2},
        "none.claude": {"engine": "quick", "family": "claude"},
        "one.mistral": {"engine": "quick", "family": "mistral-chat", "tool_calls": 1},
        "one.oss": {"engine": "quick", "family": "openai-chat", "tool_calls": 1, "reasoning_tokens": 2},
        "thinking.claude": {"engine": "quick", "family": "claude", "tool_calls": 1, "reasoning_tokens": 3},
    },
    "endpoints": {"one": {"engine": "quick", "dialect": "openai-chat", "tool_calls": 1}},
    "openai": {
        "one": {"engine": "quick", "tool_calls": 1},
        "thinking": {"engine": "quick", "tool_calls": 1, "reasoning_tokens": 3},
    },
}
RESULT = {"name": "weather", "content": "12 degrees"}
CALLED = RESULT | {"input": {"city": "Oslo"}}
LOOP = conversation({"user": "What is the weather?"}, {"tool": RESULT}, {"user": "And tomorrow?"})


def converse_tools(*names: str) -> dict:
    return {"toolConfig": {"tools": [{"toolSpec": {"name": n, "inputSchema": {"json": SCHEMA}}} for n in names]}}


def with_tools(target: dict, *names: str) -> dict:
    """A target that offers tools in its API's words."""
    names = names or ("weather",)
    dialect = target.get("dialect", "converse") if target.get("api") != "converse" else "converse"
    if dialect in ("converse", "nova"):
        tools = converse_tools(*names)
    elif dialect in ("claude", "anthropic-messages"):
        tools = {"tools": [{"name": n, "input_schema": SCHEMA} for n in names]}
    elif dialect == "openai-responses":
        tools = {"tools": [{"type": "function", "name": n, "parameters": SCHEMA} for n in names]}
    else:
        tools = {"tools": [{"type": "function", "function": {"name": n, "parameters": SCHEMA}} for n in names]}
    return target | {"parameters": {"max_tokens": 30} | tools}


AWS = {
    "converse": calls.converse("one.claude"),
    "converse, thinking": calls.converse("thinking.claude"),
    "nova": calls.invoke("one.nova", "nova"),
    "claude": calls.invoke("one.claude", "claude"),
    "claude, thinking": calls.invoke("thinking.claude", "claude"),
    "mistral-chat": calls.invoke("one.mistral", "mistral-chat"),
    "gpt-oss": calls.invoke("one.oss", "openai-chat"),
    "container": calls.tgi("one", dialect="openai-chat"),
}
ROUTES = ("openai-chat", "openai-responses", "anthropic-messages")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("tools") / "truth.jsonl") as e:
        yield e


def route(url: str, dialect: str, model: str = "one") -> dict:
    return {"service": "openai", "base_url": f"{url}/v1", "model_id": model, "dialect": dialect}


def sender_of(emulator, target: dict, transport: str = "fast"):
    scenario = calls.SCENARIO | {
        "targets": [{"name": "t"} | target],
        "endpoint_url": emulator.url,
        "transport": transport,
    }
    return calls.Sender(calls.Scenario.model_validate(scenario), calls.Clock(), lambda record: None)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("surface", [*AWS, *ROUTES])
def test_a_tool_loop_ends_well_in_every_dialect(emulator, surface, stream):
    """Question, call; result, text; question, text: messages 1, 3 and 5, the result the third. Converse and Claude refuse a result
    whose id is not that of the call."""
    target = with_tools(AWS.get(surface) or route(emulator.url, surface)) | {"stream": stream}
    session, records = hold(sender_of(emulator, target), "t", LOOP, Sessions())
    assert [(r.turn, r.error_message) for r in records] == [(1, None), (2, None), (3, None)]
    truth = calls.truth_of(emulator, {r.request_id for r in records})
    heard = [truth[r.request_id]["heard"] for r in records]
    assert list(map(len, heard)) == [1, 3, 5]
    assert heard[2][: len(heard[1])] == heard[1] and heard[1][:1] == heard[0]
    assert heard[1][-1] in (digest("user", "12 degrees"), digest("tool", "12 degrees"))
    assert truth[records[0].request_id]["said"] is None and truth[records[1].request_id]["said"] == heard[2][-2]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("surface", AWS)
def test_both_transports_send_a_call_back_alike(emulator, surface, stream):
    sent = []
    for transport in ("fast", "boto3"):
        sender = sender_of(emulator, with_tools(AWS[surface]) | {"stream": stream}, transport)
        session, records = hold(sender, "t", LOOP, Sessions(), 1)
        own = records[0].request_id.replace("-", "")
        text = json.dumps(next_body(session)["messages"])
        sent.append(text.replace(own[:22], "ID").replace(own[:20], "ID"))
    assert sent[0] == sent[1] and "ID" in sent[0] and "12 degrees" in sent[0]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_thinking_goes_back_with_its_signature_where_a_tool_was_called(emulator, stream):
    for target, thought in (
        (calls.converse("thinking.claude"), "reasoningContent"),
        (calls.invoke("thinking.claude", "claude"), "thinking"),
    ):
        session, _ = hold(sender_of(emulator, with_tools(target) | {"stream": stream}), "t", LOOP, Sessions(), 1)
        question, answer, result = next_body(session)["messages"]
        first, call = answer["content"]
        told = first["reasoningContent"]["reasoningText"] if thought == "reasoningContent" else first
        assert told["signature"] == "c2lnbmF0dXJl" and (told.get("text") or told.get("thinking")).count(" ") >= 2
        own = call.get("toolUse") or call
        assert own["name"] == "weather" and own["input"].keys() == {"city"}


@pytest.mark.parametrize("store", [None, False])
def test_responses_get_their_reasoning_back_where_they_keep_it(emulator, store):
    target = with_tools(route(emulator.url, "openai-responses", "thinking"))
    if store is False:
        target["parameters"] |= {"store": False}
    session, _ = hold(sender_of(emulator, target), "t", LOOP, Sessions(), 1)
    kinds = [item.get("type", item.get("role")) for item in next_body(session)["input"]]
    assert kinds == ["user", *([] if store is False else ["reasoning"]), "function_call", "function_call_output"]


def test_each_of_several_calls_gets_its_result_and_the_last_one_again_beyond_them(emulator):
    """Two calls at once, of both tools; then of one tool twice, with one result."""
    target = with_tools(calls.converse("two.claude"), "weather", "clock")
    prompt = conversation(
        {"user": "Well?"}, {"tool": [{"name": "clock", "content": "noon"}, RESULT, RESULT]}, {"user": "Oh."}
    )
    session, _ = hold(sender_of(emulator, target), "t", prompt, Sessions(), 1)
    called, given = next_body(session)["messages"][1:]
    ids = {b["toolUse"]["toolUseId"]: b["toolUse"]["name"] for b in called["content"]}
    results = {ids[b["toolResult"]["toolUseId"]]: b["toolResult"]["content"][0]["text"] for b in given["content"]}
    assert results == {"weather": "12 degrees", "clock": "noon"} and len(given["content"]) == 2
    session, _ = hold(sender_of(emulator, with_tools(calls.converse("two.claude"))), "t", LOOP, Sessions(), 1)
    given = next_body(session)["messages"][2]["content"]
    assert [b["toolResult"]["content"] for b in given] == [[{"text": "12 degrees"}]] * 2
    assert len({b["toolResult"]["toolUseId"] for b in given}) == 2


def test_a_call_that_nothing_answers_ends_the_session(emulator):
    other = conversation({"user": "Well?"}, {"tool": {"name": "clock", "content": "noon"}}, {"user": "Oh."})
    spoken = conversation({"user": "Well?"}, {"user": "Oh."})
    for prompt in (other, spoken):
        session, records = hold(sender_of(emulator, with_tools(calls.converse("one.claude"))), "t", prompt, Sessions())
        assert session.ended and [(r.turn, r.error, r.session_ended) for r in records] == [(1, None, "no_result")]


def test_where_the_model_calls_nothing_the_recorded_call_is_history_or_the_session_ends(emulator):
    sender = sender_of(emulator, with_tools(calls.converse("none.claude")))
    known = conversation({"user": "Well?", "assistant": "I look."}, {"tool": CALLED}, {"user": "Oh."})
    session, records = hold(sender, "t", known, Sessions())
    assert [(r.turn, r.error_message, r.session_ended) for r in records] == [(n, None, None) for n in (1, 2, 3)]
    session, _ = hold(sender, "t", known, Sessions(), 1)
    used = {"toolUse": {"toolUseId": "call00001", "name": "weather", "input": {"city": "Oslo"}}}
    given = {"toolResult": {"toolUseId": "call00001", "content": [{"text": "12 degrees"}]}}
    assert next_body(session)["messages"][1:] == [
        {"role": "assistant", "content": [{"text": "I look."}, used]},
        {"role": "user", "content": [given]},
    ]
    session, records = hold(sender, "t", LOOP, Sessions())
    assert session.ended and [r.session_ended for r in records] == ["no_call"]


@pytest.mark.parametrize("surface", [*AWS, *ROUTES])
def test_recorded_calls_are_written_in_every_dialects_words(emulator, surface):
    """The endpoint takes them: it refuses results without their calls."""
    target = with_tools(AWS.get(surface) or route(emulator.url, surface))
    prompt = conversation({"user": "Well?"}, {"tool": [CALLED, CALLED], "assistant": "Twelve."}, {"user": "Oh."})
    session, records = hold(sender_of(emulator, target), "t", prompt, Sessions(answers="recorded"))
    assert [(r.turn, r.error_message) for r in records] == [(1, None), (2, None), (3, None)]
    assert session.ended
