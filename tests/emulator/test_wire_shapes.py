"""Every answer, event and error on the wire, walked against botocore's description of the services."""

import base64
import json

import pytest

from tests.helpers import bodies, raw_wire, shapes

SURFACES = bodies.every_surface(4)


@pytest.mark.parametrize(("operation", "target", "body"), SURFACES, ids=[f"{o}-{t}" for o, t, _ in SURFACES])
def test_every_answer_has_the_shape_that_the_service_declares(emulator, operation, target, body):
    answer = raw_wire.send(emulator.url, operation, target, body)
    assert (answer.status, answer.complete) == (200, True)
    events = shapes.walk_answer(raw_wire.PATHS[operation][0], operation, answer)
    # 4 tokens are at least 4 events where a stream is declared, and none elsewhere
    assert events >= 4 if "Stream" in operation else events == 0


def _refused(emulator, operation, target, body, **signing):
    answer = raw_wire.send(emulator.url, operation, target, body, **signing)
    return answer.status, shapes.walk_error(raw_wire.PATHS[operation][0], operation, answer)


@pytest.mark.parametrize("operation", ["InvokeEndpoint", "InvokeEndpointWithResponseStream"])
def test_sagemaker_refuses_as_it_declares(emulator, operation):
    assert _refused(emulator, operation, "nowhere", bodies.tgi(4)) == (400, "ValidationError")
    assert _refused(emulator, operation, "tgi", b"{") == (424, "ModelError")
    assert _refused(emulator, operation, "tgi-small", bodies.tgi(100)) == (424, "ModelError")
    assert _refused(
        emulator, operation, "tgi", bodies.tgi(4), headers={"X-Amzn-SageMaker-Inference-Component": "part-two"}
    ) == (400, "ValidationError")
    assert _refused(emulator, operation, "tgi", bodies.tgi(4), headers={"X-Amzn-SageMaker-Target-Variant": "Blue"}) == (
        400,
        "ValidationError",
    )


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"])
def test_bedrock_refuses_as_it_declares(emulator, operation):
    body = bodies.converse(4) if "Converse" in operation else bodies.invoke(bodies.LLAMA, 4)
    assert _refused(emulator, operation, "nobody.nothing-v1:0", body) == (400, "ValidationException")
    assert _refused(emulator, operation, bodies.LLAMA, b"[1]") == (400, "ValidationException")
    assert _refused(emulator, operation, bodies.LLAMA, {"unknown": 1}) == (400, "ValidationException")


def test_an_embedded_json_chunk_is_the_familys_own_json(emulator):
    answer = raw_wire.send(emulator.url, "InvokeModelWithResponseStream", bodies.LLAMA, bodies.invoke(bodies.LLAMA, 3))
    values = [json.loads(base64.b64decode(json.loads(f.payload)["bytes"])) for f in answer.frames()]
    assert [v["generation_token_count"] for v in values] == [1, 2, 3, 3]
    assert [v["prompt_token_count"] for v in values] == [bodies.PROMPT_TOKENS, None, None, None]


def test_settings_that_bedrock_repeats_are_in_the_answer(emulator):
    body = {**bodies.converse(2), "performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "flex"}}
    answer = raw_wire.send(emulator.url, "Converse", bodies.NOVA, body)
    shapes.walk_answer("bedrock", "Converse", answer)
    assert (answer.json()["performanceConfig"], answer.json()["serviceTier"]) == (
        {"latency": "optimized"},
        {"type": "flex"},
    )
    headers = {"X-Amzn-Bedrock-PerformanceConfig-Latency": "optimized", "X-Amzn-Bedrock-Service-Tier": "flex"}
    answer = raw_wire.send(emulator.url, "InvokeModel", bodies.NOVA, bodies.invoke(bodies.NOVA, 2), headers=headers)
    shapes.walk_answer("bedrock", "InvokeModel", answer)
    assert {
        k: v
        for k, v in answer.headers.items()
        if k in ("x-amzn-bedrock-performanceconfig-latency", "x-amzn-bedrock-service-tier")
    } == {k.lower(): v for k, v in headers.items()}


def test_a_model_that_serves_the_standard_alone_says_so(emulator):
    body = {**bodies.converse(2), "performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "flex"}}
    for operation in ("Converse", "ConverseStream"):
        answer = raw_wire.send(emulator.url, operation, "plain.nova", body)
        shapes.walk_answer("bedrock", operation, answer)
        value = answer.json() if operation == "Converse" else json.loads(answer.frames()[-1].payload)
        assert (value["performanceConfig"], value["serviceTier"]) == ({"latency": "standard"}, {"type": "default"})
    headers = {"X-Amzn-Bedrock-PerformanceConfig-Latency": "optimized", "X-Amzn-Bedrock-Service-Tier": "flex"}
    answer = raw_wire.send(emulator.url, "InvokeModel", "plain.nova", bodies.invoke(bodies.NOVA, 2), headers=headers)
    assert answer.headers["x-amzn-bedrock-performanceconfig-latency"] == "standard"
    assert answer.headers["x-amzn-bedrock-service-tier"] == "default"


@pytest.mark.parametrize(
    ("version", "stop", "action"), [("blocked", "guardrail_intervened", "INTERVENED"), ("passed", "max_tokens", "NONE")]
)
def test_a_guardrail_says_what_it_did(emulator, version, stop, action):
    model = "guarded.nova" if version == "blocked" else bodies.NOVA
    named = {"guardrailConfig": {"guardrailIdentifier": "gr12345", "guardrailVersion": "1"}}
    answer = raw_wire.send(emulator.url, "Converse", model, bodies.converse(2) | named)
    shapes.walk_answer("bedrock", "Converse", answer)
    tokens = (0, 0) if version == "blocked" else (bodies.PROMPT_TOKENS, 2)
    assert (
        answer.json()["stopReason"],
        answer.json()["usage"]["inputTokens"],
        answer.json()["usage"]["outputTokens"],
    ) == (stop, *tokens)
    headers = {"X-Amzn-Bedrock-GuardrailIdentifier": "gr12345", "X-Amzn-Bedrock-GuardrailVersion": "1"}
    answer = raw_wire.send(emulator.url, "InvokeModel", model, bodies.invoke(bodies.NOVA, 2), headers=headers)
    assert answer.json()["amazon-bedrock-guardrailAction"] == action
    answer = raw_wire.send(
        emulator.url, "InvokeModelWithResponseStream", model, bodies.invoke(bodies.NOVA, 2), headers=headers
    )
    last = json.loads(base64.b64decode(json.loads(answer.frames()[-1].payload)["bytes"]))
    assert last["amazon-bedrock-guardrailAction"] == action
    assert (
        "amazon-bedrock-guardrailAction"
        not in raw_wire.send(emulator.url, "InvokeModel", model, bodies.invoke(bodies.NOVA, 2)).json()
    )


def test_the_walk_itself_finds_each_kind_of_difference():
    """A check that cannot fail proves nothing."""
    good = {
        "output": {"message": {"role": "assistant", "content": [{"text": "a"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 3},
    }
    shape = shapes.operation_model("bedrock", "Converse").output_shape
    shapes.walk(shape, good, "Converse")
    for broken in (
        {**good, "extra": 1},
        {**good, "stopReason": "tired"},
        {**good, "metrics": {"latencyMs": "3"}},
        {**good, "usage": {"inputTokens": 1, "outputTokens": 1}},
        {**good, "output": {"message": {"role": "assistant", "content": [{"text": "a", "image": {}}]}}},
        {k: v for k, v in good.items() if k != "metrics"},
    ):
        with pytest.raises(shapes.Mismatch):
            shapes.walk(shape, broken, "Converse")
