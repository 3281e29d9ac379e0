"""Contents by unmodified SDKs: what media count, what is refused in whose words, rankings as Cohere's clients read them."""

import json
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import pytest

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers import bodies
from tests.helpers.contents import PDF_BYTES, PNG, PNG_BYTES
from tests.helpers.emulator_process import running_emulator


@pytest.fixture(scope="module")
def emulator():
    models = {"cohere.rerank-v3-5:0": {"engine": "exact", "family": "cohere-rerank"}}
    endpoints = {"ranks": {"engine": "exact", "dialect": "hf-embedding", "more_dialects": ["hf-rerank"]}}
    config = {"models": bodies.CONFIG["models"] | models, "endpoints": bodies.CONFIG["endpoints"] | endpoints}
    with running_emulator(bodies.CONFIG | config) as e:
        yield e


@pytest.fixture(scope="module")
def client(emulator):
    keys = {"aws_access_key_id": EXAMPLE_ACCESS_KEY, "aws_secret_access_key": EXAMPLE_SECRET_KEY}
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    return lambda name: boto3.client(name, "us-east-1", endpoint_url=emulator.url, config=once, **keys)


def asked(client, *content: dict, **more) -> dict:
    messages = [{"role": "user", "content": list(content)}]
    return client("bedrock-runtime").converse(
        modelId=bodies.NOVA, messages=messages, inferenceConfig={"maxTokens": 3}, **more
    )


def test_media_count_by_points_and_by_bytes(client):
    """A picture of 160 x 120 points is 19200 / 750 = 25.6, so 26 tokens; 20 bytes of a PDF are one; eleven characters are three."""
    large = PNG_BYTES[:16] + (160).to_bytes(4, "big") + (120).to_bytes(4, "big") + PNG_BYTES[24:]
    picture = {"image": {"format": "png", "source": {"bytes": large}}}
    document = {"document": {"format": "pdf", "name": "r", "source": {"bytes": PDF_BYTES}}}
    assert asked(client, {"text": "What is it?"}, picture, document)["usage"]["inputTokens"] == 3 + 26 + 1


def test_a_document_as_text_is_read_with_the_prompt(client):
    document = {"document": {"format": "txt", "name": "r", "source": {"text": "12345678"}}}
    assert asked(client, {"text": "1234"}, document)["usage"]["inputTokens"] == 3


def test_a_tool_and_a_form_are_kept_by_what_comes_back(client):
    schema = {"type": "object", "properties": {"day": {"enum": ["Sunday"]}}, "required": ["day"]}
    tool = {"toolSpec": {"name": "look_up", "inputSchema": {"json": schema}}}
    answer = client("bedrock-runtime").converse(
        modelId=bodies.NOVA,
        messages=[{"role": "user", "content": [{"text": "When?"}]}],
        toolConfig={"tools": [tool], "toolChoice": {"any": {}}},
    )
    (block,) = answer["output"]["message"]["content"]
    assert (answer["stopReason"], block["toolUse"]["input"]) == ("tool_use", {"day": "Sunday"})


def test_an_empty_picture_and_one_that_is_none_are_refused(emulator):
    for url, said in (
        (f"data:image/jpeg;base64,{PNG}", "image/jpeg media type"),
        ("data:image/png;base64,!", "invalid base64"),
    ):
        part = {"type": "image_url", "image_url": {"url": url}}
        body = {"model": "exact", "messages": [{"role": "user", "content": [part]}]}
        with pytest.raises(urllib.error.HTTPError) as refused:
            posted(emulator, "/v1/chat/completions", body)
        assert refused.value.code == 400 and said in refused.value.read().decode()


def posted(emulator, path: str, body: dict):
    request = urllib.request.Request(
        emulator.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_rankings_are_sorted_cut_and_the_same_each_time(emulator, client):
    body = {"model": "exact", "query": "q", "documents": ["a", "b", "c"], "top_n": 2, "return_documents": True}
    first = posted(emulator, "/v1/rerank", body)
    scores = [r["relevance_score"] for r in first["results"]]
    assert len(scores) == 2 and scores == sorted(scores, reverse=True) and all(0 <= s <= 1 for s in scores)
    assert [r["document"]["text"] for r in first["results"]] == ["abc"[r["index"]] for r in first["results"]]
    assert posted(emulator, "/v1/rerank", body)["results"] == first["results"]
    inner = {"query": "q", "documents": ["a", "b", "c"], "api_version": 2}
    answer = client("bedrock-runtime").invoke_model(modelId="cohere.rerank-v3-5:0", body=json.dumps(inner))
    by_bedrock = json.loads(answer["body"].read())["results"]
    assert [r["index"] for r in by_bedrock][:2] == [r["index"] for r in first["results"]]
    del inner["api_version"]
    with pytest.raises(botocore.exceptions.ClientError, match=r"required key \[api_version\] not found"):
        client("bedrock-runtime").invoke_model(modelId="cohere.rerank-v3-5:0", body=json.dumps(inner))


def test_a_container_embeds_and_ranks_by_what_a_body_has(client):
    runtime = client("sagemaker-runtime")

    def invoked(body: dict):
        sent = json.dumps(body)
        return json.loads(
            runtime.invoke_endpoint(EndpointName="ranks", Body=sent, ContentType="application/json")["Body"].read()
        )

    ranked = invoked({"query": "q", "texts": ["a", "b"], "return_text": True})
    assert [set(r) for r in ranked] == [{"index", "score", "text"}] * 2
    assert isinstance(invoked({"inputs": "a"})[0][0][0], float)
