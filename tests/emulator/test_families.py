"""Unmodified boto3 clients against every further family of InvokeModel, and what Converse and SageMaker take beside text."""

import base64
import json

import pytest

from tests.helpers import bodies, raw_wire, shapes

N = 5
STOPS = {"titan-text": "LENGTH", "cohere-command": "MAX_TOKENS", "cohere-command-r": "MAX_TOKENS"}


@pytest.fixture(scope="module")
def bedrock(emulator):
    return emulator.client("bedrock-runtime")


@pytest.fixture(scope="module")
def sagemaker(emulator):
    return emulator.client("sagemaker-runtime")


def _of_whole(family: str, body: dict) -> tuple[str, str]:
    """Text and reason of a whole body."""
    match family:
        case "mistral":
            return body["outputs"][0]["text"], body["outputs"][0]["stop_reason"]
        case "mistral-chat":
            return body["choices"][0]["message"]["content"], body["choices"][0]["stop_reason"]
        case "openai-chat" | "chat-completions":
            return body["choices"][0]["message"]["content"], body["choices"][0]["finish_reason"]
        case "deepseek":
            return body["choices"][0]["text"], body["choices"][0]["stop_reason"]
        case "titan-text":
            assert (body["inputTextTokenCount"], body["results"][0]["tokenCount"]) == (8, N)
            return body["results"][0]["outputText"], body["results"][0]["completionReason"]
        case "cohere-command":
            return body["generations"][0]["text"], body["generations"][0]["finish_reason"]
        case _:
            return body["text"], body["finish_reason"]


def _of_event(family: str, event: dict) -> tuple[str, str | None]:
    """Text and reason of an event, as the examples of each vendor read them."""
    match family:
        case "mistral":
            return event["outputs"][0]["text"], event["outputs"][0]["stop_reason"]
        case "mistral-chat":
            return event["choices"][0]["message"].get("content", ""), event["choices"][0]["stop_reason"]
        case "openai-chat" | "chat-completions":
            return event["choices"][0]["delta"].get("content", ""), event["choices"][0]["finish_reason"]
        case "deepseek":
            return event["choices"][0]["text"], event["choices"][0]["stop_reason"]
        case "titan-text":
            return event["outputText"], event["completionReason"]
        case _:
            return event.get("text", ""), event.get("finish_reason")


@pytest.mark.parametrize("model_id", bodies.FAMILIES)
def test_a_family_says_the_same_whole_and_streamed_and_bedrock_counts_it(bedrock, model_id):
    family, reason = bodies.FAMILIES[model_id][0], STOPS.get(bodies.FAMILIES[model_id][0], "length")
    body = json.dumps(bodies.invoke(model_id, N))
    answer = bedrock.invoke_model(modelId=model_id, body=body)
    text, stop = _of_whole(family, json.loads(answer["body"].read()))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amzn-bedrock-input-token-count"], headers["x-amzn-bedrock-output-token-count"]) == ("8", "5")
    assert (len(text.split()), stop) == (N, reason)
    events = [
        json.loads(e["chunk"]["bytes"])
        for e in bedrock.invoke_model_with_response_stream(modelId=model_id, body=body)["body"]
    ]
    pieces = [_of_event(family, e) for e in events]
    assert "".join(t for t, _ in pieces) == text
    assert sum(bool(t) for t, _ in pieces) == N
    assert [s for _, s in pieces if s] == [reason] and pieces[-1][1] == reason
    metrics = events[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (8, N)


def test_titans_counts_stand_in_its_last_chunk(bedrock):
    model_id = "amazon.titan-text-express-v1"
    answer = bedrock.invoke_model_with_response_stream(modelId=model_id, body=json.dumps(bodies.invoke(model_id, N)))
    events = [json.loads(e["chunk"]["bytes"]) for e in answer["body"]]
    assert [(e["totalOutputTextTokenCount"], e["inputTextTokenCount"]) for e in events] == [(None, None)] * N + [(N, 8)]


def test_command_answers_in_one_chunk_unless_its_body_says_stream(bedrock):
    body = bodies.invoke("cohere.command-text-v14", N) | {"stream": False}
    answer = bedrock.invoke_model_with_response_stream(modelId="cohere.command-text-v14", body=json.dumps(body))
    [event] = [json.loads(e["chunk"]["bytes"]) for e in answer["body"]]
    assert len(event["generations"][0]["text"].split()) == N and event["is_finished"] is True


def test_embeddings_are_vectors_that_depend_on_the_text_and_have_no_output_count(bedrock, sagemaker):
    def vector(model_id: str, body: dict) -> tuple[list, dict]:
        answer = bedrock.invoke_model(modelId=model_id, body=json.dumps(body))
        value = json.loads(answer["body"].read())
        return value.get("embedding") or value["embeddings"][0], answer["ResponseMetadata"]["HTTPHeaders"]

    titan, headers = vector("amazon.titan-embed-text-v2:0", {"inputText": bodies.PROMPT})
    assert headers["x-amzn-bedrock-input-token-count"] == "8" and "x-amzn-bedrock-output-token-count" not in headers
    cohere, _ = vector("cohere.embed-english-v3", {"texts": [bodies.PROMPT], "input_type": "search_query"})
    other, _ = vector("amazon.titan-embed-text-v2:0", {"inputText": "another"})
    assert titan == cohere != other and len(titan) == len(other) == 16
    with pytest.raises(bedrock.exceptions.ValidationException, match="unsupported for streaming"):
        bedrock.invoke_model_with_response_stream(
            modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "x"})
        )
    with pytest.raises(bedrock.exceptions.ValidationException, match=r"required key \[input_type\] not found"):
        vector("cohere.embed-english-v3", {"texts": ["x"]})
    answer = sagemaker.invoke_endpoint(EndpointName="embedding", Body=json.dumps({"inputs": bodies.PROMPT}))
    assert json.loads(answer["Body"].read()) == [[titan] * 8]  # one vector a token


def test_completions_answer_whole_and_as_events_with_usage_and_done(sagemaker):
    usage = {"prompt_tokens": 8, "completion_tokens": 5, "total_tokens": 13}
    answer = sagemaker.invoke_endpoint(EndpointName="completions", Body=json.dumps(bodies.completions(N)))
    whole = json.loads(answer["Body"].read())
    assert (whole["usage"], whole["choices"][0]["finish_reason"], whole["object"]) == (
        usage,
        "length",
        "text_completion",
    )
    answer = sagemaker.invoke_endpoint_with_response_stream(
        EndpointName="completions", Body=json.dumps(bodies.completions(N, stream=True))
    )
    lines = b"".join(e["PayloadPart"]["Bytes"] for e in answer["Body"]).split(b"\n\n")
    events = [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: {")]
    assert lines[-2] == b"data: [DONE]" and events[-1]["usage"] == usage and events[-1]["choices"] == []
    assert "".join(e["choices"][0]["text"] for e in events[:-1]) == whole["choices"][0]["text"]
    assert [e["choices"][0]["finish_reason"] for e in events[:-1]] == [None] * (N - 1) + ["length"]


# --- reasoning: the first two of five tokens ---


def test_converse_reasons_in_a_block_of_its_own_before_the_text(bedrock):
    answer = bedrock.converse(modelId="thinking.claude", **bodies.converse(N))
    reasoning, text = answer["output"]["message"]["content"]
    assert len(reasoning["reasoningContent"]["reasoningText"]["text"].split()) == 2
    assert reasoning["reasoningContent"]["reasoningText"]["signature"]
    assert len(text["text"].split()) == 3 and answer["usage"]["outputTokens"] == N
    events = list(bedrock.converse_stream(modelId="thinking.claude", **bodies.converse(N))["stream"])
    deltas = [e["contentBlockDelta"] for e in events if "contentBlockDelta" in e]
    kinds = [next(iter(d["delta"].get("reasoningContent", d["delta"]))) for d in deltas]
    assert kinds == ["text", "text", "signature", "text", "text", "text"]
    assert [d["contentBlockIndex"] for d in deltas] == [0, 0, 0, 1, 1, 1]
    assert [e["contentBlockStop"]["contentBlockIndex"] for e in events if "contentBlockStop" in e] == [0, 1]


def test_claude_thinks_in_a_block_of_its_own_before_the_text(bedrock):
    body = json.dumps(bodies.invoke(bodies.CLAUDE, N))
    whole = json.loads(bedrock.invoke_model(modelId="thinking.claude", body=body)["body"].read())
    assert [b["type"] for b in whole["content"]] == ["thinking", "text"]
    answer = bedrock.invoke_model_with_response_stream(modelId="thinking.claude", body=body)
    events = [json.loads(e["chunk"]["bytes"]) for e in answer["body"]]
    kinds = [(e["type"], e.get("delta", {}).get("type")) for e in events]
    thinking, text = ("content_block_delta", "thinking_delta"), ("content_block_delta", "text_delta")
    start, stop = ("content_block_start", None), ("content_block_stop", None)
    assert kinds[1:11] == [
        start,
        thinking,
        thinking,
        ("content_block_delta", "signature_delta"),
        stop,
        start,
        *[text] * 3,
        stop,
    ]
    assert (
        "".join(e["delta"]["thinking"] for e in events if kinds[events.index(e)] == thinking)
        == whole["content"][0]["thinking"]
    )


def test_openai_models_reason_in_tags_on_bedrock_and_in_a_key_on_sagemaker(bedrock, sagemaker):
    body = json.dumps(bodies.invoke("openai.gpt-oss-20b-1:0", N))
    whole = json.loads(bedrock.invoke_model(modelId="thinking.gpt-oss", body=body)["body"].read())
    reasoning, text = whole["choices"][0]["message"]["content"].removeprefix("<reasoning>").split("</reasoning>")
    assert (len(reasoning.split()), len(text.split())) == (2, 3)
    answer = bedrock.invoke_model_with_response_stream(modelId="thinking.gpt-oss", body=body)
    events = [json.loads(e["chunk"]["bytes"]) for e in answer["body"]]
    contents = [e["choices"][0]["delta"].get("content") for e in events]
    assert "".join(c for c in contents if c) == whole["choices"][0]["message"]["content"]
    answer = sagemaker.invoke_endpoint(EndpointName="thinking", Body=json.dumps(bodies.chat(N)))
    message = json.loads(answer["Body"].read())["choices"][0]["message"]
    assert (len(message["reasoning_content"].split()), len(message["content"].split())) == (2, 3)


# --- settings ---


def test_a_demanded_tool_is_called_with_the_text_as_its_input(bedrock):
    tool = {"toolSpec": {"name": "lookup", "inputSchema": {"json": {"type": "object"}}}}
    asked = bodies.converse(N) | {"toolConfig": {"tools": [tool], "toolChoice": {"tool": {"name": "lookup"}}}}
    answer = bedrock.converse(modelId=bodies.NOVA, **asked)
    [block] = answer["output"]["message"]["content"]
    assert (answer["stopReason"], block["toolUse"]["name"]) == ("tool_use", "lookup")
    events = list(bedrock.converse_stream(modelId=bodies.NOVA, **asked)["stream"])
    inputs = [e["contentBlockDelta"]["delta"]["toolUse"]["input"] for e in events if "contentBlockDelta" in e]
    assert (
        json.loads("".join(inputs)) == block["toolUse"]["input"] and len(block["toolUse"]["input"]["text"].split()) == N
    )
    assert [e["contentBlockStart"]["start"]["toolUse"]["name"] for e in events if "contentBlockStart" in e] == [
        "lookup"
    ]


def test_tokens_before_a_cache_point_are_written_once_and_then_read(emulator, bedrock):
    # 48 characters are 12 tokens, of which this model caches from 8; the question has 29 and one line break: ceil(78 / 4) = 20 in all
    system = [{"text": "All ships of this harbour leave before the dawn."}, {"cachePoint": {"type": "default"}}]
    usages = [
        bedrock.converse(modelId="thinking.claude", system=system, **bodies.converse(N))["usage"] for _ in range(2)
    ]
    counts = [
        (u["inputTokens"], u["cacheReadInputTokens"], u["cacheWriteInputTokens"], u["totalTokens"]) for u in usages
    ]
    assert counts == [(8, 0, 12, 25), (8, 12, 0, 25)]
    marked = {"type": "text", "text": system[0]["text"], "cache_control": {"type": "ephemeral"}}
    body = bodies.invoke(bodies.CLAUDE, N) | {"system": [marked]}
    answer = raw_wire.send(emulator.url, "InvokeModel", "thinking.claude", body)  # the same text: the same cache
    shapes.walk_answer("bedrock", "InvokeModel", answer)
    usage = answer.json()["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (8, 12, 0)
    assert answer.headers["x-amzn-bedrock-cache-read-input-token-count"] == "12"
    short = [{"text": "Brief."}, {"cachePoint": {"type": "default"}}]
    usage = bedrock.converse(modelId="thinking.claude", system=short, **bodies.converse(N))["usage"]
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (0, 0)


@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
def test_nova_counts_its_prompt_cache_as_converse_does(emulator, operation):
    text = f"The cache of {operation} is filled by the first of two calls."  # four characters a token
    cached = -(-len(text) // 4)
    system = [{"text": text}, {"cachePoint": {"type": "default"}}]
    seen = []
    for _ in range(2):
        answer = raw_wire.send(
            emulator.url, operation, "caching.nova", bodies.invoke(bodies.NOVA, N) | {"system": system}
        )
        shapes.walk_answer("bedrock", operation, answer)
        value = _chunks(answer)[-1]["metadata"] if "Stream" in operation else answer.json()
        usage = value["usage"]
        seen.append((usage["cacheReadInputTokenCount"], usage["cacheWriteInputTokenCount"]))
        # the text, a line break and the prompt of 29 characters make the whole prompt
        assert usage["inputTokens"] == -(-(len(text) + 1 + 29) // 4) - cached
        assert usage["totalTokens"] == usage["inputTokens"] + cached + N
        if operation == "InvokeModel":
            assert answer.headers["x-amzn-bedrock-cache-read-input-token-count"] == str(seen[-1][0])
    assert seen == [(0, cached), (cached, 0)]


def _chunks(answer) -> list[dict]:
    return [json.loads(base64.b64decode(json.loads(f.payload)["bytes"])) for f in answer.frames()]


def test_a_guardrail_that_does_not_exist_is_refused_by_every_operation(bedrock):
    def converse(version: str):
        config = {"guardrailIdentifier": "gr12345", "guardrailVersion": version}
        return bedrock.converse(modelId=bodies.NOVA, guardrailConfig=config, **bodies.converse(N))

    def invoke(version: str):
        body = json.dumps(bodies.invoke(bodies.NOVA, N))
        return bedrock.invoke_model(
            modelId=bodies.NOVA, body=body, guardrailIdentifier="gr12345", guardrailVersion=version
        )

    for ask in (converse, invoke):
        assert ask("1")["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(bedrock.exceptions.ValidationException, match="guardrail identifier or version"):
            ask("2")


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_reasoning_tools_and_caches_have_the_shapes_that_bedrock_declares(emulator, operation):
    tool = {"toolSpec": {"name": "lookup", "inputSchema": {"json": {"type": "object"}}}}
    point = {"cachePoint": {"type": "default"}}
    asked = bodies.converse(N) | {
        "toolConfig": {"tools": [tool], "toolChoice": {"any": {}}},
        "system": [{"text": "Brief."}, point],
    }
    for n in (1, 2, N):  # only reasoning; reasoning to its end; a tool call after it
        body = asked | {"inferenceConfig": {"maxTokens": n}}
        answer = raw_wire.send(emulator.url, operation, "thinking.claude", body)
        assert answer.status == 200
        shapes.walk_answer("bedrock", operation, answer)
