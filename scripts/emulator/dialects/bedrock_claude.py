"""Anthropic Claude's Messages bodies of InvokeModel."""

from scripts.emulator.dialects import (
    NUMBER,
    Call,
    Piece,
    cache_counts,
    cache_prefix,
    chat,
    chunk,
    content_text,
    invocation_metrics,
    positive,
    want,
)
from scripts.emulator.dialects.converse import SIGNATURE
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought
from scripts.emulator.errors import BadBody

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence"}
_TEXT = {"type": "text", "text": ""}
_THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def read(body: dict) -> Call:
    if want(body, "anthropic_version", str, required=True) != "bedrock-2023-05-31":
        raise BadBody("#/anthropic_version: bedrock-2023-05-31 is the only version")
    want(body, "max_tokens", int, required=True)
    prompt, messages = chat(body.get("messages"), content_text(body.get("system", "")))
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(body, "max_tokens", 1),
        temperature=want(body, "temperature", NUMBER),
        top_p=want(body, "top_p", NUMBER),
        stop=want(body, "stop_sequences", list, []),
        cache_prefix=cache_prefix(body.get("system"), body["messages"]),
    )


def _message(a, content: list, stop: str | None, output_tokens: int) -> dict:
    out = {
        "model": a.target_name,
        "id": f"msg_bdrk_{a.request_id.replace('-', '')[:24]}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
    }
    if a.reports_usage:
        out["usage"] = {
            "input_tokens": a.input_tokens(),
            **cache_counts(a, "cache_read_input_tokens", "cache_creation_input_tokens"),
            "output_tokens": output_tokens,
        }
    return out


def whole(a) -> dict:
    content = []
    if thought(a):
        content.append({"type": "thinking", "thinking": thought(a), "signature": SIGNATURE})
    if said(a):
        content.append({"type": "text", "text": said(a)})
    return _message(a, content, _STOP[a.stop], a.completion_tokens)


def _start(index: int, block: dict) -> Piece:
    return chunk("start", {"type": "content_block_start", "index": index, "content_block": block})


def _stop(index: int) -> Piece:
    return chunk("start", {"type": "content_block_stop", "index": index})


def _delta(kind: str, index: int, delta: dict) -> Piece:
    return chunk(kind, {"type": "content_block_delta", "index": index, "delta": delta})


def _sign() -> Piece:
    return _delta("start", 0, {"type": "signature_delta", "signature": SIGNATURE})


def opening(a) -> list[Piece]:
    start = chunk("start", {"type": "message_start", "message": _message(a, [], None, 1)})
    return [start, _start(0, _THINKING if a.target.reasoning_tokens else _TEXT)]


def delta(a, text: str, token_id: int) -> list[Piece]:
    if thinks(a):
        return [_delta("delta", 0, {"type": "thinking_delta", "thinking": text})]
    pieces = [_sign(), _stop(0), _start(1, _TEXT)] if first_said(a) else []
    index = 1 if a.target.reasoning_tokens else 0
    return [*pieces, _delta("delta", index, {"type": "text_delta", "text": text})]


def closing(a) -> list[Piece]:
    end = {"type": "message_delta", "delta": {"stop_reason": _STOP[a.stop], "stop_sequence": None}}
    if a.reports_usage:
        end["usage"] = {"output_tokens": a.completion_tokens}
    only_thought = a.target.reasoning_tokens and thinks(a)
    last = [_sign(), _stop(0)] if only_thought else [_stop(1 if a.target.reasoning_tokens else 0)]
    return [*last, chunk("start", end), chunk("close", {"type": "message_stop", **invocation_metrics(a)})]
