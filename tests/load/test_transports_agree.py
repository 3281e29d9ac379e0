"""boto3 and the fast path make the same record of the same answer: on every surface, through every fault, field by field."""

import json
import subprocess
import sys

import pytest

from scripts.emulator.faults import FAULTS
from tests.helpers import bodies
from tests.helpers.both_transports import BEARER, KINDS, LATE, SURFACES, Pair, configuration, differences
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.surfaces import PARAMETERS, container, converse, invoke
from tests.helpers.tokenizer_files import characters
from tests.helpers.wire_server import certificate

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]
CACHES = [(api, stream) for api in ("converse", "invoke") for stream in (True, False)]
FAULTY = [
    (fault, kind, stream)
    for fault in FAULTS
    for kind in KINDS
    for stream in (True, False)
    if (kind, stream) != ("raw", True)
]


def not_told(fault: str, kind: str, stream: bool) -> set[str]:
    """The fields in which boto3 cannot say what the fast path says, by what broke."""
    if fault == "bad_crc" and stream:
        return {"latency_ms", "response_bytes"}  # botocore stops at the frame, what follows is not read
    if (
        fault == "reset_mid_stream" and not stream
    ):  # what the reset read had received is lost, with Converse the head too
        if kind != "converse":
            return {"response_bytes"}
        return {"response_bytes", "http_status", "request_id"}
    if fault == "error_in_200" and (kind == "converse" or (stream and kind in ("claude", "gpt-oss", "qwen"))):
        return {"error_code"}  # botocore parses an answer without the members that it knows to nothing
    if fault in ("exception_mid_stream", "throttle_mid_stream") and stream and kind in ("tgi", "lmi", "vllm"):
        return {"error_message"}  # botocore drops ModelStreamError's ErrorCode, which is a part of ours
    return set()


@pytest.fixture(scope="module")
def emulator():
    with running_emulator(configuration()) as e:
        yield e


@pytest.fixture(scope="module")
def pair(emulator, credentials, tmp_path_factory) -> Pair:
    tokenizer = characters(tmp_path_factory.mktemp("agree") / "tokenizer.json")
    faulty = {f"{fault} {kind} {stream}": KINDS[kind](fault) | {"stream": stream} for fault, kind, stream in FAULTY}
    pair = Pair(emulator.url, {name: target | {"tokenizer": tokenizer} for name, target in (SURFACES | faulty).items()})
    for name in ("tgi, whole", "tool, whole"):  # each service's connection
        pair.records(name)
    return pair


MISTAKEN = {"wrong": "client", "no such": "client", "prompt too long": "model_error"}


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_has_the_same_record_by_both(pair, surface):
    assert pair.differences(surface) == {}
    expected = next((error for start, error in MISTAKEN.items() if surface.startswith(start)), None)
    record = pair.last[1]
    assert record.error == expected, record.error_message
    assert (
        record.tokenizer_completion_tokens or expected or surface.startswith(("embedding", "tool"))
    )  # which have no text


@pytest.mark.parametrize("framing", ["stream", "whole"])
@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_what_was_served_is_recorded_whatever_was_asked(pair, api, framing):
    """Converse says it in the answer or in a stream's last event, InvokeModel in headers."""
    expected = {"settings": ("optimized", "flex"), "served as standard": ("standard", "default")}
    for name, served in expected.items():
        for record in pair.records(f"{name}, {api}, {framing}"):
            assert (record.error, record.served_latency, record.served_tier) == (None, *served)
    for record in pair.records(f"{api} {bodies.NOVA}, {framing}"):  # nothing asked, nothing said
        assert (record.served_latency, record.served_tier) == (None, None)


@pytest.mark.parametrize("framing", ["stream", "whole"])
@pytest.mark.parametrize("kind", ["converse", "claude", "titan-text"])
def test_a_guardrails_intervention_is_the_stop_reason_and_its_zeros_are_counts(pair, kind, framing):
    """No model ran: 0 tokens are what Bedrock bills for one. InvokeModel's families give their own reason (end_turn, FINISH)."""
    for record in pair.records(f"blocked, {kind}, {framing}"):
        assert (record.error, record.stop_reason) == (None, "guardrail_intervened")
        assert (record.prompt_tokens, record.completion_tokens) == (0, 0)
        assert (record.prompt_token_source, record.token_source) == ("service", "service")
        assert record.tokenizer_completion_tokens == 45  # characters of the message
    for record in pair.records(
        f"settings, {'converse' if kind == 'converse' else 'invoke'}, {framing}"
    ):  # a guardrail that lets it pass
        assert (record.stop_reason, record.completion_tokens > 0) == ("max_tokens", True)


@pytest.mark.parametrize(("fault", "kind", "stream"), FAULTY)
def test_a_fault_has_the_same_record_by_both(pair, fault, kind, stream):
    assert pair.differences(f"{fault} {kind} {stream}", not_told(fault, kind, stream)) == {}


@pytest.fixture(scope="module")
def caches(emulator, credentials) -> Pair:
    """A target for each transport, which fills a cache of its own: the systems are of one length."""
    targets = {}
    for api, stream in CACHES:
        for transport, writer in enumerate(("first path", "other path")):
            system = f"A cache that the {writer} fills with {api}, {'streaming' if stream else 'answering'}."
            target = {
                "service": "bedrock",
                "model_id": "thinking.claude",
                "api": api,
                "dialect": "claude",
                "stream": stream,
            }
            targets[f"{api} {stream} {transport}"] = target | {
                "system": system,
                "cache_system": True,
                "parameters": PARAMETERS,
            }
    return Pair(emulator.url, targets)


@pytest.mark.parametrize(("api", "stream"), CACHES)
def test_a_prompt_cache_is_written_and_read_alike(caches, api, stream):
    first, second = ([caches.ask(transport, f"{api} {stream} {transport}") for transport in (0, 1)] for _ in range(2))
    for records in (first, second):
        assert set(differences(*records)) <= {"target"} | LATE
    assert first[1].cache_write_tokens == second[1].cache_read_tokens > 0 == first[1].cache_read_tokens


KEYS = {  # what is wrong with the credentials -> what is set, the code that Bedrock answers
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "InvalidSignatureException"),
    "unknown key": ({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWNEXAMPLE00"}, "UnrecognizedClientException"),
    "expired token": (
        {"AWS_ACCESS_KEY_ID": "AKIAEXPIREDEXAMPLE00", "AWS_SESSION_TOKEN": "old"},
        "ExpiredTokenException",
    ),
}


@pytest.mark.parametrize("keys", KEYS)
def test_credentials_are_refused_alike(emulator, credentials, monkeypatch, keys):
    values, code = KEYS[keys]
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    pair = Pair(emulator.url, {"converse": converse(bodies.NOVA, stream=True), "tgi": container("tgi", "tgi")})
    for name in ("converse", "tgi"):
        assert pair.differences(name) == {}
    record = pair.ask(1, "converse")
    assert (record.error, record.error_code) == ("auth", code)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """The endpoint with TLS: its URL and its CA's file."""
    folder = tmp_path_factory.mktemp("tls")
    ca, _ = certificate(folder)
    leaf = str(folder / "leaf.pem")
    with running_emulator(configuration(), arguments=("--tls-cert", leaf, "--tls-key", leaf)) as e:
        yield e.url, str(ca)


@pytest.mark.parametrize(("token", "error"), [(None, None), (BEARER, None), ("another", "auth")])
def test_tls_and_bearer_tokens_are_used_alike(secure, credentials, monkeypatch, token, error):
    url, ca = secure
    monkeypatch.setenv("AWS_CA_BUNDLE", ca)
    if token:
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", token)
    targets = {
        "converse": converse(bodies.NOVA, stream=True),
        "invoke": invoke(bodies.NOVA),
        "tgi": container("tgi", "tgi", stream=True),
    }
    pair = Pair(url, targets)
    for name in targets:
        assert pair.differences(name) == {}
    assert (pair.ask(1, "converse").error, pair.ask(1, "tgi").error) == (error, None)


def test_arguments_that_boto3_refuses_are_the_scenarios_mistake(emulator, credentials):
    pair = Pair(
        emulator.url, {"t": converse(bodies.NOVA, parameters={"max_tokens": 8, "inferenceConfig": {"topK": 5}})}
    )
    record = pair.ask(1, "t")
    assert (record.error, record.error_code, record.http_status, record.response_bytes) == (
        "client",
        "ParamValidationError",
        None,
        0,
    )
    assert record.error_message.startswith("Parameter validation failed: ") and "topK" in record.error_message


PATCHED = """
import gevent.monkey; gevent.monkey.patch_all()
import json, sys, gevent
from tests.helpers.both_transports import FIELDS, Pair
trickling, steady = json.loads(sys.argv[2])
made = Pair(sys.argv[1], {"trickling": trickling, "steady": steady}, timeout_s=0.5)
ask = lambda name: made.ask(1, name)
ask("steady")
killed = gevent.spawn(ask, "trickling")
jobs = [gevent.spawn(ask, "trickling"), *(gevent.spawn(ask, "steady") for _ in range(20))]
gevent.sleep(0.2)
killed.kill()
gevent.joinall([killed, *jobs])
print(json.dumps([{f: getattr(job.value, f) for f in FIELDS} for job in (killed, *jobs)]))
"""


def test_calls_at_once_do_not_mix_and_each_has_its_deadline(emulator, credentials):
    """As in Locust, with gevent's sockets."""
    trickling = converse("slow.claude", stream=True, parameters={"max_tokens": 100})  # 25 tokens a second: 4 s
    steady = invoke("thinking.claude", dialect="claude", stream=True)
    command = [sys.executable, "-c", PATCHED, emulator.url, json.dumps([trickling, steady])]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    killed, late, *others = json.loads(ended.stdout)
    assert killed["error"] == "cancelled" and 150 < killed["latency_ms"] < 2000
    assert late["error"] == "read_timeout" and 500 < late["latency_ms"] < 1500  # no read took so long, all together did
    assert 20 <= late["ttft_ms"] < 490 and 1 <= late["chunks"] <= 13  # (500 - 20) / 40 = 12 tokens after the first
    assert len({r["request_id"] for r in others}) == len(others) == 20
    for record in others:  # 2 of 8 tokens are reasoning, 10 ms apart from 20 ms on: 20, 40, 90
        assert (record["error"], record["chunks"], record["completion_tokens"]) == (None, 8, 8)
        assert 19 <= record["ttft_ms"] < 1000 and 5 < record["ttft_visible_ms"] - record["ttft_ms"] < 1000


def test_a_bearer_token_without_tls_is_not_sent_by_boto3(emulator, credentials, monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", BEARER)
    record = Pair(emulator.url, {"t": converse(bodies.NOVA)}).ask(1, "t")
    assert (record.error, record.error_code) == ("client", "InvalidEndpointConfigurationError")
    assert "HTTPS" in record.error_message and BEARER not in str(record)
