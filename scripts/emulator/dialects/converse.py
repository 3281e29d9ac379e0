"""Bedrock's Converse and ConverseStream, which are the same for every model family.

A request whose `toolChoice` demands a tool is answered with a call of it, whose input follows the tool's schema.
"""

import functools
import json

from scripts.emulator import frames
from scripts.emulator.dialects import NUMBER, Call, Piece, chat, content_text, conversation, positive, stops, want
from scripts.emulator.dialects.billed import cache_counts, cache_details, cache_points, converse_trace
from scripts.emulator.dialects.media import media_tokens
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought
from scripts.emulator.dialects.tools import converse_offer, made, newest
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import padded

_STOP = {"length": "max_tokens", "stop": "end_turn", "stop_sequence": "stop_sequence", "tool": "tool_use"}
_DEFAULT_MAX_TOKENS = 512
_STANDARD = {"performanceConfig": {"latency": "standard"}, "serviceTier": {"type": "default"}}
SIGNATURE = "c2lnbmF0dXJl"  # of reasoning; opaque to clients


def read(body: dict) -> Call:
    config = want(body, "inferenceConfig", dict, {})
    system = want(body, "system", list, [])
    conversation.check(body)
    prompt, messages = chat(body.get("messages"), content_text(system), want(body, "toolConfig", dict, {}).get("tools"))
    guardrail = want(body, "guardrailConfig", dict, {})
    options = {k: body[k] for k in ("performanceConfig", "serviceTier") if isinstance(body.get(k), dict)}
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(config, "maxTokens", _DEFAULT_MAX_TOKENS),
        temperature=want(config, "temperature", NUMBER),
        top_p=want(config, "topP", NUMBER),
        stop=stops(config, "stopSequences"),
        options={"served": options, "fields": want(body, "additionalModelResponseFieldPaths", list, [])},
        offer=converse_offer(body),
        media_tokens=media_tokens(body["messages"]),
        schema=_form(body),
        cache_points=cache_points(system, body["messages"], body.get("toolConfig", {}).get("tools")),
        guardrail=f"{guardrail.get('guardrailIdentifier')}:{guardrail.get('guardrailVersion')}" if guardrail else None,
        guardrail_trace=guardrail.get("trace") in ("enabled", "enabled_full"),
    )


def _form(body: dict) -> dict | bool | None:
    """The schema of the JSON that `outputConfig` asks for, or Claude's own `output_config`."""
    own = want(want(body, "additionalModelRequestFields", dict, {}), "output_config", dict, {})
    if claude := want(own, "format", dict):
        return want(claude, "schema", dict, required=True)
    form = want(want(body, "outputConfig", dict, {}), "textFormat", dict, {})
    if not form:
        return None
    try:
        return json.loads(form["structure"]["jsonSchema"]["schema"])
    except (LookupError, TypeError, ValueError):
        raise BadBody("#/outputConfig/textFormat: no JSON schema") from None


def _usage(a) -> dict:
    return {
        "inputTokens": a.input_tokens(),
        "outputTokens": a.completion_tokens,
        "totalTokens": a.prompt_tokens + a.completion_tokens,
        **cache_counts(a, "cacheReadInputTokens", "cacheWriteInputTokens"),
        **cache_details(a),
    }


def tool_id(a, index: int) -> str:
    return f"tooluse_{a.request_id.replace('-', '')[:20]}{index:02}"


def _stop(a) -> str:
    if a.blocked:
        return "guardrail_intervened"
    return _STOP[a.stop]


def _served(a) -> dict:
    """The settings that the request asked for, as they were served."""
    asked = a.call.options["served"]
    return {key: _STANDARD[key] for key in asked} if a.target.standard_only else asked


def _content(a) -> list[dict]:
    content = []
    if thought(a):
        content.append({"reasoningContent": {"reasoningText": {"text": thought(a), "signature": SIGNATURE}}})
    return content + (tool_uses(a) or [{"text": said(a)}])


def tool_uses(a) -> list[dict]:
    """The calls of tools, as blocks."""
    return [{"toolUse": {"toolUseId": tool_id(a, m.number), "name": m.tool.name, "input": m.value()}} for m in made(a)]


def _asked_fields(a) -> dict:
    """What `additionalModelResponseFieldPaths` names of the model's own answer: here it has a stop sequence alone."""
    if "/stop_sequence" not in a.call.options["fields"]:
        return {}
    return {"additionalModelResponseFields": {"stop_sequence": a.matched}}


def whole(a) -> dict:
    out = {
        "metrics": {"latencyMs": a.elapsed_ms()},
        "output": {"message": {"content": _content(a), "role": "assistant"}},
        "stopReason": _stop(a),
        **_asked_fields(a),
        "usage": _usage(a),
        **_served(a),
        **converse_trace(a),
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


@functools.lru_cache(maxsize=4096)
def _event(text: str) -> bytes:
    return frames.event("contentBlockDelta", _delta(0, "text", text).payload)


def plain(a):
    """Bytes of a text's event."""
    return _event


def _block_stop(index: int) -> Piece:
    return Piece("start", "contentBlockStop", padded({"contentBlockIndex": index}))


def _after_reasoning() -> list[Piece]:
    delta = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": SIGNATURE}}}
    return [Piece("start", "contentBlockDelta", padded(delta)), _block_stop(0)]


def _index(a) -> int:
    return 1 if a.reasoning_tokens else 0


def delta(a, text: str, token_id: int) -> list[Piece]:
    if thinks(a):
        return [_delta(0, "reasoningContent", text)]
    pieces = _after_reasoning() if first_said(a) else []
    if not a.call.tools:
        return [*pieces, _delta(_index(a), "text", text)]
    call, first = newest(a)
    index = _index(a) + call
    if first:
        pieces += [_block_stop(index - 1)] if call else []
        tool = {"toolUseId": tool_id(a, call), "name": a.call.tools[call].name}
        start = {"contentBlockIndex": index, "start": {"toolUse": tool}}
        pieces.append(Piece("start", "contentBlockStart", padded(start)))
    return [*pieces, _delta(index, "toolUse", text)]


def closing(a) -> list[Piece]:
    pieces = []
    if a.tokens and thinks(a):
        pieces += _after_reasoning()
    elif a.tokens:
        pieces.append(_block_stop(_index(a) + (newest(a)[0] if a.call.tools else 0)))
    pieces.append(Piece("close", "messageStop", padded({"stopReason": _stop(a), **_asked_fields(a)})))
    if a.reports_usage:
        metadata = {"metrics": {"latencyMs": a.elapsed_ms()}, "usage": _usage(a), **_served(a), **converse_trace(a)}
        pieces.append(Piece("usage", "metadata", padded(metadata)))
    return pieces
