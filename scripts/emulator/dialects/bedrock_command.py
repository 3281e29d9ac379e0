"""Cohere Command's bodies of InvokeModel. A stream comes in pieces only when the body says `stream: true`."""

from scripts.emulator.dialects import NUMBER, Call, Piece, chunk, positive, stops, want
from scripts.emulator.dialects.billed import invocation_metrics

STOP = {"length": "MAX_TOKENS", "stop": "COMPLETE", "stop_sequence": "COMPLETE"}
_DEFAULT_MAX_TOKENS = 20


def call(body: dict, key: str, default: int) -> Call:
    """What Command and Command R have in common; `key` is the prompt's."""
    return Call(
        prompt=want(body, key, str, required=True),
        max_tokens=positive(body, "max_tokens", default),
        temperature=want(body, "temperature", NUMBER),
        top_p=want(body, "p", NUMBER),
        stop=stops(body, "stop_sequences"),
        stream=want(body, "stream", bool, False),
    )


def read(body: dict) -> Call:
    return call(body, "prompt", _DEFAULT_MAX_TOKENS)


def whole(a) -> dict:
    generation = {"finish_reason": STOP[a.stop], "id": a.request_id, "text": a.text()}
    return {"generations": [generation], "id": a.request_id, "prompt": a.call.prompt}


def opening(a) -> list[Piece]:
    return []


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [chunk("delta", {"text": text, "is_finished": False})] if a.call.stream else []


def closing(a) -> list[Piece]:
    end = {"is_finished": True, "finish_reason": STOP[a.stop], **invocation_metrics(a)}
    return [chunk("close", end)] if a.call.stream else [chunk("last", {**whole(a), **end})]
