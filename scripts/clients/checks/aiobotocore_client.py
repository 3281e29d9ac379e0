"""aioboto3, and aiobotocore under it: both runtimes, whole and streamed."""

import asyncio
import json

import aioboto3

from scripts.clients.reporting import CHAT_ENDPOINT, CLAUDE, MESSAGES, PROMPT, TOKENS, check, is_stream, is_text

ASKED = {
    "modelId": CLAUDE,
    "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
    "inferenceConfig": {"maxTokens": TOKENS},
}


async def plain():
    async with aioboto3.Session().client("bedrock-runtime") as bedrock:
        answer = await bedrock.converse(**ASKED)
    is_text(answer["output"]["message"]["content"][0]["text"], answer["usage"]["outputTokens"])


async def stream():
    async with aioboto3.Session().client("bedrock-runtime") as bedrock:
        answer = await bedrock.converse_stream(**ASKED)
        is_stream([e["contentBlockDelta"]["delta"]["text"] async for e in answer["stream"] if "contentBlockDelta" in e])


async def endpoint():
    body = json.dumps({"messages": MESSAGES, "max_tokens": TOKENS})
    async with aioboto3.Session().client("sagemaker-runtime") as sagemaker:
        answer = await sagemaker.invoke_endpoint(EndpointName=CHAT_ENDPOINT, ContentType="application/json", Body=body)
        value = json.loads(await answer["Body"].read())
    is_text(value["choices"][0]["message"]["content"], value["usage"]["completion_tokens"])


check("plain", lambda: asyncio.run(plain()))
check("stream", lambda: asyncio.run(stream()))
check("SageMaker", lambda: asyncio.run(endpoint()))
