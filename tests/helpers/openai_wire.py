"""Requests to the OpenAI routes over a plain socket, and the events of an answer."""

import json
import urllib.parse

from tests.helpers import bodies, raw_wire

CHAT, COMPLETIONS, BEDROCK = "/v1/chat/completions", "/v1/completions", "/openai/v1/chat/completions"


def ask(url: str, path: str, body, key: str | None = None) -> raw_wire.RawAnswer:
    """One request; `key` is sent as a bearer token."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Host": urllib.parse.urlsplit(url).netloc, "Content-Type": "application/json"}
    headers |= {"Content-Length": str(len(data)), **({"Authorization": f"Bearer {key}"} if key else {})}
    return raw_wire.post(url, path, headers, data)


def chat(model: str, n: int, stream: bool = False, **more) -> dict:
    return {"model": model, **bodies.chat(n, stream), **more}


def completions(model: str, n: int, stream: bool = False, **more) -> dict:
    return {"model": model, **bodies.completions(n, stream), **more}


def data_lines(answer: raw_wire.RawAnswer) -> list[bytes]:
    """What follows `data: ` in each event."""
    events = answer.body.split(b"\n\n")
    assert events.pop() == b""
    return [e.removeprefix(b"data: ") for e in events]


def values(answer: raw_wire.RawAnswer) -> list[dict]:
    """The JSON of all events; the last one must be [DONE]."""
    *lines, done = data_lines(answer)
    assert done == b"[DONE]"
    return [json.loads(line) for line in lines]


def error(answer: raw_wire.RawAnswer) -> tuple[int, str, str | None]:
    """Status, type and code of an error body of exactly OpenAI's members."""
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"] and answer.headers["content-type"] == "application/json"
    return answer.status, body["error"]["type"], body["error"]["code"]
