"""Inference routers and gateways as targets: equal records by both transports, their errors' classes, and what a scenario may say."""

import json

import pydantic
import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.transport.service_endpoint import ServiceEndpoints
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import classify
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.time_limits import too_short
from tests.helpers import bodies
from tests.helpers.both_transports import Pair
from tests.helpers.calls import PROMPT, SCENARIO, TOKENS
from tests.helpers.emulator_process import running_emulator
from tests.helpers.surfaces import PARAMETERS

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]
SHARED = {"service": "sagemaker", "dialect": "openai-chat", "parameters": PARAMETERS}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/"
#: fault -> class, code and status: by a router, by a gateway
FAULTS = {
    "throttle": (("throttled", "ThrottlingException", 429),) * 2,
    "not_ready": (("not_ready", "ModelNotReadyException", 429), ("unavailable", "ServiceUnavailableException", 503)),
    "model_error": (("model_error", "ModelError", 424), ("server", "BadGatewayException", 502)),
    "model_timeout": (("model_error", "ModelError", 424), ("model_timeout", "GatewayTimeoutException", 504)),
    "server": (("server", "InternalFailure", 500), ("server", "InternalServerException", 500)),
    "unavailable": (("unavailable", "ServiceUnavailableException", 503),) * 2,
    "access_denied": (("auth", "AccessDeniedException", 403),) * 2,
    "client": (("client", "ValidationException", 400),) * 2,
}
MID_STREAM = ("exception_mid_stream", "internal_mid_stream", "throttle_mid_stream")


def router(target: str, **more) -> dict:
    return SHARED | {"inference_router": "r", "routing_target": target} | more


def gateway(model: str, **more) -> dict:
    return SHARED | {"gateway": "abc123", "model_id": model} | more


@pytest.fixture(scope="module")
def pair(credentials):
    faulty = {name: {"engine": "exact", "faults": {name: 1.0}} for name in (*FAULTS, *MID_STREAM)}
    config = bodies.CONFIG | {
        "endpoints": bodies.CONFIG["endpoints"]
        | {name: of | {"dialect": "openai-chat"} for name, of in faulty.items()},
        "openai": bodies.CONFIG["openai"] | faulty,
        "routers": {
            "r": {"chat": ["chat"], "spare": ["unavailable", "chat"]}
            | {name.replace("_", "-"): [name] for name in FAULTS}
        },
        "gateways": ["abc123"],
    }
    with running_emulator(config) as e, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MY_TOKEN", "aaa.bbb.ccc")
        targets = {
            "router": router("chat", prefix_aware_id="tenant-7", inference_id="x", custom_attributes="a=b"),
            "spare": router("spare"),
            "gateway": gateway("exact"),
            "gateway, stream": gateway("exact", stream=True, identity_token_env="MY_TOKEN"),
            "completions, stream": gateway("exact", stream=True, dialect="openai-completions"),
            "no gateway": gateway("exact", gateway="other"),
            "no model": gateway("nobodys"),
            "no routing target": router("nowhere"),
        }
        targets |= {f"router {name}": router(name.replace("_", "-")) for name in FAULTS}
        targets |= {f"gateway {name}": gateway(name, stream=name == "throttle") for name in FAULTS}
        targets |= {f"gateway {name}": gateway(name, stream=True) for name in MID_STREAM}
        made = Pair(e.url, targets)
        for name in ("router", "gateway"):  # each service's connection
            made.records(name)
        yield made


@pytest.mark.parametrize("name", ["router", "gateway", "gateway, stream", "completions, stream"])
def test_an_answer_has_the_same_record_by_both(pair, name):
    assert pair.differences(name) == {}
    record = pair.last[0]
    assert (record.error, record.error_message, record.completion_tokens) == (None, None, TOKENS)
    assert record.chunks == (TOKENS if "stream" in name else None)
    routed = (f"{ARN}chat", "local-preferred", "AllTraffic") if name == "router" else (None, None, None)
    assert (record.routed_to, record.routing_reason, record.variant) == routed


@pytest.mark.parametrize("transport", [0, 1])
def test_a_second_try_elsewhere_is_a_failover_in_the_record(pair, transport):
    records = [
        pair.ask(transport, "spare") for _ in range(2)
    ]  # in turn: the first, or the second, is the one that fails
    assert {r.error for r in records} == {None} and {r.routed_to for r in records} == {f"{ARN}chat"}
    assert sorted(r.routing_reason for r in records) == ["failover", "local-preferred"]


@pytest.mark.parametrize("front", ["router", "gateway"])
@pytest.mark.parametrize("fault", FAULTS)
def test_failures_have_their_classes_by_both(pair, front, fault):
    assert pair.differences(f"{front} {fault}") == {}
    for record in pair.last:
        assert (record.error, record.error_code, record.http_status) == FAULTS[fault][front == "gateway"]
        assert record.routed_to is None


@pytest.mark.parametrize("fault", MID_STREAM)
def test_a_gateways_stream_that_fails_is_one_event_by_both(pair, fault):
    assert pair.differences(f"gateway {fault}") == {}
    record = pair.last[1]
    assert (record.error, record.error_code, record.http_status) == ("server", "InternalStreamFailure", 200)
    assert record.chunks == 2 and record.ttft_ms is not None


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("no gateway", "ResourceNotFoundException", 404),
        ("no model", "ResourceNotFoundException", 404),
        ("no routing target", "ValidationException", 400),
    ],
)
def test_what_is_not_there_is_the_clients_mistake(pair, name, code, status):
    assert pair.differences(name) == {}
    assert (pair.last[0].error, pair.last[0].error_code, pair.last[0].http_status) == ("client", code, status)


def target(**keys):
    made = SCENARIO | {"targets": [{"name": "t", "service": "sagemaker", "dialect": "openai-chat"} | keys]}
    return Scenario.model_validate(made).targets[0]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "`endpoint` is missing; add it, `inference_router` or `gateway`"),
        ({"endpoint": "e", "gateway": "g", "model_id": "m"}, "`endpoint` and `gateway` are two; keep one"),
        ({"inference_router": "r"}, "`inference_router` needs `routing_target:`; add it"),
        ({"gateway": "g"}, "`gateway` needs `model_id:`; add it"),
        ({"endpoint": "e", "model_id": "m"}, "`model_id` is not for a target with `endpoint`; remove it"),
        (
            {"inference_router": "r", "routing_target": "t", "variant": "v"},
            "`variant` is not for a target with `inference_router`",
        ),
        ({"inference_router": "r", "routing_target": "t", "stream": True}, "inference routers do not stream"),
        ({"gateway": "g", "model_id": "m", "dialect": "tgi"}, "a gateway takes OpenAI's bodies alone"),
        ({"gateway": "G-1", "model_id": "m"}, "should match pattern"),
        ({"inference_router": "r.", "routing_target": "t"}, "should match pattern"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(keys, said):
    with pytest.raises(pydantic.ValidationError) as e:
        target(**keys)
    assert said in str(e.value)


def test_the_token_of_a_gateway_is_the_environments(monkeypatch):
    asked = target(gateway="g", model_id="m", identity_token_env="MY_TOKEN")
    monkeypatch.setenv("MY_TOKEN", "aaa.bbb.ccc")
    body = build(asked, PROMPT)
    assert body.headers["X-Amzn-SageMaker-Customer-Identity-Token"] == "aaa.bbb.ccc"
    assert json.loads(body.body)["model"] == "m"
    monkeypatch.delenv("MY_TOKEN")
    with pytest.raises(BadScenario, match="MY_TOKEN is not set; set it to the identity token"):
        build(asked, PROMPT)


@pytest.mark.parametrize(("seconds", "cautions"), [(60, 1), (169.9, 1), (170, 0)])
def test_a_timeout_below_a_routers_own_is_told(seconds, cautions):
    targets = [router("chat", name="t"), gateway("m", name="g")]
    scenario = Scenario.model_validate(SCENARIO | {"targets": targets, "request_timeout_s": seconds})
    told = too_short(scenario)
    assert len(told) == cautions and all("at least 170 s" in line and "`t`" in line for line in told)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("GatewayTimeoutException", 504, "model_timeout"),
        ("BadGatewayException", 502, "server"),
        ("PayloadTooLargeException", 413, "client"),
        ("RequestTimeoutException", 408, "model_timeout"),
    ],
)
def test_codes_of_both_services_have_their_classes(code, status, error):
    assert classify(code, status) == error


def test_their_hosts_are_those_of_botocores_rules():
    hosts = {
        "sagemaker-inference-router-runtime": "https://inferencerouter-runtime.sagemaker.eu-west-1.amazonaws.com",
        "sagemaker-gateway-runtime": "https://gateway-runtime.sagemaker.eu-west-1.amazonaws.com",
    }
    for service, host in hosts.items():
        assert ServiceEndpoints("eu-west-1").url(service, None) == host
