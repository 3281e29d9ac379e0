"""What SageMaker decides by a request's headers: multi-model endpoints, stateful sessions, custom attributes."""

import calendar
import json
import re
import time

import botocore.exceptions
import pytest

from tests.helpers import bodies, raw_wire, shapes

N = 3


@pytest.fixture(scope="module")
def sagemaker(emulator):
    return emulator.client("sagemaker-runtime")


def _invoke(client, endpoint: str, **headers) -> dict:
    return client.invoke_endpoint(EndpointName=endpoint, Body=json.dumps(bodies.tgi(N)), **headers)


def _error(client, endpoint: str, **headers) -> tuple[str, str]:
    with pytest.raises(botocore.exceptions.ClientError) as e:
        _invoke(client, endpoint, **headers)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def test_a_multi_model_endpoint_serves_the_models_that_it_knows(sagemaker):
    for model in ("rivers.tar.gz", "lakes.tar.gz"):
        [whole] = json.loads(_invoke(sagemaker, "multi", TargetModel=model)["Body"].read())
        assert whole["details"]["generated_tokens"] == N


def test_a_multi_model_endpoint_refuses_a_model_that_is_unknown_or_missing(sagemaker):
    code, text = _error(sagemaker, "multi", TargetModel="seas.tar.gz")
    assert code == "ValidationError" and text.startswith("Failed to download model data(bucket: ")
    assert "key: seas.tar.gz)" in text
    code, text = _error(sagemaker, "multi")
    assert code == "ValidationError" and "is missing a target model header" in text


def test_another_endpoint_refuses_a_target_model(sagemaker):
    assert _error(sagemaker, "tgi", TargetModel="rivers.tar.gz") == (
        "ValidationError",
        "Endpoint tgi is not a multi-model endpoint and does not support target model header.",
    )


def test_a_target_model_does_not_stream(emulator):
    headers = {"X-Amzn-SageMaker-Target-Model": "rivers.tar.gz"}  # not a member of the streaming operation
    body, operation = bodies.tgi(N, stream=True), "InvokeEndpointWithResponseStream"
    answer = raw_wire.send(emulator.url, operation, "multi", body, headers=headers)
    assert (answer.status, shapes.walk_error("sagemaker", operation, answer)) == (400, "ValidationError")


def test_the_refusals_have_the_shape_that_sagemaker_declares(emulator):
    for endpoint, model in (("multi", "seas.tar.gz"), ("multi", None), ("tgi", "rivers.tar.gz")):
        headers = {"X-Amzn-SageMaker-Target-Model": model} if model else {}
        answer = raw_wire.send(emulator.url, "InvokeEndpoint", endpoint, bodies.tgi(N), headers=headers)
        assert (answer.status, shapes.walk_error("sagemaker", "InvokeEndpoint", answer)) == (400, "ValidationError")


def test_a_new_session_comes_back_with_its_id_and_its_end_and_is_found_until_then(sagemaker):
    declared = shapes.operation_model("sagemaker", "InvokeEndpoint").output_shape.members["NewSessionId"]
    before = time.time()
    opened = _invoke(sagemaker, "stateful", SessionId="NEW_SESSION")["NewSessionId"]
    assert re.fullmatch(declared.metadata["pattern"], opened) and len(opened) <= declared.metadata["max"]
    session, expires = opened.split("; Expires=")
    # 4 s after the request, cut to whole seconds
    end = calendar.timegm(time.strptime(expires, "%Y-%m-%dT%H:%M:%SZ"))
    assert int(before + 4) <= end <= time.time() + 4
    assert "NewSessionId" not in _invoke(sagemaker, "stateful", SessionId=session)
    body = json.dumps(bodies.tgi(N, stream=True))
    stream = sagemaker.invoke_endpoint_with_response_stream(EndpointName="stateful", Body=body, SessionId=session)
    assert sum(1 for _ in stream["Body"]) == N
    time.sleep(max(0.0, end + 1.2 - time.time()))
    code, text = _error(sagemaker, "stateful", SessionId=session)
    assert code == "ModelError" and "session not found or expired" in text


def test_a_session_is_opened_by_invoke_endpoint_alone_and_its_id_has_a_pattern(emulator, sagemaker):
    assert _error(sagemaker, "stateful", SessionId="NEW SESSION")[0] == "ValidationError"
    operation, headers = "InvokeEndpointWithResponseStream", {"X-Amzn-SageMaker-Session-Id": "NEW_SESSION"}
    answer = raw_wire.send(emulator.url, operation, "stateful", bodies.tgi(N, stream=True), headers=headers)
    assert (answer.status, shapes.walk_error("sagemaker", operation, answer)) == (400, "ValidationError")
    assert "at 'sessionId' failed to satisfy constraint" in answer.json()["Message"]


def test_a_container_without_sessions_pays_no_heed(sagemaker):
    assert "NewSessionId" not in _invoke(sagemaker, "tgi", SessionId="NEW_SESSION")
    assert "NewSessionId" not in _invoke(sagemaker, "tgi", SessionId="s-1")


def test_custom_attributes_come_back(sagemaker):
    assert _invoke(sagemaker, "tgi", CustomAttributes="tenant=7")["CustomAttributes"] == "tenant=7"
    streamed = sagemaker.invoke_endpoint_with_response_stream(
        EndpointName="tgi", Body=json.dumps(bodies.tgi(N, stream=True)), CustomAttributes="tenant=7"
    )
    assert streamed["CustomAttributes"] == "tenant=7"
