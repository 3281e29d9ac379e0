"""Inference routers and global inference gateways: answers and errors walked against botocore's models, by unmodified boto3."""

import collections
import json

import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.helpers import bodies, raw_wire, shapes
from tests.helpers.emulator_process import running_emulator

N = 3
ROUTER, GATEWAY = "sagemaker-inference-router-runtime", "sagemaker-gateway-runtime"
SERVERS = ("throttle", "model_error", "model_timeout", "server", "unavailable", "access_denied", "internal_dependency")
CONFIG = bodies.CONFIG | {
    "endpoints": bodies.CONFIG["endpoints"]
    | {"east": {"engine": "exact", "dialect": "openai-chat", "variant": "blue"}}
    | {"west": {"engine": "short", "dialect": "openai-chat", "variant": "green"}}
    | {name: {"engine": "exact", "dialect": "openai-chat", "faults": {name: 1.0}} for name in SERVERS},
    "openai": bodies.CONFIG["openai"]
    | {name: {"engine": "exact", "faults": {name: 1.0}} for name in (*SERVERS, "internal_mid_stream")},
    "routers": {
        "r": {"chat": ["east", "west"], "tgi": ["tgi"], "spare": ["unavailable", "west"], "failing": ["model_error"]}
        | {name: [name] for name in SERVERS}
    },
    "gateways": ["abc123"],
}


@pytest.fixture(scope="module")
def fronts():
    with running_emulator(CONFIG) as e:
        yield e


def route(client, target: str, **more) -> dict:
    body = json.dumps(bodies.chat(N))
    return client.invoke_inference_router(InferenceRouterName="r", RoutingTargetName=target, Body=body, **more)


def ask(client, model: str, **more) -> dict:
    body = json.dumps(bodies.chat(N) | {"model": model} | more)
    return client.invoke_global_inference_gateway(GatewayId="abc123", ContentType="application/json", Body=body)


def refused(call, *args, **more) -> tuple[int, str, str]:
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(*args, **more)
    told = e.value.response
    return told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Code"], told["Error"]["Message"]


def wire(url: str, service: str, operation: str, path: str, body: dict, headers: dict) -> raw_wire.RawAnswer:
    """Walked against the description: a whole answer, or an error."""
    data = json.dumps(body).encode()
    request = AWSRequest("POST", url + path, headers={"Content-Type": "application/json"} | headers, data=data)
    SigV4Auth(raw_wire.EXAMPLE, "sagemaker", "us-east-1").add_auth(request)
    sent = {**dict(request.headers), "Host": url.split("//")[1], "Content-Length": str(len(data))}
    answer = raw_wire.post(url, path, sent, data)
    if answer.status == 200:
        shapes.walk_answer(service, operation, answer)
    else:
        shapes.walk_error(service, operation, answer)
    return answer


def test_a_router_takes_its_destinations_in_turn_and_names_them(fronts):
    client = fronts.client(ROUTER)
    found = collections.Counter()
    for _ in range(6):
        answer = route(client, "chat", CustomAttributes="tenant=7")
        assert json.loads(answer["Body"].read())["usage"]["completion_tokens"] == N
        assert (answer["CustomAttributes"], answer["ContentType"]) == ("tenant=7", "application/json")
        found[answer["InvokedRoutedResourceArn"], answer["InvokedProductionVariant"], answer["RoutingReason"]] += 1
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/"
    assert found == {(f"{arn}east", "blue", "local-preferred"): 3, (f"{arn}west", "green", "local-preferred"): 3}


def test_a_router_tries_once_more_elsewhere_and_says_failover(fronts):
    client = fronts.client(ROUTER)
    answers = [route(client, "spare") for _ in range(4)]
    assert {a["InvokedProductionVariant"] for a in answers} == {"green"}
    assert [a["RoutingReason"] for a in answers] == ["failover", "local-preferred"] * 2


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("throttle", 429, "ThrottlingException"),
        ("model_error", 424, "ModelError"),
        ("model_timeout", 424, "ModelError"),
        ("server", 500, "InternalFailure"),
        ("unavailable", 503, "ServiceUnavailableException"),
        ("access_denied", 403, "AccessDeniedException"),
        ("internal_dependency", 530, "InternalDependencyException"),
        ("nowhere", 400, "ValidationException"),
    ],
)
def test_a_routers_errors_are_those_it_declares(fronts, target, status, code):
    assert refused(route, fronts.client(ROUTER), target)[:2] == (status, code)
    headers = {"X-Amzn-SageMaker-Routing-Target-Name": target}
    path = "/inference-routers/r/invocations"
    answer = wire(fronts.url, "router", "InvokeInferenceRouter", path, bodies.chat(N), headers)
    assert answer.status == status


def test_answers_have_the_shapes_that_both_services_declare(fronts):
    headers = {"X-Amzn-SageMaker-Routing-Target-Name": "tgi"}
    path = "/inference-routers/r/invocations"
    assert wire(fronts.url, "router", "InvokeInferenceRouter", path, bodies.tgi(N), headers).status == 200
    path = "/global-inference-gateway/abc123/invocations"
    body = bodies.chat(N) | {"model": "exact"}
    assert wire(fronts.url, "gateway", "InvokeGlobalInferenceGateway", path, body, {}).status == 200
    operation = "InvokeGlobalInferenceGatewayWithResponseStream"
    assert wire(fronts.url, "gateway", operation, f"{path}-response-stream", body, {}).status == 200


def test_a_gateway_streams_by_its_operation_whatever_the_body_says(fronts):
    client = fronts.client(GATEWAY)
    assert json.loads(ask(client, "exact", stream=True)["Body"].read())["usage"]["completion_tokens"] == N
    body = json.dumps(bodies.chat(N) | {"model": "exact", "stream": False})
    given = {"GatewayId": "abc123", "ContentType": "application/json", "Body": body, "CustomerIdentityToken": "a.b.c"}
    answer = client.invoke_global_inference_gateway_with_response_stream(**given)
    text = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    assert text.count(b"data: ") > N and text.endswith(b"data: [DONE]\n\n")
    completion = {"prompt": bodies.PROMPT, "max_tokens": N, "model": "exact"}
    whole = client.invoke_global_inference_gateway(
        GatewayId="abc123", ContentType="application/json", Body=json.dumps(completion)
    )
    assert "text" in json.loads(whole["Body"].read())["choices"][0]


@pytest.mark.parametrize(
    ("model", "status", "code", "begins"),
    [
        ("throttle", 429, "ThrottlingException", "Global Inference Gateway: "),
        ("model_error", 502, "BadGatewayException", "inference gateway (model server): 500 "),
        ("model_timeout", 504, "GatewayTimeoutException", "Global Inference Gateway: timed out waiting"),
        ("server", 500, "InternalServerException", "Global Inference Gateway: "),
        ("unavailable", 503, "ServiceUnavailableException", "Global Inference Gateway: "),
        ("access_denied", 403, "AccessDeniedException", "Global Inference Gateway: "),
        ("internal_dependency", 502, "BadGatewayException", "Global Inference Gateway: "),
        ("nobodys", 404, "ResourceNotFoundException", "Global Inference Gateway: no model nobodys"),
    ],
)
def test_a_gateways_errors_are_those_it_declares_and_say_whose_they_are(fronts, model, status, code, begins):
    found = refused(ask, fronts.client(GATEWAY), model)
    assert found[:2] == (status, code) and found[2].startswith(begins)
    path = "/global-inference-gateway/abc123/invocations"
    answer = wire(fronts.url, "gateway", "InvokeGlobalInferenceGateway", path, bodies.chat(N) | {"model": model}, {})
    assert answer.status == status


def test_a_gateway_refuses_bodies_that_are_none(fronts):
    client = fronts.client(GATEWAY)
    given = {"GatewayId": "abc123", "ContentType": "application/json"}
    call = client.invoke_global_inference_gateway
    assert refused(call, **given, Body=b"[1]")[:2] == (400, "ValidationException")
    assert refused(call, **given, Body=b'{"messages": []}')[:2] == (400, "ValidationException")
    assert refused(call, GatewayId="abc123", ContentType="text/plain", Body=b"{}")[0] == 415
    assert refused(call, GatewayId="other", ContentType="application/json", Body=b"{}")[:2] == (
        404,
        "ResourceNotFoundException",
    )
    large = json.dumps({"model": "exact", "x": "x" * 10_485_760})
    assert refused(call, **given, Body=large)[:2] == (413, "PayloadTooLargeException")


def test_a_router_refuses_a_body_of_more_than_6_mib(fronts):
    body = b" " * 6_291_457
    call = fronts.client(ROUTER).invoke_inference_router
    given = {"InferenceRouterName": "r", "RoutingTargetName": "chat"}
    assert refused(call, **given, Body=body)[0] == 413
