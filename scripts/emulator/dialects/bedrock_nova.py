"""Amazon Nova's bodies of InvokeModel: Converse's shapes with Nova's own usage."""

from scripts.emulator.dialects import (
    NUMBER,
    Call,
    Piece,
    chat,
    chunk,
    content_text,
    conversation,
    positive,
    stops,
    want,
)
from scripts.emulator.dialects.billed import cache_points, invocation_metrics
from scripts.emulator.dialects.converse import tool_id, tool_uses
from scripts.emulator.dialects.media import media_tokens
from scripts.emulator.dialects.reasoning import thinks
from scripts.emulator.dialects.tools import converse_offer, newest

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence", "tool": "tool_use"}
_DEFAULT_MAX_TOKENS = 512


def read(body: dict) -> Call:
    config = want(body, "inferenceConfig", dict, {})
    limit = "maxTokens" if "maxTokens" in config else "max_new_tokens"
    system = want(body, "system", list, [])
    conversation.check_turns(body)
    tools = want(want(body, "toolConfig", dict, {}), "tools", list)
    prompt, messages = chat(body.get("messages"), content_text(system), tools)
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(config, limit, _DEFAULT_MAX_TOKENS),
        temperature=want(config, "temperature", NUMBER),
        top_p=want(config, "topP", NUMBER, want(config, "top_p", NUMBER)),
        stop=stops(config, "stopSequences"),
        offer=converse_offer(body),
        media_tokens=media_tokens(body["messages"]),
        cache_points=cache_points(system, body["messages"], tools),
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
        "output": {"message": {"content": tool_uses(a) or [{"text": a.text()}], "role": "assistant"}},
        "stopReason": _STOP[a.stop],
        **_usage(a),
    }


def opening(a) -> list[Piece]:
    return [chunk("start", {"messageStart": {"role": "assistant"}})]


def delta(a, text: str, token_id: int) -> list[Piece]:
    if a.call.tools:
        return [] if thinks(a) else _call_delta(a, text)
    return [chunk("delta", {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}})]


def _call_delta(a, text: str) -> list[Piece]:
    """Of a call's input; its first piece opens a block."""
    index, first = newest(a)
    pieces = []
    if first:
        pieces = [_block_stop(index - 1)] if index else []
        tool = {"toolUseId": tool_id(a, index), "name": a.call.tools[index].name}
        start = {"contentBlockStart": {"start": {"toolUse": tool}, "contentBlockIndex": index}}
        pieces.append(chunk("start", start))
    delta = {"delta": {"toolUse": {"input": text}}, "contentBlockIndex": index}
    return [*pieces, chunk("delta", {"contentBlockDelta": delta})]


def _block_stop(index: int) -> Piece:
    return chunk("start", {"contentBlockStop": {"contentBlockIndex": index}})


def closing(a) -> list[Piece]:
    metadata = {"metadata": {**_usage(a), "metrics": {}, "trace": {}}, **invocation_metrics(a)}
    return [
        _block_stop(newest(a)[0] if a.call.tools and a.tokens else 0),
        chunk("close", {"messageStop": {"stopReason": _STOP[a.stop]}}),
        chunk("usage", metadata),
    ]
