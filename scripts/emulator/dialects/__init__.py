"""Bodies of the model families and containers: how a request is read, and what an answer and its stream look like.

A dialect is a module with these functions (`a` is the Answer in progress):

    read(body) -> Call              raises BadBody with the family's own words
    whole(a) -> JSON value          the body of an answer that does not stream
    opening(a), delta(a, text, token_id), closing(a) -> list[Piece]

`STREAM_TYPE` is the content type that a SageMaker container gives its stream.
"""

from __future__ import annotations

import base64
import dataclasses
import typing
from typing import NamedTuple

from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact, named_line, padded


class Piece(NamedTuple):
    """One event of a stream. `kind`: start, delta (carries output), last (carries output and closes), close, usage."""

    kind: str
    event: str
    payload: bytes


VERBATIM = "x-verbatim"  # in a schema: the answer is the text itself, no JSON of it


class Tool(NamedTuple):
    """A tool that a request offers. `schema`: of its input."""

    name: str
    schema: typing.Any


class Offer(NamedTuple):
    """The tools of a request. `demanded`: an answer must call one; `parallel`: it may call several; `called`: the names
    of those that the conversation has called already."""

    tools: list[Tool]
    demanded: bool
    parallel: bool
    called: frozenset[str]


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
    offer: Offer | None = None  # the tools that it may be answered with
    tools: list[Tool] = dataclasses.field(default_factory=list)  # those that it is answered with a call of
    schema: dict | bool | None = None  # the answer's text is JSON that follows it
    token_ids: list[int] | None = None  # the prompt, where it came as tokens
    min_tokens: int = 0
    parts: list[Call] = dataclasses.field(default_factory=list)  # several prompts, or several choices: a call for each
    cache_points: list[tuple[str, str]] = dataclasses.field(default_factory=list)  # the text before each, and its ttl
    guardrail: str | None = None  # id:version
    guardrail_trace: bool = False
    media_tokens: int = 0  # what images, documents, sound and video count


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


def stops(body: dict, key: str) -> list[str]:
    """Stop sequences: a string or a list of some. Raises BadBody."""
    value = want(body, key, (str, list), [])
    values = [value] if isinstance(value, str) else value
    if not all(isinstance(v, str) for v in values):
        raise BadBody(f"#/{key}: expected type: String")
    return [v for v in values if v]


def content_text(content) -> str:
    """The text of a message's content: a string, or a list of blocks, with what tools were given and answered."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(b, dict) for b in content):
        return "".join(map(block_text, content))
    raise BadBody("#/messages: content must be a string or a list of blocks")


def block_text(block: dict) -> str:
    """Of a block: its text, a tool's input, or what a tool answered (Converse's shapes, and Claude's)."""
    text = want(block, "text", str, "") + "".join(_inner_text(block.get(key)) for key in _WITH_TEXT if key in block)
    if block.get("type") in ("search_result", "document"):
        text += _inner_text([block.get("source"), block.get("content")])
    used = block.get("toolUse") or (block if block.get("type") == "tool_use" else None)
    given = block.get("toolResult") or (block if block.get("type") == "tool_result" else None)
    if isinstance(used, dict):
        text += compact(used.get("input")).decode()
    if isinstance(given, dict) and given.get("content"):
        inner = given["content"]
        text += content_text(inner)
        text += "".join(compact(b["json"]).decode() for b in inner if isinstance(b, dict) and "json" in b)
    return text


_WITH_TEXT = ("guardContent", "document", "searchResult", "citationsContent", "reasoningContent")


def _inner_text(value: typing.Any) -> str:
    """All text inside of a block: a document's, what a search found, what a guardrail is to look at."""
    if isinstance(value, list):
        return "".join(map(_inner_text, value))
    if not isinstance(value, dict):
        return ""
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    own += [value["data"]] if value.get("type") == "text" and isinstance(value.get("data"), str) else []
    return "".join(own) + "".join(_inner_text(inner) for inner in value.values() if isinstance(inner, dict | list))


def chat(messages, system: str = "", tools=None) -> tuple[str, list[dict]]:
    """All text of a conversation, its tools' too, and its messages as {role, content}. Raises BadBody."""
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise BadBody("#/messages: at least one message is required")
    out = [{"role": "system", "content": system}] if system else []
    for m in messages:
        if m.get("role") not in ("user", "assistant", "system", "tool"):
            raise BadBody(f"#/messages: {m.get('role')} is not a valid role")
        out.append({"role": m["role"], "content": content_text(m.get("content"))})
    said = [m["content"] for m in out]
    return "\n".join([*tool_text(tools), *said]), out


def tool_text(tools) -> list[str]:
    """What the tools of a request add to its prompt."""
    return [compact(tools).decode()] if tools else []


def chunk(kind: str, value: dict | str) -> Piece:
    """One event of InvokeModelWithResponseStream: the family's JSON in base64."""
    return Piece(kind, "chunk", padded({"bytes": base64.b64encode(compact(value)).decode()}))


def named(kind: str, value: dict) -> Piece:
    """One server-sent event with a name."""
    return Piece(kind, "PayloadPart", named_line(value))
