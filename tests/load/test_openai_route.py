"""OpenAI's routes over plain HTTP, against llama.cpp's own server."""

import pytest
import tokenizers

from locustfiles.common.clock import Clock
from locustfiles.common.payloads import Prompt
from locustfiles.common.scenario import Scenario
from locustfiles.common.sender import Sender, Visit
from scripts.smollm2_tokenizer import load_tokenizer
from tests.llama_server import running_llama_server

TEXT = "List three rivers of Europe."


@pytest.fixture(scope="module")
def url():
    with running_llama_server() as base_url:
        yield base_url


def ask(url: str, monkeypatch, prompt: Prompt = Prompt("p1", TEXT, None), **target):
    """The record of one call; no AWS credentials are there, and none are needed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    known = {"name": "t", "service": "openai", "base_url": url, "model_id": "smollm2", "parameters": {"max_tokens": 12}}
    scenario = {"name": "s", "region": "us-east-1", "payloads": ["p"], "load": {"users": [1], "measure_s": 1}, "pricing": "b"}
    sender = Sender(Scenario.model_validate(scenario | {"targets": [known | target]}), Clock(), lambda record: None)
    return sender.call(1, sender.scenario.targets[0], prompt, Visit(1, "t", "p", 1), "measure")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("dialect", "operation"), [("openai-chat", "ChatCompletions"), ("openai-completions", "Completions")])
def test_a_call_is_recorded_with_the_servers_own_token_counts(url, monkeypatch, stream, dialect, operation):
    record = ask(url, monkeypatch, stream=stream, dialect=dialect)
    assert (record.error, record.operation, record.service, record.http_status) == (None, operation, "openai", 200)
    assert (record.token_source, record.prompt_token_source) == ("service", "service")
    assert 1 <= record.completion_tokens <= 12
    # the chat template adds tokens to the text's own; plain completions have none
    tokenizer: tokenizers.Tokenizer = load_tokenizer()
    own = len(tokenizer.encode(TEXT).ids)
    assert record.prompt_tokens == own if dialect == "openai-completions" else record.prompt_tokens > own
    if stream:
        assert 0 < record.ttft_ms <= record.last_token_ms <= record.latency_ms
        assert 2 <= record.chunks <= record.completion_tokens + 1
    else:
        assert record.ttft_ms is None


def test_messages_go_to_the_chat_route_as_they_are(url, monkeypatch):
    messages = [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "What colour is snow?"}]
    record = ask(url, monkeypatch, Prompt("m", None, messages), stream=True)
    assert (record.error, record.token_source) == (None, "service")


def test_a_wrong_path_is_the_clients_error_and_a_closed_port_a_connect_error(url, monkeypatch):
    assert ask(url + "/nowhere", monkeypatch).error == "client"
    assert ask("http://127.0.0.1:9/v1", monkeypatch).error == "connect"


def test_the_key_travels_as_a_bearer_token_from_the_variable_that_the_target_names(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-recognisable")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    target = {"name": "t", "service": "openai", "base_url": "http://h/v1", "model_id": "m", "api_key_env": "MY_KEY"}
    scenario = {"name": "s", "region": "us-east-1", "payloads": ["p"], "load": {"users": [1], "measure_s": 1}, "pricing": "b"}
    sender = Sender(Scenario.model_validate(scenario | {"targets": [target]}), Clock(), lambda record: None)
    request = sender.session.request(sender.scenario.targets[0], "/chat/completions", {}, b"{}")
    assert b"\r\nAuthorization: Bearer sk-recognisable\r\n" in request
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n")
