#!/usr/bin/env bash
# Guess: `except botocore.exceptions.ReadTimeoutError` catches a stream that goes silent for longer than read_timeout,
#   for botocore wraps what its HTTP library raises, and does so for response bodies (StreamingBody).
# What happens: it does so while waiting for the headers and in StreamingBody.read, not in the event streams. A
#   ConverseStream that stalls raises urllib3.exceptions.ReadTimeoutError: the same name, and no relation (botocore's
#   descends from a copy of urllib3 that it carries), so neither class catches the other, and no class of botocore's
#   catches both. Two log lines say "ReadTimeoutError", and one of them went past the handler.
# Versions: boto3 1.44.5, botocore 1.44.8, urllib3 2.8.0.
# Why it matters: stalls of a loaded endpoint come after the first token as often as before it. A load tester that
#   catches (BotoCoreError, ClientError) loses those requests, or its user dies with them and the load falls unseen.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check boto3==1.44.5 botocore==1.44.8 urllib3==2.8.0

cat >probe.py <<'PY'
import http.server
import json
import struct
import sys
import threading
import zlib

import boto3
import urllib3
from botocore import exceptions
from botocore.config import Config

over = threading.Event()


def delta(text):
    """One contentBlockDelta as a message of AWS's event stream."""
    payload = json.dumps({"contentBlockIndex": 0, "delta": {"text": text}}).encode()
    headers = {":message-type": "event", ":event-type": "contentBlockDelta", ":content-type": "application/json"}
    packed = b"".join(
        bytes([len(k)]) + k.encode() + b"\x07" + struct.pack(">H", len(v)) + v.encode() for k, v in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


class Bedrock(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if "after-a-token" in self.path:
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.amazon.eventstream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(delta("Hello")), delta("Hello")))
            self.wfile.flush()
        over.wait(20)
        self.close_connection = True

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    aws_access_key_id="example",
    aws_secret_access_key="example",
    config=Config(read_timeout=1, retries={"total_max_attempts": 1}),
)


def stalled(when):
    try:
        list(client.converse_stream(modelId=when, messages=[{"role": "user", "content": [{"text": "x"}]}])["stream"])
    except Exception as e:
        botocores = isinstance(e, (exceptions.BotoCoreError, exceptions.ClientError))
        print(f"silent {when}: {type(e).__module__}.{type(e).__name__}, an exception of botocore's: {botocores}")
        return botocores, isinstance(e, urllib3.exceptions.ReadTimeoutError)
    return None


before, after = stalled("before-a-token"), stalled("after-a-token")
over.set()
if before != (True, False) or after != (False, True):
    sys.exit("changed: both read timeouts are now exceptions of botocore's")
PY
env -u AWS_BEARER_TOKEN_BEDROCK venv/bin/python probe.py
