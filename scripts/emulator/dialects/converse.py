"""Bedrock's Converse and ConverseStream, which are the same for every model family."""

import functools

from scripts.emulator.dialects import NUMBER, Call, Piece, chat, content_text, positive, want
from scripts.emulator.frames import padded

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence"}
_DEFAULT_MAX_TOKENS = 512


def read(body: dict) -> Call:
    config = want(body, "inferenceConfig", dict, {})
    system = content_text(want(body, "system", list, []))
    prompt, messages = chat(body.get("messages"), system)
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(config, "maxTokens", _DEFAULT_MAX_TOKENS),
        temperature=want(config, "temperature", NUMBER),
        top_p=want(config, "topP", NUMBER),
        stop=want(config, "stopSequences", list, []),
        options={k: body[k] for k in ("performanceConfig", "serviceTier") if isinstance(body.get(k), dict)},
    )


def _usage(a) -> dict:
    return {
        "inputTokens": a.prompt_tokens,
        "outputTokens": a.completion_tokens,
        "totalTokens": a.prompt_tokens + a.completion_tokens,
    }


def whole(a) -> dict:
    out = {
        "metrics": {"latencyMs": a.elapsed_ms()},
        "output": {"message": {"content": [{"text": a.text()}], "role": "assistant"}},
        "stopReason": _STOP[a.stop],
        "usage": _usage(a),
        **a.call.options,
    }
    if not a.reports_usage:
        del out["usage"]
    return out


def opening(a) -> list[Piece]:
    return [Piece("start", "messageStart", padded({"role": "assistant"}))]


@functools.lru_cache(maxsize=4096)
def _delta(text: str) -> list[Piece]:
    return [Piece("delta", "contentBlockDelta", padded({"contentBlockIndex": 0, "delta": {"text": text}}))]


def delta(a, text: str, token_id: int) -> list[Piece]:
    return _delta(text)


def closing(a) -> list[Piece]:
    pieces = [Piece("start", "contentBlockStop", padded({"contentBlockIndex": 0}))] if a.tokens else []
    pieces.append(Piece("close", "messageStop", padded({"stopReason": _STOP[a.stop]})))
    if a.reports_usage:
        pieces.append(
            Piece(
                "usage",
                "metadata",
                padded({"metrics": {"latencyMs": a.elapsed_ms()}, "usage": _usage(a), **a.call.options}),
            )
        )
    return pieces
