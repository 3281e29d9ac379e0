#!/usr/bin/env bash
# Guess: a load test over several numbers of clients leaves a result for each of them, and what it wrote can be loaded again.
# What happens: every level appends to one responses.jsonl, and no line of it says which level it is of; summary.json and
#   stats.json are of the last level alone, so that they do not match the file beside them. LoadTestResult.load finds nothing there.
# Versions: llmeter 0.2.0, openai 2.54.0.
# Why it matters: who averages the file over all lines reports a mixture of loads as the last one's figures. An import has to cut
#   the file by the last level's count, and cannot tell the levels before it apart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "llmeter[openai,plotting]==0.2.0" openai==2.54.0

cat >probe.py <<'PY'
import asyncio
import http.server
import json
import pathlib
import sys
import threading

from llmeter.endpoints import OpenAICompletionStreamEndpoint
from llmeter.experiments import LoadTest, LoadTestResult


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        one = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        for delta, end in (({"role": "assistant", "content": "Hello"}, None), ({}, "stop")):
            event = one | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
        self.wfile.write(f"data: {json.dumps(one | {'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())
        self.close_connection = True

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = OpenAICompletionStreamEndpoint("m", base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0)
payload = [endpoint.create_payload("Hello", max_tokens=4)]
test = LoadTest(endpoint=endpoint, payload=payload, sequence_of_clients=[1, 3], min_requests_per_client=4, min_requests_per_run=6, output_path="out", test_name="t")
asyncio.run(test.run())

folder = next(path.parent for path in pathlib.Path("out").rglob("responses.jsonl"))
lines = [json.loads(line) for line in (folder / "responses.jsonl").read_text().splitlines()]
summary = json.loads((folder / "summary.json").read_text())
try:
    loaded = f"{len(LoadTestResult.load(folder).results)} levels"
except Exception as e:
    loaded = f"{type(e).__name__}: {str(e)[:60]}"
named = sorted(set(lines[0]) & {"clients", "level", "concurrency", "run_name", "n_clients"})
print(f"two levels, of 1 and 3 clients: responses.jsonl has {len(lines)} lines, fields that name a level: {named or 'none'}")
print(f"summary.json: clients {summary['clients']}, total_requests {summary['total_requests']}; loaded again: {loaded}")
if named or len(lines) <= summary["total_requests"] or not loaded.startswith(("ValueError", "FileNotFoundError")):
    sys.exit("changed: the levels of a load test are kept apart")
PY
venv/bin/python probe.py 2>errors.txt || { tail -3 errors.txt; exit 1; }
