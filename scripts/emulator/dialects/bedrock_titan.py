"""Amazon Titan Text's bodies of InvokeModel."""

from scripts.emulator.dialects import NUMBER, Call, Piece, chunk, positive, stops, want
from scripts.emulator.dialects.billed import invocation_metrics

_STOP = {"length": "LENGTH", "stop": "FINISH", "stop_sequence": "STOP_CRITERIA_MET"}
_DEFAULT_MAX_TOKENS = 512


def read(body: dict) -> Call:
    config = want(body, "textGenerationConfig", dict, {})
    return Call(
        prompt=want(body, "inputText", str, required=True),
        max_tokens=positive(config, "maxTokenCount", _DEFAULT_MAX_TOKENS),
        temperature=want(config, "temperature", NUMBER),
        top_p=want(config, "topP", NUMBER),
        stop=stops(config, "stopSequences"),
    )


def whole(a) -> dict:
    result = {"outputText": a.text(), "completionReason": _STOP[a.stop]}
    if not a.reports_usage:
        return {"results": [result]}
    return {"inputTextTokenCount": a.prompt_tokens, "results": [{"tokenCount": a.completion_tokens, **result}]}


def _event(a, kind: str, text: str, last: bool) -> Piece:
    """The counts stand in the last chunk only."""
    counted = last and a.reports_usage
    value = {
        "outputText": text,
        "index": 0,
        "totalOutputTextTokenCount": a.completion_tokens if counted else None,
        "completionReason": _STOP[a.stop] if last else None,
        "inputTextTokenCount": a.prompt_tokens if counted else None,
    }
    return chunk(kind, value | (invocation_metrics(a) if last else {}))


def opening(a) -> list[Piece]:
    return []


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [_event(a, "delta", text, False)]


def closing(a) -> list[Piece]:
    return [_event(a, "close", "", True)]
