#!/usr/bin/env bash
# Guess: boto3==1.37.10 in a requirements file fixes what the SDK sends and how it reads the answer.
# What happens: boto3 asks for botocore>=1.37.10,<1.38, and the service models and parsers are botocore's. The same
#   pin, installed on two days, reads the same bytes of a Bedrock answer with or without the cached tokens: a field
#   that the model of the day does not know is dropped without a word, the rest of `usage` is there, and totalTokens
#   does not add up.
# Versions: boto3 1.37.10 with botocore 1.37.10 and 1.37.38.
# Why it matters: a cost per transaction that is computed from `usage` is too low by the cached prompt, and two load
#   generators with equal requirements files report different costs for one endpoint. Pin botocore, or parse the body.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >probe.py <<'PY'
import http.server
import json
import threading

import boto3
import botocore

USAGE = {"inputTokens": 12, "outputTokens": 3, "totalTokens": 9015, "cacheReadInputTokens": 9000}


class Bedrock(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        message = {"role": "assistant", "content": [{"text": "Hello."}]}
        answer = {"output": {"message": message}, "stopReason": "end_turn", "usage": USAGE, "metrics": {"latencyMs": 9}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Bedrock)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    aws_access_key_id="example",
    aws_secret_access_key="example",
)
answer = client.converse(modelId="example", messages=[{"role": "user", "content": [{"text": "Hello?"}]}])
print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}: {json.dumps(answer['usage'])}")
PY

for botocore in 1.37.10 1.37.38; do
    python3 -m venv "venv-$botocore"
    "venv-$botocore/bin/pip" install -qq --disable-pip-version-check boto3==1.37.10 "botocore==$botocore"
    env -u AWS_BEARER_TOKEN_BEDROCK "venv-$botocore/bin/python" probe.py | tee "said-$botocore"
done
if grep -q cacheRead said-1.37.10 || ! grep -q '"cacheReadInputTokens": 9000' said-1.37.38; then
    echo "changed: one boto3 pin now reads one usage, whichever botocore comes with it" >&2
    exit 1
fi
