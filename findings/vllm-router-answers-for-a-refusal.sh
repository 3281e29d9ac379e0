#!/usr/bin/env bash
# Guess: a router before model servers passes their refusals on: 429 by the server is 429 for the client, as of any reverse proxy.
# What happens: vllm-router sends a request that was answered 429 or 500 again, by default up to five calls with growing
#   pauses, and the client hears of nothing but the last answer. With --disable-retries it passes the first one on.
# Versions: vllm-router 0.1.17.
# Why it matters: a load test through the router sees no throttles and no errors where the servers refuse one call in two, takes
#   the pauses for the model's latency, and the servers work on more requests than the client sent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check vllm-router==0.1.17

cat >probe.py <<'PY'
import collections
import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
import time

CALLS = 5
ANSWER = {"choices": [{"index": 0, "message": {"content": "Yes."}, "finish_reason": "stop"}], "usage": {}}
answered = collections.Counter()


class Server(http.server.BaseHTTPRequestHandler):
    """Refuses every first, third, ... call with 429."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, {"data": [{"id": "m"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status = 200 if sum(answered.values()) % 2 else 429
        answered[status] += 1
        self.answer(status, ANSWER if status == 200 else {"error": {"message": "slow down", "code": 429}})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def ask(port, path, document=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = json.dumps(document) if document else None
    connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"} if body else {})
    return connection.getresponse().status


def routed(*options):
    """What the client hears of its calls, and what the server answered."""
    answered.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port, metrics = free_port(), free_port()
    command = ["venv/bin/vllm-router", "--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(metrics)]
    command += ["--worker-urls", f"http://127.0.0.1:{server.server_port}", "--policy", "round_robin", *options]
    router = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                if ask(port, "/v1/models") == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        call = {"model": "m", "messages": [{"role": "user", "content": "Is it?"}]}
        heard = collections.Counter(ask(port, "/v1/chat/completions", call) for _ in range(CALLS))
        return dict(heard), dict(sorted(answered.items()))
    finally:
        router.terminate()
        router.wait()
        server.shutdown()


heard, said = routed()
print(f"by default: the client heard {heard}, the server answered {said}")
plain, plainly = routed("--disable-retries")
print(f"--disable-retries: the client heard {plain}, the server answered {plainly}")
if heard != {200: CALLS} or said != {200: CALLS, 429: CALLS}:
    sys.exit("changed: refusals are passed on by default")
if 429 not in plain or sum(plainly.values()) != CALLS:
    sys.exit("changed: --disable-retries does not pass the first answer on")
PY
python3 probe.py
