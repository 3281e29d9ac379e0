"""Bodies of the model families and containers: how a request is read, and what an answer and its stream look like.

A dialect is a module with these functions (`a` is the Answer in progress):

    read(body) -> Call              raises BadBody with the family's own words
    whole(a) -> JSON value          the body of an answer that does not stream
    opening(a), delta(a, text, token_id), closing(a) -> list[Piece]

`STREAM_TYPE` is the content type that a SageMaker container gives its stream.
"""

import base64
import dataclasses
from typing import NamedTuple

from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact, padded


class Piece(NamedTuple):
    """One event of a stream. `kind`: start, delta (carries output), last (carries output and closes), close, usage."""

    kind: str
    event: str
    payload: bytes


@dataclasses.dataclass(slots=True)
class Call:
    """What a request asks of an engine, whatever the dialect."""

    prompt: str  # all text of the request, for counting and seeding
    max_tokens: int
    messages: list[dict] | None = None  # [{role, content}], when the model's chat template applies
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = dataclasses.field(default_factory=list)
    seed: int | None = None
    stream: bool = False
    options: dict = dataclasses.field(default_factory=dict)
    cache_prefix: str | None = None  # the text before the last cache point
    guardrail: str | None = None  # id:version


def want(body: dict, key: str, kind: type | tuple, default=None, required: bool = False):
    """A member of a body, type-checked. Raises BadBody."""
    value = body.get(key)
    if value is None:
        if required:
            raise BadBody(f"#: required key [{key}] not found")
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadBody(f"#/{key}: expected type: {_shown(kind)}, found: {type(value).__name__}")
    return value


def _shown(kind) -> str:
    names = {int: "Integer", float: "Number", str: "String", list: "JSONArray", dict: "JSONObject", bool: "Boolean"}
    return names[kind if isinstance(kind, type) else float]


NUMBER = (int, float)


def positive(body: dict, key: str, default: int) -> int:
    """A token limit of at least 1. Raises BadBody."""
    value = want(body, key, int, default)
    if value < 1:
        raise BadBody(f"#/{key}: {value} is not greater or equal to 1")
    return value


def content_text(content) -> str:
    """The text of a message's content: a string, or a list of blocks of which those with `text` count."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(b, dict) for b in content):
        return "".join(want(b, "text", str, "") for b in content)
    raise BadBody("#/messages: content must be a string or a list of blocks")


def chat(messages, system: str = "") -> tuple[str, list[dict]]:
    """All text of a conversation, and its messages as {role, content}. Raises BadBody."""
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise BadBody("#/messages: at least one message is required")
    out = [{"role": "system", "content": system}] if system else []
    for m in messages:
        if m.get("role") not in ("user", "assistant", "system", "tool"):
            raise BadBody(f"#/messages: {m.get('role')} is not a valid role")
        out.append({"role": m["role"], "content": content_text(m.get("content"))})
    return "\n".join(m["content"] for m in out), out


def cache_prefix(system, messages) -> str | None:
    """All text before the last cache point: Converse's block, or Claude's mark on a block. None without one."""
    text, prefix = "", None
    contents = [system, *(m.get("content") for m in messages or ())]
    for block in (b for content in contents if isinstance(content, list) for b in content):
        text += want(block, "text", str, "")
        if "cachePoint" in block or "cache_control" in block:
            prefix = text
    return prefix


def chunk(kind: str, value: dict) -> Piece:
    """One event of InvokeModelWithResponseStream: the family's JSON in base64."""
    return Piece(kind, "chunk", padded({"bytes": base64.b64encode(compact(value)).decode()}))


def cache_counts(a, read: str, write: str) -> dict:
    """The counts of the prompt cache, if the request had a cache point."""
    return {} if a.cache_read is None else {read: a.cache_read, write: a.cache_write}


def guardrail_action(a) -> dict:
    """What a guardrail did, in the bodies of InvokeModel; nothing where the request names none."""
    if a.call.guardrail is None or a.operation.converse or a.operation.openai:
        return {}
    return {"amazon-bedrock-guardrailAction": "INTERVENED" if a.blocked else "NONE"}


def invocation_metrics(a) -> dict:
    """What Bedrock adds to the last chunk of every family; no metrics when usage is not reported."""
    if not a.reports_usage:
        return guardrail_action(a)
    return guardrail_action(a) | {
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": a.input_tokens(),
            "outputTokenCount": a.completion_tokens,
            "invocationLatency": a.elapsed_ms(),
            "firstByteLatency": a.first_token_ms(),
            **cache_counts(a, "cacheReadInputTokenCount", "cacheWriteInputTokenCount"),
        }
    }
