#!/usr/bin/env bash
# Guess: results of one tool that differ in its patch release alone have the same time to first token, and it ends at a token.
# What happens: before 0.1.10 LLMeter stops it at the first event of OpenAI's stream, which on many servers is an empty role event sent
#   at once: 0.01 s where the first token came after 0.4 s. Later ones wait for text. The field's name is the same, no file has a version.
# Versions: llmeter 0.1.9 and 0.1.12 with openai 2.54.0.
# Why it matters: a comparison over the upgrade shows a server 40 times as slow, or a limit on TTFT that was kept for months and was
#   never measured; and the time per token of the older files is too long by the whole wait.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check openai==2.54.0 boto3 jmespath tqdm universal-pathlib==0.3.10 "plotly<7" numpy

cat >probe.py <<'PY'
import http.server
import json
import threading
import time

from llmeter.endpoints.openai import OpenAICompletionStreamEndpoint as Endpoint
from openai import OpenAI

WAIT_S = 0.4


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        one = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        deltas = [({"role": "assistant", "content": ""}, None), *(({"content": "word "}, None) for _ in range(5)), ({}, "stop")]
        for n, (delta, end) in enumerate(deltas):
            time.sleep(WAIT_S if n == 1 else 0.02 * (n > 1))
            event = one | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
        self.wfile.write(f"data: {json.dumps(one | {'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())
        self.close_connection = True

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = Endpoint("m", api_key="none")
endpoint._client = OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0)
payload = Endpoint.create_payload("Hello", max_tokens=8)
endpoint.invoke(payload)  # the client's own first second
answer = endpoint.invoke(payload)
print(f"{answer.time_to_first_token:.3f} {answer.time_to_last_token:.3f}")
PY

for version in 0.1.9 0.1.12; do
    venv/bin/pip install -qq --disable-pip-version-check --no-deps "llmeter==$version" 2>>errors.txt
    read -r first last < <(venv/bin/python probe.py 2>>errors.txt) || { tail -3 errors.txt; exit 1; }
    echo "llmeter $version: time_to_first_token $first s, time_to_last_token $last s (the first token came after 0.400 s)"
    echo "$first" >"first-$version"
done
python3 - <<'PY' || { echo "changed: both versions time the same event"; exit 1; }
old, new = (float(open(f"first-{version}").read()) for version in ("0.1.9", "0.1.12"))
raise SystemExit(not (old < 0.2 < 0.35 < new))
PY
