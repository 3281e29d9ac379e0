"""Meta Llama bodies of InvokeModel: a raw prompt, `max_gen_len`, counts in every chunk."""

from scripts.emulator.dialects import NUMBER, Call, Piece, chunk, positive, want
from scripts.emulator.dialects.billed import invocation_metrics

_STOP = {"length": "length", "stop": "stop", "stop_sequence": "stop"}
_DEFAULT_MAX_GEN_LEN = 512


def read(body: dict) -> Call:
    return Call(
        prompt=want(body, "prompt", str, required=True),
        max_tokens=positive(body, "max_gen_len", _DEFAULT_MAX_GEN_LEN),
        temperature=want(body, "temperature", NUMBER),
        top_p=want(body, "top_p", NUMBER),
    )


def _event(a, text: str, first: bool, stop: str | None) -> dict:
    """The prompt's count stands in the first chunk only."""
    return {
        "generation": text,
        "prompt_token_count": a.prompt_tokens if first and a.reports_usage else None,
        "generation_token_count": a.completion_tokens if a.reports_usage else None,
        "stop_reason": stop,
    }


def whole(a) -> dict:
    return _event(a, a.text(), True, _STOP[a.stop])


def opening(a) -> list[Piece]:
    return []


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [chunk("delta", _event(a, text, len(a.tokens) == 1, None))]


def closing(a) -> list[Piece]:
    return [chunk("close", {**_event(a, "", not a.tokens, _STOP[a.stop]), **invocation_metrics(a)})]
