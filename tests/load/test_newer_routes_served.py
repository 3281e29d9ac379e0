"""Responses, Anthropic's Messages and embeddings, on routes of their own and on Bedrock's: records against the endpoint's log."""

import pytest

from locustfiles.common.calls.sender import Sender
from tests.helpers import bodies
from tests.helpers.calls import TOKENS, call, sender_for, truth_of
from tests.helpers.emulator_process import running_emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    config = bodies.CONFIG | {"api_key": "sk-local"}
    faulty = {name: {"engine": "exact", "faults": {name: 1.0}} for name in FAULTS}
    config = config | {"openai": config["openai"] | faulty}
    with running_emulator(config, truth=tmp_path_factory.mktemp("routes") / "truth.jsonl") as e:
        yield e


FAULTS = {
    "throttle": ("throttled", 429),
    "server": ("server", 500),
    "drop_mid_stream": ("stream_broken", 200),
    "exception_mid_stream": ("server", 200),
    "missing_close": ("stream_broken", 200),
}
ROUTED = {
    "responses": {"dialect": "openai-responses", "model_id": "exact"},
    "responses, reasoning": {"dialect": "openai-responses", "model_id": "thinking"},
    "messages": {"dialect": "anthropic-messages", "model_id": "exact"},
    "messages, reasoning": {"dialect": "anthropic-messages", "model_id": "thinking"},
}
SIGNED = {
    "Bedrock's chat": {"model_id": "openai.gpt-oss-20b-1:0", "signing_name": "bedrock-mantle"},
    "Bedrock's chat, short-term key": {"model_id": "openai.gpt-oss-20b-1:0", "auth": "bearer"},
    "Bedrock's responses": {"model_id": "openai.gpt-oss-20b-1:0", "dialect": "openai-responses"},
    "Bedrock's messages": {"model_id": bodies.CLAUDE, "dialect": "anthropic-messages", "of": "anthropic"},
}


def sender_of(emulator, monkeypatch, stream: bool, **of) -> Sender:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-local")
    path = f"/{of.pop('of', 'openai')}/v1" if "auth" in of else "/v1"
    known = {
        "service": "openai",
        "base_url": emulator.url + path,
        "model_id": "m",
        "stream": stream,
        "parameters": {"max_tokens": TOKENS},
    }
    return sender_for(emulator, known | of)[0]


KINDS = [(kind, stream) for kind in (*ROUTED, *SIGNED) for stream in (True, False)]


@pytest.fixture(scope="module")
def measured(emulator, credentials):
    """(kind, stream) -> a record and its row of the endpoint's log, which is written once a second: all are sent at once."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for kind, stream in KINDS:
            of = ROUTED.get(kind) or {"auth": "sigv4"} | SIGNED[kind]
            sender = sender_of(emulator, patch, stream, **of)
            call(sender)  # may connect
            found[kind, stream] = call(sender)
    truth = truth_of(emulator, {record.request_id for record in found.values()})
    return {key: (record, truth[record.request_id]) for key, record in found.items()}


@pytest.mark.parametrize(("kind", "stream"), KINDS, ids=[f"{kind}, {'stream' if s else 'whole'}" for kind, s in KINDS])
def test_records_are_the_endpoints_own_log(measured, kind, stream):
    record, row = measured[kind, stream]
    assert (record.error, record.error_message, record.operation) == (None, None, row["operation"])
    assert (record.prompt_tokens, record.prompt_token_source) == (row["prompt_tokens"], "service")
    assert (record.completion_tokens, record.token_source) == (TOKENS, "service")
    assert record.completion_tokens == row["completion_tokens"]
    if not stream:
        assert record.ttft_ms is record.chunks is None
        return
    assert record.chunks == TOKENS
    late_ms = 20 + record.lag_ms
    for ours, true in ((record.ttft_ms, "first_token"), (record.last_token_ms, "last_token")):
        assert -0.3 < ours - (row[true] - row["arrival"]) * 1000 < late_ms
    assert (record.ttft_visible_ms > record.ttft_ms) == ("reasoning" in kind)


def test_an_embedding_has_no_output_tokens(emulator, monkeypatch):
    record = call(sender_of(emulator, monkeypatch, False, dialect="openai-embeddings", model_id="exact", parameters={}))
    row = truth_of(emulator, {record.request_id})[record.request_id]
    assert (record.error, record.completion_tokens, record.prompt_tokens) == (None, 0, row["prompt_tokens"])


@pytest.mark.timed
@pytest.mark.parametrize("dialect", ["openai-responses", "anthropic-messages"])
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_have_their_classes(emulator, monkeypatch, dialect, fault):
    record = call(sender_of(emulator, monkeypatch, True, dialect=dialect, model_id=fault))
    assert (record.error, record.http_status) == FAULTS[fault]


def test_a_wrong_key_is_told_with_its_variable(emulator, monkeypatch):
    sender = sender_of(
        emulator, monkeypatch, False, dialect="anthropic-messages", model_id="exact", api_key_env="OTHER"
    )
    record = call(sender)
    assert (record.error, record.error_code, record.http_status) == ("auth", "authentication_error", 401)
