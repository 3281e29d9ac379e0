"""The requests that we make of a prompt, and those that a real boto3 client would send."""

import json

import boto3
import botocore.awsrequest
import botocore.config
import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.targets import BedrockTarget, SageMakerTarget

HELLO = Prompt("p1", "Hello “world” 🌍", None)
CHAT = Prompt(
    "p2",
    None,
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "One?"}, {"type": "text", "text": "Two?"}]},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Go on."},
    ],
)


def sagemaker(**values) -> SageMakerTarget:
    return SageMakerTarget(**{"name": "t", "service": "sagemaker", "endpoint": "llama2-13b", "dialect": "tgi"} | values)


def bedrock(**values) -> BedrockTarget:
    return BedrockTarget(**{"name": "t", "service": "bedrock", "model_id": "meta.llama3-8b-instruct-v1:0"} | values)


def document(target, prompt=HELLO) -> dict:
    return json.loads(build(target, prompt).body)


class _Captured(Exception):
    pass


def sent_by_boto3(service: str, operation: str, **arguments) -> tuple[str, dict[str, str], bytes]:
    """Path, headers and body of the request that a real boto3 client would put on the wire; nothing is sent."""
    client = boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )
    seen = []

    def capture(request: botocore.awsrequest.AWSPreparedRequest, **_):
        seen.append(request)
        raise _Captured

    client.meta.events.register("before-send", capture)
    with pytest.raises(_Captured):
        getattr(client, operation)(**arguments)
    request = seen[0]
    headers = {
        k.lower(): v.decode() if isinstance(v, bytes) else v
        for k, v in request.headers.items()
        if k.lower() in ("accept", "content-type") or k.lower().startswith(("x-amzn-sagemaker", "x-amzn-bedrock"))
    }
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    return request.url.split("amazonaws.com", 1)[1], headers, body


def ours(body) -> tuple[str, dict[str, str], bytes]:
    return body.path, {k.lower(): v for k, v in body.headers.items()}, body.body
