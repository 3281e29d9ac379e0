"""boto3: both runtimes, whole and streamed."""

import json

import boto3

from scripts.clients.reporting import (
    CHAT_ENDPOINT,
    CLAUDE,
    EMBEDDING,
    MESSAGES,
    PNG,
    PROMPT,
    SCHEMA,
    TEXT_FILE,
    TOKENS,
    check,
    is_forecast,
    is_stream,
    is_text,
    is_vector,
)  # fmt: skip

bedrock, sagemaker = boto3.client("bedrock-runtime"), boto3.client("sagemaker-runtime")
ASKED = {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": PROMPT}]}]}
LIMIT = {"inferenceConfig": {"maxTokens": TOKENS}}
TOOL = {"toolSpec": {"name": "forecast", "inputSchema": {"json": SCHEMA}}}
CHAT = {"messages": MESSAGES, "max_tokens": TOKENS}
CALL = {"EndpointName": CHAT_ENDPOINT, "ContentType": "application/json"}


def plain():
    answer = bedrock.converse(**ASKED, **LIMIT)
    is_text(answer["output"]["message"]["content"][0]["text"], answer["usage"]["outputTokens"])


def stream():
    events = list(bedrock.converse_stream(**ASKED, **LIMIT)["stream"])
    is_stream([e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e])
    assert events[-1]["metadata"]["usage"]["outputTokens"] == TOKENS


def tools():
    answer = bedrock.converse(**ASKED, toolConfig={"tools": [TOOL], "toolChoice": {"any": {}}})
    assert answer["stopReason"] == "tool_use"
    used = next(c["toolUse"] for c in answer["output"]["message"]["content"] if "toolUse" in c)
    is_forecast(used["input"])
    result = {"toolResult": {"toolUseId": used["toolUseId"], "content": [{"json": {"sky": "clear"}}]}}
    image = {"image": {"format": "png", "source": {"bytes": PNG}}}
    document = {"document": {"format": "txt", "name": "ferries", "source": {"bytes": TEXT_FILE}}}
    told = [
        *ASKED["messages"],
        answer["output"]["message"],
        {"role": "user", "content": [result, image, document, {"text": "And this?"}]},
    ]
    answer = bedrock.converse(**ASKED | {"messages": told}, toolConfig={"tools": [TOOL]}, **LIMIT)
    is_text(answer["output"]["message"]["content"][0]["text"], answer["usage"]["outputTokens"])


def endpoint():
    body = json.load(sagemaker.invoke_endpoint(**CALL, Body=json.dumps(CHAT))["Body"])
    is_text(body["choices"][0]["message"]["content"], body["usage"]["completion_tokens"])
    parts = sagemaker.invoke_endpoint_with_response_stream(**CALL, Body=json.dumps(CHAT | {"stream": True}))["Body"]
    assert b"".join(part["PayloadPart"]["Bytes"] for part in parts).endswith(b"data: [DONE]\n\n")


def embeddings():
    answer = bedrock.invoke_model(modelId=EMBEDDING, body=json.dumps({"inputText": PROMPT}))
    is_vector(json.load(answer["body"])["embedding"])


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("SageMaker", endpoint)
check("embeddings", embeddings)
