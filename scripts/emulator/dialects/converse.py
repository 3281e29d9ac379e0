"""Bedrock's Converse and ConverseStream, which are the same for every model family.

A request whose `toolChoice` demands a tool is answered with a call of it: the text is the tool's input.
"""

import functools
import json

from scripts.emulator.dialects import (
    NUMBER,
    Call,
    Piece,
    cache_counts,
    cache_prefix,
    chat,
    content_text,
    positive,
    want,
)
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import padded

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence"}
_DEFAULT_MAX_TOKENS = 512
_STANDARD = {"performanceConfig": {"latency": "standard"}, "serviceTier": {"type": "default"}}
SIGNATURE = "c2lnbmF0dXJl"  # of reasoning; opaque to clients


def read(body: dict) -> Call:
    config = want(body, "inferenceConfig", dict, {})
    system = want(body, "system", list, [])
    prompt, messages = chat(body.get("messages"), content_text(system))
    guardrail = want(body, "guardrailConfig", dict, {})
    options = {k: body[k] for k in ("performanceConfig", "serviceTier") if isinstance(body.get(k), dict)}
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(config, "maxTokens", _DEFAULT_MAX_TOKENS),
        temperature=want(config, "temperature", NUMBER),
        top_p=want(config, "topP", NUMBER),
        stop=want(config, "stopSequences", list, []),
        options={"served": options, "tool": _demanded(want(body, "toolConfig", dict, {}))},
        cache_prefix=cache_prefix(system, body["messages"]),
        guardrail=f"{guardrail.get('guardrailIdentifier')}:{guardrail.get('guardrailVersion')}" if guardrail else None,
    )


def _demanded(config: dict) -> str | None:
    """The name of the tool that `toolChoice` demands."""
    choice = want(config, "toolChoice", dict, {})
    try:
        if "any" in choice:
            return config["tools"][0]["toolSpec"]["name"]
        return choice["tool"]["name"] if "tool" in choice else None
    except (LookupError, TypeError):
        raise BadBody("#/toolConfig: toolChoice names no tool") from None


def _usage(a) -> dict:
    return {
        "inputTokens": a.input_tokens(),
        "outputTokens": a.completion_tokens,
        "totalTokens": a.prompt_tokens + a.completion_tokens,
        **cache_counts(a, "cacheReadInputTokens", "cacheWriteInputTokens"),
    }


def _tool_id(a) -> str:
    return f"tooluse_{a.request_id.replace('-', '')[:22]}"


def _stop(a) -> str:
    if a.blocked:
        return "guardrail_intervened"
    return "tool_use" if a.call.options["tool"] else _STOP[a.stop]


def _served(a) -> dict:
    """The settings that the request asked for, as they were served."""
    asked = a.call.options["served"]
    return {key: _STANDARD[key] for key in asked} if a.target.standard_only else asked


def _content(a) -> list[dict]:
    content = []
    if thought(a):
        content.append({"reasoningContent": {"reasoningText": {"text": thought(a), "signature": SIGNATURE}}})
    if name := a.call.options["tool"]:
        return [*content, {"toolUse": {"toolUseId": _tool_id(a), "name": name, "input": {"text": said(a)}}}]
    return [*content, {"text": said(a)}]


def whole(a) -> dict:
    out = {
        "metrics": {"latencyMs": a.elapsed_ms()},
        "output": {"message": {"content": _content(a), "role": "assistant"}},
        "stopReason": _stop(a),
        "usage": _usage(a),
        **_served(a),
    }
    if not a.reports_usage:
        del out["usage"]
    return out


def opening(a) -> list[Piece]:
    return [Piece("start", "messageStart", padded({"role": "assistant"}))]


@functools.lru_cache(maxsize=4096)
def _delta(index: int, kind: str, text: str) -> Piece:
    value = {"text": text} if kind == "text" else {kind: {"input" if kind == "toolUse" else "text": text}}
    return Piece("delta", "contentBlockDelta", padded({"contentBlockIndex": index, "delta": value}))


def _block_stop(index: int) -> Piece:
    return Piece("start", "contentBlockStop", padded({"contentBlockIndex": index}))


def _after_reasoning() -> list[Piece]:
    delta = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": SIGNATURE}}}
    return [Piece("start", "contentBlockDelta", padded(delta)), _block_stop(0)]


def _index(a) -> int:
    return 1 if a.target.reasoning_tokens else 0


def delta(a, text: str, token_id: int) -> list[Piece]:
    if thinks(a):
        return [_delta(0, "reasoningContent", text)]
    pieces = _after_reasoning() if first_said(a) else []
    name = a.call.options["tool"]
    if not name:
        return [*pieces, _delta(_index(a), "text", text)]
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    if len(a.tokens) == a.target.reasoning_tokens + 1:
        start = {"contentBlockIndex": _index(a), "start": {"toolUse": {"toolUseId": _tool_id(a), "name": name}}}
        pieces.append(Piece("start", "contentBlockStart", padded(start)))
        escaped = '{"text": "' + escaped
    return [*pieces, _delta(_index(a), "toolUse", escaped)]


def closing(a) -> list[Piece]:
    pieces = []
    if a.tokens and thinks(a):
        pieces += _after_reasoning()
    elif a.tokens:
        if a.call.options["tool"]:
            pieces.append(_delta(_index(a), "toolUse", '"}'))
        pieces.append(_block_stop(_index(a)))
    pieces.append(Piece("close", "messageStop", padded({"stopReason": _stop(a)})))
    if a.reports_usage:
        metadata = {"metrics": {"latencyMs": a.elapsed_ms()}, "usage": _usage(a), **_served(a)}
        pieces.append(Piece("usage", "metadata", padded(metadata)))
    return pieces
