"""An answer as it goes back into the history of its conversation, with the calls of tools in it.

Text alone goes back as text. Where tools were called, what came is read once more, after the answer has ended, for the
service wants it as it was: Claude's thinking with its signatures, an OpenAI function's arguments, Responses' items.
Reasoning of answers without a call is left out, as every API takes it.
"""

import base64
import json
import typing

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.event_stream import decode
from locustfiles.common.dialects.history import ToolCall, text_items
from locustfiles.common.dialects.read_json import NO_JSON, read_json
from locustfiles.common.dialects.request import Body
from locustfiles.common.transport.exchange import Exchange

_ENDS = ("response.completed", "response.incomplete")
Document = tuple[str | None, dict]  # the event's type where the framing says it, `whole` of an answer in one piece


class Spoken(typing.NamedTuple):
    items: list[dict]  # the answer's, as the dialect has them
    calls: list[ToolCall]


def spoken(call: Body, exchange: Exchange, text: str) -> Spoken:
    """Of an answer that worked, to a request that offered tools; text: all that is visible of it."""
    documents, calls = list(_documents(call, exchange)), list[ToolCall]()
    items = list[dict]()
    if call.dialect in ("converse", "nova"):
        blocks = _converse_blocks(documents)
        calls = [_call(b["toolUse"], "toolUseId") for b in blocks if "toolUse" in b]
        items = [{"role": "assistant", "content": blocks}]
    elif call.dialect in ("claude", "anthropic-messages"):
        blocks = _claude_blocks(documents)
        calls = [_call(b, "id") for b in blocks if b.get("type") == "tool_use"]
        items = [{"role": "assistant", "content": blocks}]
    elif call.dialect == "openai-responses":
        items = _output_items(documents, keeps=json.loads(call.body).get("store") is not False)
        calls = [
            ToolCall(str(i.get("call_id")), str(i.get("name")), {}) for i in items if i.get("type") == "function_call"
        ]
    else:
        functions = _functions(documents)
        calls = [ToolCall(f["id"], f["function"]["name"], {}) for f in functions]
        items = [{"role": "assistant", "content": text or None, "tool_calls": functions}]
    return Spoken(items, calls) if calls else Spoken(text_items(call.dialect, text), [])


def response_id(call: Body, exchange: Exchange) -> str | None:
    """By which a service of Responses keeps an answer; None where it says none."""
    for kind, event in _documents(call, exchange):
        answer = event if kind == "whole" else part(event, "response") if event.get("type") in _ENDS else {}
        if isinstance(answer.get("id"), str) and answer["id"]:
            return answer["id"]
    return None


def _call(used: dict, key: str) -> ToolCall:
    return ToolCall(str(used.get(key)), str(used.get("name")), part(used, "input"))


# --- what came, whoever framed it ---


def _documents(call: Body, exchange: Exchange) -> typing.Iterator[Document]:
    if not call.stream:
        yield from _object("whole", _joined(exchange.chunks if exchange.pieces is None else exchange.pieces))
    elif call.service == "openai":
        yield from _lines(_joined(exchange.chunks))
    else:
        blob = b""
        for kind, data in _frames(exchange) if exchange.pieces is None else _events(exchange.pieces):
            if kind == "chunk":
                yield from _object(None, data)
            elif kind == "PayloadPart":
                blob += data
            elif isinstance(data, dict):
                yield kind, data
            else:
                yield from _object(kind, data)
        yield from _lines(blob)


def _joined(pieces: typing.Sequence[tuple[float, typing.Any]]) -> bytes:
    return b"".join(data for _, data in pieces)


def _frames(exchange: Exchange) -> typing.Iterator[tuple[str, typing.Any]]:
    for frame in decode(exchange.chunks)[0]:
        kind, payload = frame.headers.get(":event-type", ""), frame.payload
        # a chunk's event stands in base64 in its JSON
        yield kind, base64.b64decode(json.loads(payload)["bytes"]) if kind == "chunk" else payload


def _events(pieces: list[tuple[float, typing.Any]]) -> typing.Iterator[tuple[str, typing.Any]]:
    """As boto3 hands them over."""
    for _, event in pieces:
        for kind, inner in event.items():
            yield (
                kind,
                inner.get("bytes" if kind == "chunk" else "Bytes", b"") if kind in ("chunk", "PayloadPart") else inner,
            )


def _lines(blob: bytes) -> typing.Iterator[Document]:
    """Server-sent events; of a server that did not stream, its answer."""
    if blob.lstrip()[:1] == b"{":
        yield from _object("whole", blob)
    for line in blob.split(b"\n"):
        if line.startswith(b"data:") and line[5:].strip() != b"[DONE]":
            yield from _object(None, line[5:])


def _object(kind: str | None, data: bytes) -> typing.Iterator[Document]:
    try:
        value = read_json(data)
    except NO_JSON:
        return
    if type(value) is dict:
        yield kind, value


# --- what it says ---


def _input(text: str) -> dict:
    """A tool's input from its pieces; empty where it was cut off."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _converse_blocks(documents: list[Document]) -> list[dict]:
    for kind, answer in documents:
        if kind == "whole":
            return [b for b in objects(part(part(answer, "output"), "message"), "content") if b.get("text") != ""]
    blocks: dict[int, dict] = {}
    inner = [
        pair for kind, event in documents for pair in ([(kind, event)] if kind else event.items())
    ]  # Nova's are keys
    for kind, event in inner:
        if kind not in ("contentBlockStart", "contentBlockDelta") or type(event) is not dict:
            continue
        index = event.get("contentBlockIndex", 0)
        if used := part(part(event, "start"), "toolUse"):
            blocks[index] = {"toolUse": {"toolUseId": used.get("toolUseId"), "name": used.get("name"), "input": ""}}
        _add_converse_delta(blocks, index, part(event, "delta"))
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = _input(block["toolUse"]["input"])
    return [blocks[index] for index in sorted(blocks)]


def _add_converse_delta(blocks: dict[int, dict], index: int, delta: dict) -> None:
    if text := delta.get("text"):
        blocks.setdefault(index, {"text": ""})["text"] += text
    elif "toolUse" in delta:
        used = blocks.setdefault(index, {"toolUse": {"toolUseId": None, "name": None, "input": ""}})["toolUse"]
        used["input"] += part(delta, "toolUse").get("input") or ""
    elif thought := part(delta, "reasoningContent"):
        if hidden := thought.get("redactedContent"):
            text = base64.b64encode(hidden).decode() if isinstance(hidden, bytes) else hidden
            blocks[index] = {"reasoningContent": {"redactedContent": text}}
            return
        block = blocks.setdefault(index, {"reasoningContent": {"reasoningText": {"text": ""}}})
        told = block["reasoningContent"]["reasoningText"]
        told["text"] += thought.get("text") or ""
        if signature := thought.get("signature"):
            told["signature"] = told.get("signature", "") + signature


_CLAUDE_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def _claude_blocks(documents: list[Document]) -> list[dict]:
    for kind, answer in documents:
        if kind == "whole":
            return [b for b in objects(answer, "content") if b.get("text") != ""]
    blocks: dict[int, dict] = {}
    inputs: dict[int, str] = {}
    for _, event in documents:
        index = event.get("index", 0)
        if event.get("type") == "content_block_start":
            blocks[index] = dict(part(event, "content_block"))
        elif event.get("type") == "content_block_delta" and index in blocks:
            delta = part(event, "delta")
            if key := _CLAUDE_TEXTS.get(delta.get("type", "")):
                blocks[index][key] = blocks[index].get(key, "") + (delta.get(key) or "")
            elif delta.get("type") == "input_json_delta":
                inputs[index] = inputs.get(index, "") + (delta.get("partial_json") or "")
    for index, text in inputs.items():
        blocks[index]["input"] = _input(text)
    return [blocks[index] for index in sorted(blocks) if blocks[index].get("text") != ""]


def _functions(documents: list[Document]) -> list[dict]:
    """The first choice's calls, each put together from its pieces."""
    calls: dict[int, dict] = {}
    for _, event in documents:
        for choice in objects(event, "choices")[:1]:
            told = objects(part(choice, "delta") or part(choice, "message"), "tool_calls")
            for place, piece in enumerate(told):
                function = part(piece, "function")
                call = calls.setdefault(
                    piece.get("index", place), {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
                )
                call["id"] = call["id"] or piece.get("id") or ""
                call["function"]["name"] = call["function"]["name"] or function.get("name") or ""
                arguments = function.get("arguments") or ""
                call["function"]["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)
    return [calls[index] for index in sorted(calls)]


def _output_items(documents: list[Document], keeps: bool) -> list[dict]:
    """Responses' output as input. keeps: whether the service does, so that it knows reasoning by its id; else only what is
    encrypted in the item can go back."""
    output: list[dict] = []
    for kind, event in documents:
        if kind == "whole":
            output = objects(event, "output")
        elif event.get("type") in _ENDS:
            output = objects(part(event, "response"), "output")
    items: list[dict] = []
    for item in output:
        match item.get("type"):
            case "message":
                text = "".join(p["text"] for p in objects(item, "content") if isinstance(p.get("text"), str))
                items += text_items("openai-responses", text) if text else []
            case "function_call":
                items.append({key: item[key] for key in ("type", "call_id", "name", "arguments") if key in item})
            case "reasoning" if keeps or item.get("encrypted_content"):
                items.append({key: value for key, value in item.items() if key not in ("content", "status")})
    return items
