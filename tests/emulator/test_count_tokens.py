"""CountTokens of the local endpoint, by an unmodified boto3 client: what Converse and InvokeModel then report, or a refusal."""

import json

import botocore.exceptions
import pytest

from tests.helpers import bodies


@pytest.fixture(scope="module")
def bedrock(emulator):
    return emulator.client("bedrock-runtime")


def test_a_count_is_what_converse_then_reports(bedrock):
    asked = {
        "messages": [{"role": "user", "content": [{"text": "Tell me of the harbour at night. " * 40}]}],
        "system": [{"text": "Be brief."}],
    }
    counted = bedrock.count_tokens(modelId=bodies.CLAUDE, input={"converse": asked})
    made = bedrock.converse(modelId=bodies.CLAUDE, inferenceConfig={"maxTokens": 1}, **asked)
    # 40 x 33 characters and 9 of the system text, some more around them, 4 a token
    assert counted["inputTokens"] == made["usage"]["inputTokens"] >= (40 * 33 + 9) // 4


def test_a_count_is_what_invoke_model_then_reports(bedrock):
    body = json.dumps(bodies.invoke(bodies.CLAUDE, 1))
    counted = bedrock.count_tokens(modelId=bodies.CLAUDE, input={"invokeModel": {"body": body}})
    made = json.loads(bedrock.invoke_model(modelId=bodies.CLAUDE, body=body)["body"].read())
    assert counted["inputTokens"] == made["usage"]["input_tokens"] == 8


@pytest.mark.parametrize(
    ("model_id", "asked", "message"),
    [
        (bodies.NOVA, {"converse": {"messages": bodies.converse(1)["messages"]}}, "doesn't support counting tokens"),
        ("no-model", {"converse": {"messages": bodies.converse(1)["messages"]}}, "model identifier is invalid"),
        (bodies.CLAUDE, {"invokeModel": {"body": b"[1]"}}, "expected type: JSONObject"),
        (bodies.CLAUDE, {"invokeModel": {"body": b"{"}}, "not a JSON body"),
        (bodies.CLAUDE, {"converse": {"messages": []}}, "."),
    ],
)
def test_what_cannot_be_counted_is_refused(bedrock, model_id, asked, message):
    with pytest.raises(botocore.exceptions.ClientError, match=message) as refused:
        bedrock.count_tokens(modelId=model_id, input=asked)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
