"""The SageMaker Python SDK, version 3: an endpoint that is there, invoked whole and streamed."""

import json

from sagemaker.core.resources import Endpoint

from scripts.clients.reporting import CHAT_ENDPOINT, MESSAGES, PROMPT, TGI_ENDPOINT, TOKENS, check, is_text

CHAT = {"messages": MESSAGES, "max_tokens": TOKENS}


def plain():
    call = {"content_type": "application/json", "region": "us-east-1"}
    answer = Endpoint(endpoint_name=CHAT_ENDPOINT).invoke(body=json.dumps(CHAT), **call)
    value = json.loads(answer.body.read())
    is_text(value["choices"][0]["message"]["content"], value["usage"]["completion_tokens"])
    body = {"inputs": PROMPT, "parameters": {"max_new_tokens": TOKENS}}
    answer = Endpoint(endpoint_name=TGI_ENDPOINT).invoke(body=json.dumps(body), **call)
    is_text(json.loads(answer.body.read())[0]["generated_text"])


def stream():
    answer = Endpoint(endpoint_name=CHAT_ENDPOINT).invoke_with_response_stream(
        body=json.dumps(CHAT | {"stream": True}), content_type="application/json", region="us-east-1"
    )
    parts = answer.body if hasattr(answer.body, "__iter__") else [answer.body]
    data = b"".join(part["PayloadPart"]["Bytes"] for part in parts if isinstance(part, dict))
    assert data.endswith(b"data: [DONE]\n\n"), f"the body is {answer.body!r}"


check("plain", plain)
check("stream", stream)
