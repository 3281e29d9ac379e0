"""Locust's FastHttpUser, signed by botocore, reading the event stream frame by frame. A locustfile, run by
`python -m scripts.bench.load`; its settings come from the environment (BENCH_…)."""

import json
import os
import random
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import gevent
from locust import FastHttpUser, task

from scripts.bench.child import ACCESS_KEY, JITTER_S, PROMPT, SECRET_KEY, Records

URL, MODEL, STREAM = os.environ["BENCH_URL"], os.environ["BENCH_MODEL"], os.environ["BENCH_STREAM"] == "1"
PATH = f"/model/{urllib.parse.quote(MODEL, safe='')}/converse{'-stream' if STREAM else ''}"
BODY = json.dumps(
    {
        "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
        "inferenceConfig": {"maxTokens": int(os.environ["BENCH_TOKENS"])},
    }
).encode()
CREDENTIALS = botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY)
FIRST = b"contentBlockDelta"
PRELUDE_BYTES = 12
records = Records(os.environ["BENCH_OUT"])


def signed() -> dict[str, str]:
    request = botocore.awsrequest.AWSRequest(
        method="POST", url=URL + PATH, headers={"Content-Type": "application/json"}, data=BODY
    )
    botocore.auth.SigV4Auth(CREDENTIALS, "bedrock", "us-east-1").add_auth(request)
    return dict(request.headers.items())


class Streamer(FastHttpUser):
    """Sends one request after the other."""

    host = URL
    insecure = False

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0, JITTER_S))

    @task
    def ask(self) -> None:
        headers = signed()
        start = time.perf_counter()
        answer = self.client.post(PATH, data=BODY, headers=headers, stream=STREAM)
        name = answer.headers.get("x-amzn-requestid") if answer.headers else None
        first = self._frames(answer._response) if STREAM and answer.status_code == 200 else None
        error = None if answer.status_code == 200 else f"HTTP {answer.status_code}"
        records.add(name, start, first, time.perf_counter(), error)

    def _frames(self, body) -> float | None:
        """Read to the end; when the first delta had come."""
        first = None
        while prelude := body.read(PRELUDE_BYTES):
            frame = body.read(int.from_bytes(prelude[:4]) - PRELUDE_BYTES)
            if first is None and FIRST in frame:
                first = time.perf_counter()
        return first
