"""Conversations whose history a service of Responses keeps: what is sent, what is heard, and what an unknown id is told."""

import json
import urllib.error
import urllib.request

import pydantic
import pytest

from locustfiles.contract.scenario.sessions import Sessions
from tests.helpers import calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.spoken_sessions import conversation, history_is_exact, hold, sessions_of
from tests.load.test_session_checks import LOAD, TALK, told

pytestmark = pytest.mark.usefixtures("credentials")
KEPT = Sessions(history="kept")
LINE = {"id": "c", "system": "Be brief.", "turns": [{"user": f"Question {n} of four"} for n in range(1, 5)]}
PROMPT = conversation(*LINE["turns"], system=LINE["system"])
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    engine = {"kind": "timed", "ttft_ms": 2, "tokens_per_second": 2000, "seed": 1}
    config = {"engines": {"quick": engine}, "openai": {"gpt": {"engine": "quick", "tool_calls": 1}}}
    with running_emulator(config, truth=tmp_path_factory.mktemp("kept") / "truth.jsonl") as e:
        yield e


def sender_of(emulator, stream: bool, **parameters):
    route = {"service": "openai", "base_url": f"{emulator.url}/v1", "model_id": "gpt", "dialect": "openai-responses"}
    return calls.sender_for(emulator, route | {"stream": stream, "parameters": {"max_tokens": 8} | parameters})[0]


@pytest.mark.parametrize("stream", [True, False])
def test_only_the_new_turn_is_sent_and_all_that_was_said_is_heard(emulator, stream):
    sender = sender_of(emulator, stream)
    session, records = hold(sender, "t", PROMPT, KEPT)
    assert [(r.turn, r.error, r.session_ended) for r in records] == [(n, None, None) for n in range(1, 5)]
    truth = calls.truth_of(emulator, {r.request_id for r in records})
    # a system message, and of each turn one message more than of the one before, and its answer: 2 + 4 + 6 + 8
    assert history_is_exact(sessions_of(records), truth, [LINE]) == 20
    assert [r.prompt_tokens for r in records] == [truth[r.request_id]["prompt_tokens"] for r in records]
    assert max(r.request_bytes for r in records[1:]) - min(r.request_bytes for r in records[1:]) == 0
    sent_anew = hold(sender, "t", PROMPT, Sessions())[1]
    assert [r.prompt_tokens for r in sent_anew] == [r.prompt_tokens for r in records]
    assert sent_anew[-1].request_bytes > records[-1].request_bytes


def test_a_tools_result_follows_the_call_that_the_service_keeps(emulator):
    turns = (
        {"user": "How is it in Oslo?"},
        {"tool": {"name": "weather", "content": "12 degrees"}},
        {"user": "Thanks."},
    )
    sender = sender_of(emulator, True, tools=[TOOL], max_tokens=60)
    _, records = hold(sender, "t", conversation(*turns), KEPT)
    assert [(r.error, r.error_message, r.session_ended) for r in records] == [(None, None, None)] * 3


def posted(emulator, body: dict) -> dict:
    request = urllib.request.Request(
        f"{emulator.url}/v1/responses", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as e:
        return json.load(e) | {"status": e.code}


def test_an_id_that_is_not_kept_is_openais_error(emulator):
    unknown = posted(emulator, {"input": "Go on", "previous_response_id": "resp_none"})
    said = "Previous response with id 'resp_none' not found."
    told = {"type": "invalid_request_error", "param": "previous_response_id", "code": "previous_response_not_found"}
    assert unknown == {"status": 400, "error": {"message": said} | told}
    one = posted(emulator, {"input": "Hello", "max_output_tokens": 4, "store": False})
    assert (one["store"], posted(emulator, {"input": "Go on", "previous_response_id": one["id"]})["status"]) == (
        False,
        400,
    )
    one = posted(emulator, {"input": "Hello", "max_output_tokens": 4})
    then = posted(emulator, {"input": "Go on", "previous_response_id": one["id"], "max_output_tokens": 4})
    assert (then["previous_response_id"], then["store"]) == (one["id"], True)
    assert then["usage"]["input_tokens"] > one["usage"]["input_tokens"] + one["usage"]["output_tokens"]


def test_what_cannot_be_kept_is_told_before_anything_is_sent(tmp_path):
    load = LOAD | {"sessions": {"history": "kept"}}
    route = {
        "name": "r",
        "service": "openai",
        "base_url": "http://127.0.0.1:9/v1",
        "model_id": "m",
        "price": {"usd_per_hour": 1.0},
    }
    said = told(tmp_path, route, load, TALK)
    assert (
        "`history: kept` is for OpenAI's Responses alone; write `dialect: openai-responses`, or write `history: sent`"
        in said
    )
    responses = route | {"dialect": "openai-responses"}
    assert "remove `store: false`" in told(tmp_path, responses | {"parameters": {"store": False}}, load, TALK)
    assert told(tmp_path, responses, load, TALK) == ""
    with pytest.raises(pydantic.ValidationError, match="remove `answers: recorded`"):
        Sessions(history="kept", answers="recorded")
