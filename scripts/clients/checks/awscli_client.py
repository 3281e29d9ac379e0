"""The AWS CLI, which streams nothing: Converse with and without a tool, InvokeModel, InvokeEndpoint."""

import json
import pathlib
import subprocess
import sys
import tempfile

from scripts.clients.reporting import (
    CHAT_ENDPOINT,
    CLAUDE,
    EMBEDDING,
    MESSAGES,
    PROMPT,
    SCHEMA,
    TOKENS,
    check,
    is_forecast,
    is_text,
    is_vector,
)  # fmt: skip

AWS = str(pathlib.Path(sys.executable).parent / "aws")
CHAT = {"messages": MESSAGES, "max_tokens": TOKENS}
ASKED = ["bedrock-runtime", "converse", "--model-id", CLAUDE, "--messages"]
ASKED.append(json.dumps([{"role": "user", "content": [{"text": PROMPT}]}]))


def aws(*arguments):
    done = subprocess.run([AWS, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def saved(*arguments):
    """What the command wrote into the file that it wants as its last argument."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out.json"
        aws(*arguments, str(out))
        return json.loads(out.read_text())


def plain():
    answer = aws(*ASKED, "--inference-config", json.dumps({"maxTokens": TOKENS}))
    is_text(answer["output"]["message"]["content"][0]["text"], answer["usage"]["outputTokens"])


def tools():
    tool = {"toolSpec": {"name": "forecast", "inputSchema": {"json": SCHEMA}}}
    answer = aws(*ASKED, "--tool-config", json.dumps({"tools": [tool], "toolChoice": {"any": {}}}))
    is_forecast(next(c["toolUse"]["input"] for c in answer["output"]["message"]["content"] if "toolUse" in c))


def endpoint():
    body = ["--endpoint-name", CHAT_ENDPOINT, "--content-type", "application/json", "--body", json.dumps(CHAT)]
    is_text(saved("sagemaker-runtime", "invoke-endpoint", *body)["choices"][0]["message"]["content"])


def embeddings():
    body = json.dumps({"inputText": PROMPT})
    is_vector(saved("bedrock-runtime", "invoke-model", "--model-id", EMBEDDING, "--body", body)["embedding"])


check("plain", plain)
check("tools", tools)
check("SageMaker", endpoint)
check("embeddings", embeddings)
