"""Anthropic's Messages: how a request is read, and what an answer and its stream say, whatever each event travels in."""

import typing

from scripts.emulator.dialects import (
    NUMBER,
    Call,
    chat,
    content_text,
    conversation,
    positive,
    stops,
    want,
)
from scripts.emulator.dialects.billed import cache_counts, cache_creation, cache_points
from scripts.emulator.dialects.converse import SIGNATURE
from scripts.emulator.dialects.media import media_tokens
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought
from scripts.emulator.dialects.tools import claude_offer, made, newest

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence", "tool": "tool_use"}
_TEXT = {"type": "text", "text": ""}
_THINKING = {"type": "thinking", "thinking": "", "signature": ""}


class Event(typing.NamedTuple):
    """One event of a stream. kind: a Piece's."""

    kind: str
    value: dict


def read(body: dict) -> Call:
    """What Bedrock's body and Anthropic's own have in common. Raises BadBody, AwsError."""
    want(body, "max_tokens", int, required=True)
    conversation.check_claude(body)
    tools = want(body, "tools", list)
    prompt, messages = chat(body.get("messages"), content_text(body.get("system", "")), tools)
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(body, "max_tokens", 1),
        temperature=want(body, "temperature", NUMBER),
        top_p=want(body, "top_p", NUMBER),
        stop=stops(body, "stop_sequences"),
        offer=claude_offer(body),
        media_tokens=media_tokens(body["messages"]),
        schema=_form(body),
        cache_points=cache_points(body.get("system"), body["messages"], tools),
    )


def _form(body: dict) -> dict | bool | None:
    """The schema of the JSON that is asked for."""
    form = want(body, "output_format", dict) or want(want(body, "output_config", dict, {}), "format", dict)
    return want(form, "schema", dict, required=True) if form else None


def _message(a, content: list, stop: str | None, output_tokens: int) -> dict:
    out = {
        "model": a.target_name,
        "id": f"msg_bdrk_{a.request_id.replace('-', '')[:24]}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": a.matched,
    }
    if a.reports_usage:
        out["usage"] = {
            "input_tokens": a.input_tokens(),
            **cache_counts(a, "cache_read_input_tokens", "cache_creation_input_tokens"),
            **cache_creation(a),
            "output_tokens": output_tokens,
        }
    return out


def whole(a) -> dict:
    content: list[dict] = []
    if thought(a):
        content.append({"type": "thinking", "thinking": thought(a), "signature": SIGNATURE})
    calls = made(a)
    if said(a) and not calls:
        content.append({"type": "text", "text": said(a)})
    content += [{**_tool(a, m.number), "input": m.value()} for m in calls]
    return _message(a, content, _STOP[a.stop], a.completion_tokens)


def _tool(a, index: int) -> dict[str, typing.Any]:
    """The head of a call."""
    tool_id = f"toolu_bdrk_{a.request_id.replace('-', '')[:22]}{index:02}"
    return {"type": "tool_use", "id": tool_id, "name": a.call.tools[index].name, "input": {}}


def _start(index: int, block: dict) -> Event:
    return Event("start", {"type": "content_block_start", "index": index, "content_block": block})


def _stop(index: int) -> Event:
    return Event("start", {"type": "content_block_stop", "index": index})


def _delta(kind: str, index: int, delta: dict) -> Event:
    return Event(kind, {"type": "content_block_delta", "index": index, "delta": delta})


def _sign() -> Event:
    return _delta("start", 0, {"type": "signature_delta", "signature": SIGNATURE})


def opening(a) -> list[Event]:
    start = Event("start", {"type": "message_start", "message": _message(a, [], None, 1)})
    if a.reasoning_tokens:
        return [start, _start(0, _THINKING)]
    return [start] if a.call.tools else [start, _start(0, _TEXT)]


def delta(a, text: str, token_id: int) -> list[Event]:
    if thinks(a):
        return [_delta("delta", 0, {"type": "thinking_delta", "thinking": text})]
    pieces = [_sign(), _stop(0)] if first_said(a) else []
    index = 1 if a.reasoning_tokens else 0
    if a.call.tools:
        return pieces + _call_delta(a, index, text)
    pieces += [_start(1, _TEXT)] if first_said(a) else []
    return [*pieces, _delta("delta", index, {"type": "text_delta", "text": text})]


def _call_delta(a, index: int, text: str) -> list[Event]:
    """Of a call's input; its first piece opens a block. index: of the first call's block."""
    call, first = newest(a)
    pieces = []
    if first:
        pieces = [_stop(index + call - 1)] if call else []
        pieces.append(_start(index + call, _tool(a, call)))
    return [*pieces, _delta("delta", index + call, {"type": "input_json_delta", "partial_json": text})]


def closing(a, **metrics: typing.Any) -> list[Event]:
    """metrics: what the last event has besides."""
    end = {"type": "message_delta", "delta": {"stop_reason": _STOP[a.stop], "stop_sequence": a.matched}}
    if a.reports_usage:
        end["usage"] = {"output_tokens": a.completion_tokens}
    only_thought = a.reasoning_tokens and thinks(a)
    call = newest(a)[0] if a.call.tools and a.tokens and not only_thought else 0
    last = [_sign(), _stop(0)] if only_thought else [_stop((1 if a.reasoning_tokens else 0) + call)]
    if a.call.tools and not a.tokens and not only_thought:
        last = []  # no block was opened
    return [*last, Event("start", end), Event("close", {"type": "message_stop", **metrics})]
