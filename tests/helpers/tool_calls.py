"""Requests that offer tools, in every dialect that has them, and what an answer calls: (name, input, stop reason, counted tokens)."""

import json
import typing

from tests.helpers import bodies, openai_wire, raw_wire

MODELS = {"claude": "anthropic.claude-3-haiku-20240307-v1:0", "nova": "amazon.nova-lite-v1:0"}
GPT = "openai.gpt-oss-20b-1:0"
#: an endpoint of its own for tools and refusals: quick, and without a limit on prompts
CONFIG = {
    "engines": {
        "quick": {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 20_000, "seed": 5},
        "batch": {
            "kind": "simulated", "prefill_tokens_per_second": 1e6, "decode_base_ms": 0.2, "decode_per_sequence_ms": 0.01,
            "batch_limit": 8, "seed": 5,
        },
    },
    "models": {
        **{model_id: {"engine": "quick", "family": family} for family, model_id in MODELS.items()},
        "two.claude": {"engine": "quick", "family": "claude", "tool_calls": 2},
        "new.claude": {"engine": "quick", "family": "claude", "anthropic_versions": ["2026-10-21"], "max_output_tokens": 9},
        "thinking.claude": {"engine": "quick", "family": "claude", "reasoning_tokens": 2},
        GPT: {"engine": "batch", "family": "openai-chat"},
    }
    | {model_id: {"engine": "batch", "family": family} for model_id, (family, _) in bodies.FAMILIES.items()},
    "openai": {"sim": {"engine": "batch"}, "two": {"engine": "quick", "tool_calls": 2}, "quick": {"engine": "quick"}},
    "endpoints": {
        "chat": {"engine": "quick", "dialect": "openai-chat"},
        "tgi": {"engine": "batch", "dialect": "tgi"},
        "lmi": {"engine": "quick", "dialect": "lmi"},
    },
}  # fmt: skip
#: surface -> (operation, target, dialect)
SURFACES = {
    "converse": ("Converse", MODELS["nova"], "converse"),
    "converse-claude": ("Converse", MODELS["claude"], "converse"),
    "converse-stream": ("ConverseStream", MODELS["claude"], "converse"),
    "claude": ("InvokeModel", MODELS["claude"], "claude"),
    "claude-stream": ("InvokeModelWithResponseStream", MODELS["claude"], "claude"),
    "claude-thinking": ("InvokeModel", "thinking.claude", "claude"),
    "claude-thinking-stream": ("InvokeModelWithResponseStream", "thinking.claude", "claude"),
    "nova": ("InvokeModel", MODELS["nova"], "nova"),
    "nova-stream": ("InvokeModelWithResponseStream", MODELS["nova"], "nova"),
    "gpt-oss": ("InvokeModel", GPT, "openai"),
    "openai": (openai_wire.CHAT, "sim", "openai"),
    "openai-stream": (openai_wire.CHAT, "sim", "openai-stream"),
}


class Called(typing.NamedTuple):
    calls: list[tuple[str, dict]]
    stop: str
    output_tokens: int
    deltas: int | None  # events with a piece of an input; None where the answer is whole


def body_of(dialect: str, tools: dict[str, dict], demand: str | None, limit: int = 400, prompt: str = "Hello") -> dict:
    """A request that offers tools, name -> schema. demand: `any`, the name of a tool, or None for auto."""
    if dialect == "claude":
        choice = (
            {"type": "any"} if demand == "any" else {"type": "tool", "name": demand} if demand else {"type": "auto"}
        )
        offered = [{"name": n, "input_schema": s} for n, s in tools.items()]
        return {
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": limit, "tools": offered, "tool_choice": choice,
            "messages": [{"role": "user", "content": prompt}],
        }  # fmt: skip
    if dialect.startswith("openai"):
        choice = "required" if demand == "any" else demand and {"type": "function", "function": {"name": demand}}
        offered = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in tools.items()]
        stream = {"stream": True, "stream_options": {"include_usage": True}} if dialect == "openai-stream" else {}
        return {
            "max_tokens": limit, "messages": [{"role": "user", "content": prompt}], "tools": offered,
            "tool_choice": choice or "auto", **stream,
        }  # fmt: skip
    choice = {"any": {}} if demand == "any" else {"tool": {"name": demand}} if demand else {"auto": {}}
    offered = [{"toolSpec": {"name": n, "inputSchema": {"json": s}}} for n, s in tools.items()]
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    config = {"inferenceConfig": {"maxTokens": limit}, "toolConfig": {"tools": offered, "toolChoice": choice}}
    return {"messages": messages, **config}


def ask(url: str, surface: str, tools: dict[str, dict], demand: str | None, **more) -> Called:
    operation, target, dialect = SURFACES[surface]
    body = body_of(dialect, tools, demand, **more)
    if operation.startswith("/"):
        return called(dialect, openai_wire.ask(url, operation, {"model": target, **body}))
    return called(dialect, raw_wire.send(url, operation, target, body))


def called(dialect: str, answer: raw_wire.RawAnswer) -> Called:
    """Read an answer of any of the surfaces. The pieces of a streamed input are put together here."""
    assert answer.status == 200, answer.body
    stream = answer.headers["content-type"] != "application/json"
    if dialect.startswith("openai"):
        return _openai_stream(openai_wire.values(answer)) if stream else _openai(answer.json())
    if not stream:
        return {"converse": _converse, "nova": _converse, "claude": _claude}[dialect](answer.json())
    events = [json.loads(f.payload) for f in answer.frames()]
    if dialect == "converse":
        names = [f.headers[":event-type"] for f in answer.frames()]
        return _converse_stream([{name: event} for name, event in zip(names, events, strict=True)])
    chunks = bodies.chunks_of(answer)
    return _claude_stream(chunks) if dialect == "claude" else _converse_stream(chunks)


def _converse(body: dict) -> Called:
    uses = [b["toolUse"] for b in body["output"]["message"]["content"] if "toolUse" in b]
    assert len({u["toolUseId"] for u in uses}) == len(uses)
    return Called([(u["name"], u["input"]) for u in uses], body["stopReason"], body["usage"]["outputTokens"], None)


def _claude(body: dict) -> Called:
    uses = [b for b in body["content"] if b["type"] == "tool_use"]
    return Called([(u["name"], u["input"]) for u in uses], body["stop_reason"], body["usage"]["output_tokens"], None)


def _openai(body: dict) -> Called:
    choice = body["choices"][0]
    calls = [c["function"] for c in choice["message"].get("tool_calls", ())]
    found = [(c["name"], json.loads(c["arguments"])) for c in calls]
    return Called(found, choice["finish_reason"], body["usage"]["completion_tokens"], None)


def _converse_stream(events: list[dict]) -> Called:
    """Of Converse, and of Nova, whose chunks have the same names."""
    names, texts, deltas, stop, count = {}, {}, 0, None, None
    for event in events:
        ((kind, value),) = [(k, v) for k, v in event.items() if not k.startswith("amazon")]
        if kind == "contentBlockStart":
            names[value["contentBlockIndex"]] = value["start"]["toolUse"]["name"]
        elif kind == "contentBlockDelta" and "toolUse" in value["delta"]:
            index, deltas = value["contentBlockIndex"], deltas + 1
            texts[index] = texts.get(index, "") + value["delta"]["toolUse"]["input"]
        elif kind == "messageStop":
            stop = value["stopReason"]
        elif kind == "metadata":
            count = value["usage"]["outputTokens"]
    return Called([(names[i], json.loads(text)) for i, text in texts.items()], stop, count, deltas)


def _claude_stream(events: list[dict]) -> Called:
    names, texts, open_blocks, deltas, end = {}, {}, set(), 0, {}
    for event in events:
        match event["type"]:
            case "content_block_start":
                open_blocks.add(event["index"])
                if event["content_block"]["type"] == "tool_use":
                    names[event["index"]] = event["content_block"]["name"]
            case "content_block_delta" if event["delta"]["type"] == "input_json_delta":
                assert event["index"] in open_blocks
                deltas += 1
                texts[event["index"]] = texts.get(event["index"], "") + event["delta"]["partial_json"]
            case "content_block_stop":
                open_blocks.remove(event["index"])
            case "message_delta":
                end = event
    assert not open_blocks
    calls = [(names[i], json.loads(text)) for i, text in texts.items()]
    return Called(calls, end["delta"]["stop_reason"], end["usage"]["output_tokens"], deltas)


def _openai_stream(events: list[dict]) -> Called:
    names, texts, deltas, stop = {}, {}, 0, None
    for choice in (c for e in events for c in e["choices"]):
        for call in choice["delta"].get("tool_calls", ()):
            deltas += 1
            if "name" in call["function"]:
                names[call["index"]] = call["function"]["name"]
            texts[call["index"]] = texts.get(call["index"], "") + call["function"]["arguments"]
        stop = choice["finish_reason"] or stop
    calls = [(names[i], json.loads(text)) for i, text in texts.items()]
    return Called(calls, stop, events[-1]["usage"]["completion_tokens"], deltas)
