"""curl: HTTP/1.1, HTTP/2 with prior knowledge and with an offer to upgrade; AWS's signature by its own option."""

import json
import os
import subprocess

from scripts.clients.reporting import MESSAGES, OPENAI, PROMPT, TOKENS, URL, check, is_text

KEY = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
SIGNED = ["--aws-sigv4", "aws:amz:us-east-1:bedrock", "--user", KEY]
CHAT = {"model": OPENAI, "messages": MESSAGES, "max_tokens": TOKENS}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": PROMPT}]}], "inferenceConfig": {"maxTokens": TOKENS}}
VERSIONS = {"--http1.1": "1.1", "--http2": "1.1", "--http2-prior-knowledge": "2"}


def curl(version, path, body, *options):
    """The body of an answer, once its version and status have been looked at."""
    command = ["curl", "-sS", "--max-time", "30", version, "-H", "Content-Type: application/json", *options]
    command += ["-w", "\n%{http_version} %{http_code}", "-d", json.dumps(body), URL + path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer, _, status = done.stdout.rpartition("\n")
    assert status == f"{VERSIONS[version]} 200", f"{version}: {status} {answer}"
    return answer


def plain():
    for version in VERSIONS:
        is_text(json.loads(curl(version, "/v1/chat/completions", CHAT))["choices"][0]["message"]["content"])
        answer = json.loads(curl(version, "/model/claude/converse", CONVERSE, *SIGNED))
        is_text(answer["output"]["message"]["content"][0]["text"], answer["usage"]["outputTokens"])


def stream():
    for version in VERSIONS:
        assert curl(version, "/v1/chat/completions", CHAT | {"stream": True}, "-N").endswith("data: [DONE]\n\n")


check("plain", plain)
check("stream", stream)
