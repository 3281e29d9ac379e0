"""Locust's FastHttpUser: of Converse, signed by botocore, reading the event stream frame by frame, and of the OpenAI route,
reading the server-sent events. A locustfile, run by `python -m scripts.bench.load` with one of its two users; its settings come
from the environment (BENCH_…)."""

import json
import os
import random
import re
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
CHAT = json.dumps(
    {
        "model": MODEL,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": int(os.environ["BENCH_TOKENS"]),
        "stream": STREAM,
        **({"stream_options": {"include_usage": True}} if STREAM else {}),
    }
).encode()
CREDENTIALS = botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY)
FIRST, FIRST_CHAT = b"contentBlockDelta", re.compile(rb'"content": ?"[^"]')
PRELUDE_BYTES = 12
records = Records(os.environ["BENCH_OUT"])


def signed() -> dict[str, str]:
    request = botocore.awsrequest.AWSRequest(
        method="POST", url=URL + PATH, headers={"Content-Type": "application/json"}, data=BODY
    )
    botocore.auth.SigV4Auth(CREDENTIALS, "bedrock", "us-east-1").add_auth(request)
    return dict(request.headers.items())


class _Asker(FastHttpUser):
    """Sends one request after the other. `id_header` names the answer's request id."""

    abstract = True
    host = URL
    insecure = False
    id_header: str

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0, JITTER_S))

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        start = time.perf_counter()
        answer = self.client.post(path, data=body, headers=headers, stream=STREAM)  # type: ignore[arg-type]  # it takes bytes
        name = answer.headers.get(self.id_header) if answer.headers else None
        first = self.first(answer._response) if STREAM and answer.status_code == 200 else None
        error = None if answer.status_code == 200 else f"HTTP {answer.status_code}"
        records.add(name if isinstance(name, str) else None, start, first, time.perf_counter(), error)

    def first(self, body) -> float | None:
        """Read to the end; when the first delta had come."""
        raise NotImplementedError


class ConverseUser(_Asker):
    id_header = "x-amzn-requestid"

    @task
    def ask(self) -> None:
        self.send(PATH, BODY, signed())

    def first(self, body) -> float | None:
        first = None
        while prelude := body.read(PRELUDE_BYTES):
            frame = body.read(int.from_bytes(prelude[:4]) - PRELUDE_BYTES)
            if first is None and FIRST in frame:
                first = time.perf_counter()
        return first


class OpenAIUser(_Asker):
    id_header = "x-request-id"

    @task
    def ask(self) -> None:
        self.send("/v1/chat/completions", CHAT, {"Content-Type": "application/json"})

    def first(self, body) -> float | None:
        first = None
        while event := body.readline(b"\n\n"):
            if first is None and FIRST_CHAT.search(event):
                first = time.perf_counter()
        return first
