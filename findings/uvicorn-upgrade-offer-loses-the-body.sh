#!/usr/bin/env bash
# Guess: a server that does not want an upgrade ignores the offer and answers the request (RFC 9110, 7.8), so a POST with
#   `Upgrade: h2c`, which Java's HttpClient sends to every http:// address and curl with --http2, is served as any other.
# What happens: httptools takes a request with that offer to have no body, although it announces one. uvicorn, which
#   parses with httptools where it is installed, says "Unsupported upgrade request" and hands the application an empty
#   body; the same application under uvicorn's other parser, h11, gets the body.
# Versions: uvicorn 0.54.0, httptools 0.9.0, h11 0.16.0.
# Why it matters: vLLM, SGLang and most model servers in Python stand on uvicorn and httptools. A load test with a Java client
#   sees 100 % status 400 or 422 ("body: field required") where curl and Python clients of the same payload succeed, and
#   the fault is looked for in the payload. Such clients must be told to speak HTTP/1.1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0

cat >probe.py <<'PY'
import http.client
import socket
import subprocess
import sys
import time

APP = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})
"""
OFFER = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"}


def echoed(port, headers):
    """What the application got of a body of 13 bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", b'{"model":"m"}', headers)
    return connection.getresponse().read()


def served(parser):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--lifespan", "off", "--http", parser, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                plain = echoed(port, {})
                break
            except OSError:
                time.sleep(0.1)
        return plain, echoed(port, OFFER)
    finally:
        server.terminate()
        server.wait()


with open("app.py", "w") as f:
    f.write(APP)
found = {parser: served(parser) for parser in ("httptools", "h11")}
for parser, (plain, offered) in found.items():
    print(f"uvicorn on {parser:9}: without an offer the application gets {plain}, with `Upgrade: h2c` {offered}")
body = b'{"model":"m"}'
if found != {"httptools": (body, b""), "h11": (body, body)}:
    sys.exit("changed: uvicorn no longer loses the body of a request that offers an upgrade")
PY
venv/bin/python probe.py
