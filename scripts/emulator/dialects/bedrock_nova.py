"""Amazon Nova's bodies of InvokeModel: Converse's shapes with Nova's own usage."""

from scripts.emulator.dialects import (
    NUMBER,
    Call,
    Piece,
    cache_prefix,
    chat,
    chunk,
    content_text,
    invocation_metrics,
    positive,
    want,
)

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence"}
_DEFAULT_MAX_TOKENS = 512


def read(body: dict) -> Call:
    config = want(body, "inferenceConfig", dict, {})
    limit = "maxTokens" if "maxTokens" in config else "max_new_tokens"
    system = want(body, "system", list, [])
    prompt, messages = chat(body.get("messages"), content_text(system))
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(config, limit, _DEFAULT_MAX_TOKENS),
        temperature=want(config, "temperature", NUMBER),
        top_p=want(config, "topP", NUMBER, want(config, "top_p", NUMBER)),
        stop=want(config, "stopSequences", list, []),
        cache_prefix=cache_prefix(system, body["messages"]),
    )


def _usage(a) -> dict:
    if not a.reports_usage:
        return {}
    return {
        "usage": {
            "cacheReadInputTokenCount": a.cache_read or 0,  # Nova counts them always, even without a cache point
            "cacheWriteInputTokenCount": a.cache_write or 0,
            "inputTokens": a.input_tokens(),
            "outputTokens": a.completion_tokens,
            "totalTokens": a.prompt_tokens + a.completion_tokens,
        }
    }


def whole(a) -> dict:
    return {
        "output": {"message": {"content": [{"text": a.text()}], "role": "assistant"}},
        "stopReason": _STOP[a.stop],
        **_usage(a),
    }


def opening(a) -> list[Piece]:
    return [chunk("start", {"messageStart": {"role": "assistant"}})]


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [chunk("delta", {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}})]


def closing(a) -> list[Piece]:
    metadata = {"metadata": {**_usage(a), "metrics": {}, "trace": {}}, **invocation_metrics(a)}
    return [
        chunk("start", {"contentBlockStop": {"contentBlockIndex": 0}}),
        chunk("close", {"messageStop": {"stopReason": _STOP[a.stop]}}),
        chunk("usage", metadata),
    ]
