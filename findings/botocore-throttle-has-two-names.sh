#!/usr/bin/env bash
# Guess: a throttled ConverseStream call raises client.exceptions.ThrottlingException, its code is ThrottlingException
#   and its status 429, whenever the service throttles.
# What happens: that holds only until the stream has begun. The same modelled exception inside the stream is an
#   EventStreamError that client.exceptions.ThrottlingException does not catch, its code begins with a small letter
#   (throttlingException), ResponseMetadata is missing altogether, and no retry is made although retries are on.
# Versions: boto3 1.44.5, botocore 1.44.8.
# Why it matters: a tally by error code shows two kinds of error, a tally by class or status loses the second, and a
#   throttle under load, which is what a load test looks for, is reported as an unknown failure.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check boto3==1.44.5 botocore==1.44.8

cat >probe.py <<'PY'
import http.server
import json
import struct
import sys
import threading
import zlib

import boto3

BODY = json.dumps({"message": "Too many requests, please wait before trying again."}).encode()
posts = []


def frame(headers, payload):
    """One message of AWS's event stream: prelude, its CRC, headers of type string, payload, CRC."""
    packed = b"".join(
        bytes([len(k)]) + k.encode() + b"\x07" + struct.pack(">H", len(v)) + v.encode() for k, v in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


class Bedrock(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        posts.append(self.path)
        in_stream = "in-stream" in self.path
        headers = {":message-type": "exception", ":exception-type": "throttlingException"}
        body = frame(headers | {":content-type": "application/json"}, BODY) if in_stream else BODY
        self.send_response(200 if in_stream else 429)
        kind = "application/vnd.amazon.eventstream" if in_stream else "application/json"
        self.send_header("Content-Type", kind)
        if not in_stream:
            self.send_header("x-amzn-errortype", "ThrottlingException")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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
)


def throttled(when):
    posts.clear()
    try:
        list(client.converse_stream(modelId=when, messages=[{"role": "user", "content": [{"text": "x"}]}])["stream"])
    except Exception as e:
        status = e.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        known = isinstance(e, client.exceptions.ThrottlingException)
        code = e.response["Error"]["Code"]
        print(f"{when}: {type(e).__name__}, code {code}, status {status}, attempts {len(posts)}, caught as "
              f"client.exceptions.ThrottlingException: {known}")  # fmt: skip
        return code, status, known, len(posts) > 1
    return None


first, later = throttled("before-the-stream"), throttled("in-stream")
if first != ("ThrottlingException", 429, True, True) or later != ("throttlingException", None, False, False):
    sys.exit("changed: a throttle inside the stream is no longer another error than one before it")
PY
env -u AWS_BEARER_TOKEN_BEDROCK -u AWS_MAX_ATTEMPTS -u AWS_RETRY_MODE venv/bin/python probe.py
