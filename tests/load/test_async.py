"""Asynchronous endpoints as targets: times from send to accepted and to the answer, failures by class, equal by both transports."""

import json

import gevent
import pydantic
import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.common.transport.s3_requests import Place, place_of, s3_request
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.both_transports import Pair
from tests.helpers.calls import PROMPT, SCENARIO, TOKENS, sender_for
from tests.helpers.emulator_process import running_emulator
from tests.helpers.surfaces import PARAMETERS

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]
QUEUE = {"output": "s3://answers/out", "failure": "s3://answers/failed"}
ENGINE = {"kind": "timed", "ttft_ms": 300, "tokens_per_second": 1000, "seed": 1}
ENDPOINTS = {
    "queued": {"asynchronous": QUEUE},
    "still": {"asynchronous": QUEUE, "engine": "still"},
    "broken": {"asynchronous": QUEUE, "faults": {"model_error": 1.0}},
    "silent": {"asynchronous": {"output": "s3://answers/out"}, "faults": {"model_error": 1.0}},
    "hidden": {"asynchronous": {"output": "s3://hidden/out"}},
    "full": {"asynchronous": QUEUE, "faults": {"unavailable": 1.0}},
    "throttled": {"asynchronous": QUEUE, "faults": {"throttle": 1.0}},
    "now": {},
}
POLL_S = 0.1


def target(endpoint: str, **asked) -> dict:
    return {
        "service": "sagemaker",
        "endpoint": endpoint,
        "dialect": "tgi",
        "parameters": PARAMETERS,
        "async_inference": {"poll_s": POLL_S} | asked,
    }


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    config = {
        "engines": {"quick": ENGINE, "still": ENGINE | {"ttft_ms": 4_000}},
        "endpoints": {name: {"engine": "quick", "dialect": "tgi"} | of for name, of in ENDPOINTS.items()},
        "buckets": ["inputs"],
        "hidden_buckets": ["hidden"],
        "routers": {"r": {"chat": ["queued"], "broken": ["broken"]}},
    }
    with running_emulator(config, truth=tmp_path_factory.mktemp("async") / "truth.jsonl") as e:
        yield e


@pytest.fixture(scope="module")
def pair(emulator, credentials):
    targets = {name: target(name) for name in ENDPOINTS}
    targets["s3"] = target(
        "queued", input="s3", input_location="s3://inputs/a b", output_path_extension="x/y", request_ttl_s=60
    )
    routed = {"endpoint": None, "inference_router": "r", "routing_target": "chat"}
    targets["routed"] = target("", input="s3", input_location="s3://inputs/r", invocation_timeout_s=60) | routed
    targets["routed, broken"] = targets["routed"] | {"routing_target": "broken"}
    targets["no bucket"] = target("queued", input="s3", input_location="s3://nobodys/a")
    targets["model too late"] = target("still", invocation_timeout_s=1)
    made = Pair(emulator.url, targets, timeout_s=2.5)
    made.records("queued")  # connections
    return made


@pytest.mark.parametrize("name", ["queued", "s3", "routed"])
def test_an_answer_is_found_at_the_first_look_after_it_was_written(pair, name):
    assert pair.differences(name, but=("latency_ms", "accepted_ms")) == {}
    for record in pair.last:
        assert (record.error, record.error_message, record.http_status) == (None, None, 202)
        operation = "InvokeInferenceRouterAsync" if name == "routed" else "InvokeEndpointAsync"
        assert (record.operation, record.completion_tokens, record.ttft_ms) == (operation, TOKENS, None)
        # the model takes 0.3 s and 7 more tokens 1 ms each: looks are at 0.1, 0.2, 0.3 and 0.4 s, the last one finds it
        assert 0 < record.accepted_ms < 300 < 307 <= record.latency_ms
        assert record.latency_ms < 307 + POLL_S * 1000 + record.accepted_ms + 60


def test_an_object_of_the_input_is_put_once(emulator, credentials):
    [sender], prompts = (
        [sender_for(emulator, target("queued", input="s3", input_location="s3://inputs/once"))[0]],
        (PROMPT, PROMPT),
    )
    from tests.helpers.calls import call

    before = emulator.stats()["requests"]
    for _ in prompts:
        assert call(sender).error is None
    assert emulator.stats()["requests"] - before == 4  # two requests and two jobs: S3's own are not counted
    assert len(sender._async._there) == 1


@pytest.mark.parametrize("transport", [0, 1])
def test_a_look_that_s3_refuses_for_now_is_made_again(credentials, transport):
    config = {"engines": {"quick": ENGINE}, "slow_down": 0.5}
    config["endpoints"] = {"queued": {"engine": "quick", "dialect": "tgi", "asynchronous": QUEUE}}
    with running_emulator(config) as e:
        asked = Pair(e.url, {"t": target("queued")}, timeout_s=60)
        for _ in range(4):  # half of the looks that would find the answer are refused: 1 of 16 times none is
            record = asked.ask(transport, "t")
            assert (record.error, record.completion_tokens) == (None, TOKENS)


@pytest.mark.parametrize("transport", [0, 1])
def test_a_call_that_is_stopped_while_it_waits_is_cancelled(pair, transport):
    job = gevent.spawn(pair.ask, transport, "still")
    gevent.sleep(0.6)
    job.kill()
    gevent.sleep(0)
    assert job.ready() and job.value.error == "cancelled"
    assert 0 < job.value.accepted_ms < job.value.latency_ms < 2000 and job.value.request_id


def test_an_address_of_s3_that_is_none_is_told_before_anything_is_sent(emulator, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "nonsense")
    scenario = SCENARIO | {"targets": [{"name": "t"} | target("queued")]}
    with pytest.raises(BadInput, match="target `t`: no endpoint"):
        Sender(Scenario.model_validate(scenario), Clock(), print)


FAILURES = {
    "broken": ("model_error", "FailureObject", 202, "Received server error (500) from primary"),
    "routed, broken": ("model_error", "FailureObject", 202, "Received server error (500) from primary"),
    "model too late": ("model_error", "FailureObject", 202, "The invocation timed out"),
    "silent": ("read_timeout", None, 202, "the endpoint has no S3FailurePath"),
    "still": ("read_timeout", None, 202, "no answer was in S3 within request_timeout_s"),
    "hidden": ("auth", "AccessDenied", 403, "s3:ListBucket is not allowed"),
    "full": ("unavailable", "ServiceUnavailable", 503, "currently unavailable"),
    "throttled": ("throttled", "ThrottlingException", 429, "Rate exceeded"),
    "now": ("client", "ValidationError", 400, "is not an asynchronous endpoint"),
    "no bucket": ("client", "NoSuchBucket", 404, "the input was not put into S3"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_have_their_classes_by_both(pair, name):
    error, code, status, said = FAILURES[name]
    assert (
        pair.differences(
            name, but=("latency_ms", "accepted_ms", "error_message", *(("reconnect",) if name == "no bucket" else ()))
        )
        == {}
    )
    for record in pair.last:
        assert (record.error, record.error_code, record.http_status) == (error, code, status)
        assert said in record.error_message
        assert (record.accepted_ms is not None) == (status in (202, 403))
        assert (record.request_id is not None) == (name != "no bucket")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"stream": True}, "asynchronous endpoints do not stream"),
        ({"endpoint": None, "inference_router": "r", "routing_target": "t"}, "write `input: s3` and `input_location:`"),
        ({"variant": "v"}, "`variant` is not for a target with `async_inference`"),
        ({"inference_id": "i"}, "`inference_id` names the answer's object"),
        ({"async_inference": {"input": "s3"}}, "`input: s3` needs `input_location:`"),
        ({"async_inference": {"input_location": "s3://bucket/a"}}, "`input_location` is for `input: s3`"),
        ({"async_inference": {"poll_s": 0.01}}, "greater than or equal to 0.05"),
        ({"async_inference": {"request_ttl_s": 30}}, "greater than or equal to 60"),
        (
            {"endpoint": None, "gateway": "g", "model_id": "m", "dialect": "openai-chat"},
            "gateways have no queue; remove `async_inference`",
        ),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(keys, said):
    with pytest.raises(pydantic.ValidationError) as e:
        Scenario.model_validate(SCENARIO | {"targets": [{"name": "t"} | target("e") | keys]})
    assert said in str(e.value)


def test_a_body_that_a_request_cannot_hold_is_refused_with_the_way_out():
    [asked] = Scenario.model_validate(SCENARIO | {"targets": [{"name": "t"} | target("e")]}).targets
    assert len(json.loads(build(asked, PROMPT).body)) == 3
    with pytest.raises(BadPayload, match="of which a request holds 128,000; use"):
        build(asked, Prompt("long", "x" * 128_000, None))


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("s3://bucket/a/b.out", Place("bucket", "a/b.out")),
        ("https://bucket.s3.eu-west-1.amazonaws.com/a/b.out", Place("bucket", "a/b.out")),
        ("https://s3.eu-west-1.amazonaws.com/bucket/a/b.out", Place("bucket", "a/b.out")),
        ("s3://bucket", None),
        ("https://elsewhere.example/a", None),
        (None, None),
    ],
)
def test_places_of_objects_are_read(location, place):
    assert place_of(location) == place


@pytest.mark.parametrize(
    ("bucket", "host", "path"),
    [
        ("plain", b"plain.s3.eu-west-1.amazonaws.com", b"/a%20b/c%2Bd"),
        ("with.dots", b"s3.eu-west-1.amazonaws.com", b"/with.dots/a%20b/c%2Bd"),
    ],
)
def test_aws_own_s3_is_asked_by_the_buckets_host(credentials, bucket, host, path):
    from locustfiles.common.transport.aws_session import AwsSession

    keys = {"targets": [{"name": "t"} | target("e")], "region": "eu-west-1"}
    scenario = Scenario.model_validate(SCENARIO | keys)
    origin, request = s3_request(AwsSession(scenario), scenario.targets[0], "GET", Place(bucket, "a b/c+d"))
    head = request.split(b"\r\n")
    assert head[0] == b"GET " + path + b" HTTP/1.1" and head[1] == b"Host: " + host
    assert (origin.scheme, origin.host.encode(), origin.port) == ("https", host, 443)
