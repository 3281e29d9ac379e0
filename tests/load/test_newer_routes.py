"""Responses, Anthropic's Messages and embeddings: what is sent, how it is signed, and how answers are read."""

import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.transport.aws_session import NoCredentials
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import OpenAITarget
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.calls import sender_for

PIXEL = "data:image/png;base64,iVBORw0KGgo="
IMAGE = {"type": "image_url", "image_url": {"url": PIXEL}}
TURNS = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": [{"type": "text", "text": "Hi."}]},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]},
]
FOUR = {"max_tokens": 64, "temperature": 0.5, "top_p": 0.9}


def target(dialect: str, **more) -> OpenAITarget:
    known = {"name": "t", "service": "openai", "base_url": "http://127.0.0.1:1/v1", "model_id": "m", "dialect": dialect}
    return OpenAITarget.model_validate(known | more)


def sent(to: OpenAITarget, prompt: Prompt) -> dict:
    return json.loads(build(to, prompt).body)


# --- what is sent ---


def test_responses_take_a_text_or_items_and_the_system_prompt_as_instructions():
    plain = target("openai-responses", parameters=FOUR | {"store": False}, stream=True)
    assert sent(plain, Prompt("p", "Hello", None)) == {
        "model": "m", "input": "Hello", "max_output_tokens": 64, "temperature": 0.5, "top_p": 0.9, "stream": True, "store": False,
    }  # fmt: skip
    told = sent(target("openai-responses", system="Be brief."), Prompt("p", None, TURNS))
    assert told["instructions"] == "Be brief." and "stream" not in told
    assert told["input"] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PIXEL}],
        },
    ]


def test_responses_have_no_stop_sequences():
    with pytest.raises(BadScenario, match="Responses have no `stop`; remove it from `parameters:`"):
        build(target("openai-responses", parameters={"stop": ["a"]}), Prompt("p", "Hello", None))


def test_messages_are_claudes_with_the_model_in_the_body():
    asked = target("anthropic-messages", parameters=FOUR | {"stop": ["a"]}, stream=True, system="Be brief.")
    body = build(asked, Prompt("p", "Hello", None))
    assert (body.operation, body.path, body.headers["anthropic-version"]) == ("Messages", "/messages", "2023-06-01")
    assert json.loads(body.body) == {
        "model": "m", "stream": True, "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}], "system": "Be brief.",
        "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["a"],
    }  # fmt: skip
    with pytest.raises(BadScenario, match="needs `max_tokens`"):
        build(target("anthropic-messages"), Prompt("p", "Hello", None))


def test_cache_points_become_marks_in_messages():
    mark = {"cachePoint": {"type": "default", "ttl": "1h"}}
    turns = [{"role": "user", "content": [{"type": "text", "text": "long"}, mark]}]
    [message] = sent(target("anthropic-messages", parameters={"max_tokens": 5}), Prompt("p", None, turns))["messages"]
    assert message["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_embeddings_take_the_text_alone():
    asked = target("openai-embeddings", parameters={"dimensions": 256})
    assert sent(asked, Prompt("p", "Hello", None)) == {"model": "m", "input": "Hello", "dimensions": 256}
    with pytest.raises(BadScenario, match="an embedding has no `max_tokens`"):
        build(target("openai-embeddings", parameters={"max_tokens": 5}), Prompt("p", "Hello", None))
    with pytest.raises(ValueError, match="embeddings do not stream; remove `stream:`"):
        target("openai-embeddings", stream=True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"auth": "sigv4", "api_key_env": "KEY"}, "takes AWS credentials and no key"),
        ({"signing_name": "bedrock"}, "`signing_name` is for `auth: sigv4`"),
        (
            {"auth": "sigv4", "base_url": "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/openai/v1"},
            "SageMaker's route takes no signed requests; write `auth: bearer`",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        target("openai-chat", **given)


# --- who asks ---


@pytest.mark.parametrize(
    ("host", "given", "name"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", None, "bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", None, "bedrock-mantle"),
        ("vpce-0123.example.com", "bedrock-mantle", "bedrock-mantle"),
    ],
)
def test_a_signed_route_has_botocores_own_signature(credentials, host, given, name):
    of = {"auth": "sigv4", "base_url": f"https://{host}/openai/v1", "model_id": "m", "service": "openai"}
    sender, _ = sender_for(_Nowhere, of | ({"signing_name": given} if given else {}))
    asked = sender.scenario.targets[0]
    for body in (b"{}", b'{"again":1}'):
        text = sender.session.request(asked, "/chat/completions", {"Content-Type": "application/json"}, body).decode()
        headers = dict(line.split(": ", 1) for line in text.split("\r\n\r\n")[0].split("\r\n")[1:])
        request = botocore.awsrequest.AWSRequest(
            "POST", f"https://{host}/openai/v1/chat/completions", {"Content-Type": "application/json"}, body
        )
        assert _signed(request, headers["X-Amz-Date"], name) == headers["Authorization"]
    assert f"/us-east-1/{name}/aws4_request" in headers["Authorization"]


class _Nowhere:
    url = "http://127.0.0.1:1"


def _signed(request, stamp: str, service: str) -> str:
    """botocore's own, of that moment."""
    key = botocore.credentials.Credentials(EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY)
    signer = botocore.auth.SigV4Auth(key, service, "us-east-1")
    request.context["timestamp"] = stamp
    request.headers["X-Amz-Date"] = stamp
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"


def test_credentials_that_cannot_be_had_for_a_short_term_key_are_told_at_once(tmp_path, monkeypatch):
    (tmp_path / "config").write_text("[profile p]\ncredential_process = /no/such/program\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "p")
    of = {"service": "openai", "base_url": "http://127.0.0.1:1/openai/v1", "model_id": "m", "auth": "bearer"}
    with pytest.raises(NoCredentials, match="AWS credentials: cannot be used"):
        sender_for(_Nowhere, of)


def test_a_key_of_anthropics_has_a_header_of_its_own(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-recognisable")
    sender, _ = sender_for(
        _Nowhere, {"service": "openai", "base_url": "http://h/v1", "model_id": "m", "dialect": "anthropic-messages"}
    )
    text = sender.session.request(sender.scenario.targets[0], "/messages", {}, b"{}").decode()
    assert "x-api-key: sk-recognisable\r\n" in text and "Authorization" not in text


# --- answers, event by event ---


def read(dialect: str, events: list[dict], stream: bool = True, ended: bool = True):
    body = build(target(dialect, stream=stream, parameters={"max_tokens": 9}), Prompt("p", "Hello", None))
    if not stream:
        return parse_answer(body, 200, {}, [(1.0, json.dumps(events[0]).encode())], ended)
    chunks = [(float(n), f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode()) for n, e in enumerate(events)]
    return parse_answer(body, 200, {}, chunks, ended)


USAGE = {
    "input_tokens": 100, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 109,
}  # fmt: skip
DONE = {
    "type": "response.completed",
    "response": {"id": "resp_1", "status": "completed", "output": [], "usage": USAGE, "service_tier": "default"},
}


def test_responses_are_read_as_they_come():
    events = [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_item.added", "item": {"type": "reasoning", "id": "rs_1"}},
        {"type": "response.reasoning_summary_text.delta", "delta": "Hm"},
        {"type": "response.output_item.added", "item": {"type": "message", "id": "msg_1"}},
        {"type": "response.output_text.delta", "delta": "Yes"},
        {"type": "response.output_text.delta", "delta": "."},
        {"type": "response.output_text.done", "text": "Yes."},
        DONE,
    ]
    found = read("openai-responses", events)
    assert (found.error, found.text, found.request_id, found.stop_reason) == (None, "Yes.", "resp_1", "completed")
    assert (found.first_output, found.first_visible, found.last_output, found.output_chunks) == (2.0, 4.0, 5.0, 3)
    counts = (found.prompt_tokens, found.cache_read_tokens, found.completion_tokens, found.reasoning_tokens)
    assert counts == (36, 64, 9, 4)


def test_a_response_that_was_cut_off_or_failed_says_so():
    text = {"type": "response.output_text.delta", "delta": "Yes"}
    short = {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "usage": USAGE,
        "output": [],
    }
    found = read("openai-responses", [text, {"type": "response.incomplete", "response": short}])
    assert (found.error, found.stop_reason) == (None, "max_output_tokens")
    why = {"code": "rate_limit_exceeded", "message": "Slow down."}
    found = read(
        "openai-responses", [text, {"type": "response.failed", "response": {"status": "failed", "error": why}}]
    )
    assert (found.error, found.error_code, found.error_message) == ("throttled", "rate_limit_exceeded", "Slow down.")
    found = read("openai-responses", [text, {"type": "error", "code": "server_error", "message": "Oh."}])
    assert (found.error_code, found.error_message) == ("server_error", "Oh.")
    found = read("openai-responses", [text])
    assert found.error == "stream_broken" and "response.completed" in found.error_message


def test_a_response_of_a_call_alone_is_no_empty_one():
    events = [
        {"type": "response.output_item.added", "item": {"type": "function_call", "name": "f"}},
        {"type": "response.function_call_arguments.delta", "delta": "{}"},
        DONE,
    ]
    found = read("openai-responses", events)
    assert (found.error, found.output_chunks, found.first_visible, found.text) == (None, 1, None, "")


def test_a_server_that_sends_its_answer_with_the_last_event_alone_has_no_times():
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Yes."}]}]
    found = read("openai-responses", [{**DONE, "response": DONE["response"] | {"output": output}}])
    assert (found.error, found.text, found.first_output, found.completion_tokens) == (None, "Yes.", None, 9)


@pytest.mark.parametrize("stream", [True, False], ids=["ignored stream: true", "whole"])
def test_whole_answers(stream):
    output = [
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Yes."}]},
    ]
    body = build(target("openai-responses", stream=stream), Prompt("p", "Hello", None))
    answer = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "error": None,
        "output": output,
        "usage": USAGE,
    }
    found = parse_answer(body, 200, {}, [(1.0, json.dumps(answer).encode())], True)
    assert (found.error, found.text, found.completion_tokens, found.first_output) == (None, "Yes.", 9, None)
    body = build(target("anthropic-messages", stream=stream, parameters={"max_tokens": 9}), Prompt("p", "Hello", None))
    usage = {"input_tokens": 36, "cache_read_input_tokens": 64, "output_tokens": 9}
    answer = {
        "type": "message",
        "content": [{"type": "text", "text": "Yes."}],
        "stop_reason": "end_turn",
        "usage": usage,
    }
    found = parse_answer(body, 200, {"request-id": "req_1"}, [(1.0, json.dumps(answer).encode())], True)
    assert (found.error, found.text, found.prompt_tokens, found.cache_read_tokens) == (None, "Yes.", 36, 64)
    assert (found.request_id, found.stop_reason) == ("req_1", "end_turn")


@pytest.mark.parametrize(("status", "error"), [(429, "throttled"), (529, "unavailable")])
def test_anthropics_errors_have_their_classes(status, error):
    body = build(target("anthropic-messages", parameters={"max_tokens": 9}), Prompt("p", "Hello", None))
    kind = {429: "rate_limit_error", 529: "overloaded_error"}[status]
    data = json.dumps({"type": "error", "error": {"type": kind, "message": "Slow down."}}).encode()
    found = parse_answer(body, status, {}, [(1.0, data)], True)
    assert (found.error, found.error_code, found.error_message) == (error, kind, "Slow down.")


def test_a_vector_may_come_as_text():
    body = build(target("openai-embeddings"), Prompt("p", "Hello", None))
    answer = {"object": "list", "data": [{"embedding": "AACAPw=="}], "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    found = parse_answer(body, 200, {}, [(1.0, json.dumps(answer).encode())], True)
    assert (found.error, found.prompt_tokens, found.completion_tokens) == (None, 7, 0)
    found = parse_answer(body, 200, {}, [(1.0, b'{"data": [{"embedding": []}]}')], True)
    assert (found.error, found.error_message) == ("bad_response", "no vector in the answer")
