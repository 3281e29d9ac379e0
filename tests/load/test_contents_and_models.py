"""Every content of Converse and Claude is output; what Bedrock takes beside the body; models that write no text."""

import json

import botocore.session
import pytest

from locustfiles.common.dialects.request import Body, build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget
from locustfiles.contract.stop_reasons import BAD_STOPS, is_bad
from tests.helpers.aws_frames import chunk, event
from tests.helpers.sample_answers import call, streamed, timed

HELLO = Prompt("p", "Hello", None)
CITED = {"citationsContent": {"content": [{"text": "Cited"}, {"text": " text"}], "citations": [{"title": "a"}]}}
SILENT = {"text", "reasoningContent", "cachePoint", "citationsContent"}
#: which are no output by themselves, whatever they are
MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")


def bedrock(**values) -> BedrockTarget:
    return BedrockTarget(name="t", service="bedrock", **{"model_id": "us.amazon.nova-lite-v1:0"} | values)


def whole(*content: dict, stop: str = "end_turn"):
    answer = {"output": {"message": {"content": list(content)}}, "stopReason": stop}
    return parse_answer(call("converse", stream=False), 200, {}, [(1.0, json.dumps(answer).encode())], True)


def test_cited_text_is_text():
    parsed = whole({"text": "Once: "}, CITED)
    assert (parsed.error, parsed.text) == (None, "Once: Cited text")


@pytest.mark.parametrize("kind", sorted(set(MODEL.shape_for("ContentBlock").members) - SILENT))
def test_every_other_content_that_botocore_knows_is_output(kind):
    assert whole({kind: {"name": "x"}}).error is None
    assert whole({kind: {}}).error == ErrorClass.EMPTY


def test_content_that_failed_is_none():
    assert whole({"image": {"format": "png", "error": {"message": "no"}}}).error == ErrorClass.EMPTY


@pytest.mark.parametrize("kind", sorted(set(MODEL.shape_for("ContentBlockDelta").members) - {"citation"}))
def test_every_delta_that_botocore_knows_is_output(kind):
    delta = {"text": "a", "toolUse": {"input": "{}"}, "reasoningContent": {"text": "a"}, "toolResult": [{"text": "a"}]}
    block = {"contentBlockIndex": 0, "delta": {kind: delta.get(kind, {"source": {"bytes": "aGk="}})}}
    parsed = streamed(
        "converse", *timed(event("contentBlockDelta", block), event("messageStop", {"stopReason": "end_turn"}))
    )
    assert parsed.error is None
    assert parsed.first_output == (
        None if kind == "toolResult" else 10.0
    )  # the service's own tool said it, not the model


def test_claudes_server_tools_are_output():
    start = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "web_search_tool_result", "content": []},
    }
    assert streamed("claude", *timed(chunk(start), chunk({"type": "message_stop"}))).error is None


def test_every_stop_reason_of_converse_is_told_apart():
    reasons = set(MODEL.shape_for("StopReason").enum)
    good = {"end_turn", "tool_use", "max_tokens", "stop_sequence"}
    assert reasons - BAD_STOPS == good
    assert is_bad("CONTENT_FILTERED") and is_bad("refusal") and not is_bad("length") and not is_bad(None)
    assert whole(stop="content_filtered").error_message.endswith("(content_filtered)")


def sent(target: BedrockTarget) -> tuple[Body, dict]:
    body = build(target, HELLO)
    return body, json.loads(body.body)


def test_project_and_metadata_reach_bedrock_and_not_the_model():
    parameters = {"projectIdentifier": "team-a", "requestMetadata": {"job": "7"}}
    _, document = sent(bedrock(parameters=parameters))
    assert parameters.items() <= document.items() and "additionalModelRequestFields" not in document
    for stream in (False, True):
        body, document = sent(bedrock(api="invoke", stream=stream, parameters=parameters | {"trace": "ENABLED"}))
        assert document.keys() == {"schemaVersion", "messages"}
        assert body.headers["X-Amzn-Bedrock-ProjectIdentifier"] == "team-a"
        assert body.headers["X-Amzn-Bedrock-Request-Metadata"] == '{"job":"7"}'
        assert body.headers["X-Amzn-Bedrock-Trace"] == "ENABLED"
        shape = MODEL.operation_model(body.operation).input_shape
        assert set(body.headers) <= {m.serialization.get("name") for m in shape.members.values()}
    with pytest.raises(BadScenario, match=r"`parameters.requestMetadata` must be an object of texts"):
        build(bedrock(api="invoke", parameters={"requestMetadata": "a\r\nb"}), HELLO)


def test_novas_embedding_model_gets_its_own_body_and_its_vector_is_found():
    target = bedrock(
        model_id="amazon.nova-2-multimodal-embeddings-v1:0",
        api="invoke",
        parameters={"singleEmbeddingParams": {"embeddingDimension": 256}},
    )
    body, document = sent(target)
    text = {"truncationMode": "END", "value": "Hello"}
    own = {"embeddingPurpose": "GENERIC_INDEX", "text": text, "embeddingDimension": 256}
    assert document == {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": own}
    answer = b'{"embeddings": [{"embeddingType": "TEXT", "embedding": [0.1, -0.2], "truncatedCharLength": 5}]}'
    headers = {"x-amzn-bedrock-input-token-count": "3"}
    parsed = parse_answer(body, 200, headers, [(1.0, answer)], True)
    assert (parsed.error, parsed.prompt_tokens, parsed.completion_tokens) == (None, 3, 0)


@pytest.mark.parametrize(
    ("model_id", "why"),
    [
        ("amazon.nova-sonic-v1:0", "is a speech model"),
        ("amazon.nova-2-sonic-v1:0", "is a speech model"),
        ("us.amazon.nova-canvas-v1:0", "is a model that makes images"),
        ("amazon.nova-reel-v1:1", "is a model that makes videos"),
        ("cohere.rerank-v3-5:0", "is a model that ranks documents"),
        ("amazon.nova-2-multimodal-embeddings-v1:0", "is a model that makes embeddings, which Converse does not"),
        ("amazon.titan-embed-text-v2:0", "is a model that makes embeddings, which Converse does not"),
    ],
)
def test_a_model_that_answers_with_no_text_is_refused_with_what_it_is(model_id, why):
    with pytest.raises(ValueError, match=why):
        bedrock(model_id=model_id)
