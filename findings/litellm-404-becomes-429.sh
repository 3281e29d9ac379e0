#!/usr/bin/env bash
# Guess: a gateway hands an upstream's refusal on: a model that does not exist is a 404, each time.
# What happens: after the first 404 LiteLLM's proxy sets the model's only deployment aside for 5 s and answers every
#   call with 429 "No deployments available ... in cooldown" (and `retry-after: 5`), without asking the upstream: one call
#   in 5 s is a 404, all others are throttles. A wrong model id in the proxy's file looks like a quota.
# Versions: LiteLLM 1.108.7 (proxy); Python 3.11.
# Why it matters: whoever counts error classes of a load test sees 98 % throttled and asks for a higher quota, or lets
#   a retry layer wait it out; the first answer alone tells the truth. A client that gives up on 4xx but retries 429 never
#   ends. What to do: read the first failure of a target, not the most frequent one.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check 'litellm[proxy]==1.108.7'

cat >probe.py <<'PY'
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ASKED = []


class Upstream(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        ASKED.append(self.path)
        self.rfile.read(int(self.headers["content-length"]))
        error = {"message": "The model does not exist.", "type": "invalid_request_error", "code": "model_not_found"}
        body = json.dumps({"error": error}).encode()
        self.send_response(404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=upstream.serve_forever, daemon=True).start()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
base = f"http://127.0.0.1:{upstream.server_address[1]}/v1"
with open("proxy.yaml", "w") as file:
    file.write(f"model_list:\n- model_name: m\n  litellm_params: {{model: openai/gone, api_base: '{base}', api_key: x}}\n")
settings = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true", "LITELLM_TELEMETRY": "False"}
command = ["venv/bin/litellm", "--config", "proxy.yaml", "--host", "127.0.0.1", "--port", str(port)]
proxy = subprocess.Popen(command, env=os.environ | settings, stdout=open("proxy.log", "w"), stderr=subprocess.STDOUT)


def status(body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        return urllib.request.urlopen(request, timeout=30).status, ""
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]["message"][:60]


try:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5)
            break
        except OSError:
            time.sleep(1)
    answers = [status({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}) for _ in range(4)]
finally:
    proxy.terminate()
    proxy.wait(30)
for code, message in answers:
    print(code, message)
print("the upstream was asked", len(ASKED), "time(s) in 4 calls")
if [code for code, _ in answers] != [404, 429, 429, 429]:
    sys.exit("changed: a 404 is no longer followed by 429")
PY
venv/bin/python probe.py
