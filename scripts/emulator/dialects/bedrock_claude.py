"""Anthropic Claude's Messages bodies of InvokeModel."""

from scripts.emulator.dialects import NUMBER, Call, Piece, chat, chunk, content_text, invocation_metrics, positive, want
from scripts.emulator.errors import BadBody

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence"}


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
        out["usage"] = {"input_tokens": a.prompt_tokens, "output_tokens": output_tokens}
    return out


def whole(a) -> dict:
    content = [{"type": "text", "text": a.text()}] if a.tokens else []
    return _message(a, content, _STOP[a.stop], a.completion_tokens)


def opening(a) -> list[Piece]:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return [chunk("start", {"type": "message_start", "message": _message(a, [], None, 1)}), chunk("start", start)]


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [chunk("delta", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})]


def closing(a) -> list[Piece]:
    end = {"type": "message_delta", "delta": {"stop_reason": _STOP[a.stop], "stop_sequence": None}}
    if a.reports_usage:
        end["usage"] = {"output_tokens": a.completion_tokens}
    return [
        chunk("start", {"type": "content_block_stop", "index": 0}),
        chunk("start", end),
        chunk("close", {"type": "message_stop", **invocation_metrics(a)}),
    ]
