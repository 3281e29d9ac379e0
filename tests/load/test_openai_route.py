"""OpenAI's routes over plain HTTP: against llama.cpp's own server, and against the local endpoint's log and faults."""

import pytest
import tokenizers

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.scenario import Scenario
from scripts.make_payloads.tokenizer import load_tokenizer
from tests.helpers.bodies import CONFIG
from tests.helpers.calls import SCENARIO, truth_of
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.llama_server import running_llama_server

pytestmark = pytest.mark.timed

TEXT = "List three rivers of Europe."
PROMPT = Prompt("p1", TEXT, None)
# the same answer every time: a sampled end-of-text as the first token is an answer without output
ANSWER = {"max_tokens": 12, "temperature": 0, "ignore_eos": True}


@pytest.fixture(scope="module")
def url():
    with running_llama_server() as base_url:
        yield base_url


def ask(url: str, monkeypatch, prompt: Prompt = PROMPT, **target):
    """The record of one call; no AWS credentials are there, and none are needed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    known = {"name": "t", "service": "openai", "base_url": url, "model_id": "smollm2", "parameters": dict(ANSWER)}
    sender = Sender(Scenario.model_validate(SCENARIO | {"targets": [known | target]}), Clock(), lambda record: None)
    return sender.call(1, sender.scenario.targets[0], prompt, StageSpec(1, "t", "p", 1), "measure")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("dialect", "operation"),
    [
        ("openai-chat", "ChatCompletions"),
        ("openai-completions", "Completions"),
        ("openai-responses", "Responses"),
        ("anthropic-messages", "Messages"),
    ],
)
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
    messages = [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "What colour is snow?"},
    ]
    record = ask(url, monkeypatch, Prompt("m", None, messages), stream=True)
    assert (record.error, record.token_source) == (None, "service")


def test_a_wrong_path_is_the_clients_error_and_a_closed_port_a_connect_error(url, monkeypatch):
    assert ask(url + "/nowhere", monkeypatch).error == "client"
    assert ask("http://127.0.0.1:9/v1", monkeypatch).error == "connect"


def test_the_key_travels_as_a_bearer_token_from_the_variable_that_the_target_names(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-recognisable")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    target = {"name": "t", "service": "openai", "base_url": "http://h/v1", "model_id": "m", "api_key_env": "MY_KEY"}
    sender = Sender(Scenario.model_validate(SCENARIO | {"targets": [target]}), Clock(), lambda record: None)
    request = sender.session.request(sender.scenario.targets[0], "/chat/completions", {}, b"{}")
    assert b"\r\nAuthorization: Bearer sk-recognisable\r\n" in request
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n")
    monkeypatch.setenv("MY_KEY", "sk-recognisable\n")  # as `$(cat key)` in a YAML of Kubernetes leaves it
    assert sender.session.request(sender.scenario.targets[0], "/chat/completions", {}, b"{}") == request


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("openai") / "truth.jsonl") as e:
        yield e


@pytest.fixture(scope="module")
def faulty():
    with running_emulator(ROOT / "configs/emulator/faults.yaml") as e:
        yield e


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", ["openai-chat", "openai-completions"])
def test_a_record_is_that_of_the_local_endpoints_log(local, monkeypatch, stream, dialect):
    record = ask(local.url + "/v1", monkeypatch, model_id="exact", stream=stream, dialect=dialect)
    row = truth_of(local, {record.request_id})[record.request_id]
    assert (record.error, record.operation, record.stop_reason) == (None, row["operation"], "length")
    assert (
        (record.prompt_tokens, record.completion_tokens) == (row["prompt_tokens"], row["completion_tokens"]) == (7, 12)
    )
    assert (record.token_source, record.prompt_token_source) == ("service", "service")
    assert -0.3 < record.latency_ms - (row["last_byte"] - row["arrival"]) * 1000 < 30
    if stream:
        assert record.chunks == row["deltas"] == 12
        assert -0.3 < record.ttft_ms - (row["first_token"] - row["arrival"]) * 1000 < 30
        assert -0.3 < record.last_token_ms - (row["last_token"] - row["arrival"]) * 1000 < 30


def test_reasoning_starts_ttft_and_text_the_visible_one(local, monkeypatch):
    record = ask(local.url + "/v1", monkeypatch, model_id="thinking", stream=True)
    # two tokens of reasoning at 100 a second: the first text comes 20 ms after the first token
    assert record.error is None and 10 < record.ttft_visible_ms - record.ttft_ms < 50


def test_bedrocks_own_route_takes_its_key_and_its_request_id(local, monkeypatch):
    monkeypatch.setenv("BEDROCK_KEY", CONFIG["bearer_tokens"][0])
    target = {"model_id": "openai.gpt-oss-20b-1:0", "stream": True}
    record = ask(local.url + "/openai/v1", monkeypatch, **target, api_key_env="BEDROCK_KEY")
    assert (record.error, record.completion_tokens) == (None, 12)
    assert truth_of(local, {record.request_id})[record.request_id]["operation"] == "ChatCompletions"
    assert ask(local.url + "/openai/v1", monkeypatch, **target, api_key_env="NO_SUCH_KEY").error == "auth"


#: fault -> error class of a stream, of a whole answer
FAULTS = {
    "throttle": ("throttled", "throttled"),
    "quota": ("throttled", "throttled"),
    "not-ready": ("unavailable", "unavailable"),
    "model-timeout": ("model_timeout", "model_timeout"),
    "model-error": ("server", "server"),
    "server": ("server", "server"),
    "unavailable": ("unavailable", "unavailable"),
    "internal-dependency": ("server", "server"),
    "client": ("client", "client"),
    "not-found": ("client", "client"),
    "access-denied": ("auth", "auth"),
    "error-in-200": ("server", "server"),
    "garbage-body": ("bad_response", "bad_response"),
    "drop": ("stream_broken", "stream_broken"),
    "reset": ("stream_broken", "stream_broken"),
    "no-usage": (None, None),
    "empty-output": ("empty", "empty"),
    "drop-mid-stream": ("stream_broken", "stream_broken"),
    "reset-mid-stream": ("stream_broken", "stream_broken"),
    "exception-mid-stream": ("server", "server"),
    "internal-mid-stream": ("server", "server"),
    "throttle-mid-stream": ("throttled", "throttled"),
    "error-frame": ("server", None),
    "truncated-frame": ("stream_broken", "stream_broken"),
    "missing-close": (None, None),
    "stall": (None, None),
    "split": (None, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_recorded_as_what_it_is(faulty, monkeypatch, fault):
    stream, whole = (ask(faulty.url + "/v1", monkeypatch, model_id=fault, stream=s) for s in (True, False))
    assert (stream.error, whole.error) == FAULTS[fault]
    if "mid-stream" in fault:  # what had come is kept
        assert (stream.chunks, stream.http_status) == (2, 200) and stream.ttft_ms > 0
    if fault == "no-usage":
        assert (stream.completion_tokens, stream.token_source) == (None, "none")
    if fault == "stall":
        assert 290 < stream.max_gap_ms < 2000
