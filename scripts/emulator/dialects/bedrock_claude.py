"""Claude's Messages on InvokeModel: each event in a chunk, the last one with Bedrock's own counts."""

from scripts.emulator.dialects import Call, Piece, chunk, claude_messages, want
from scripts.emulator.dialects.billed import invocation_metrics

whole = claude_messages.whole


def read(body: dict) -> Call:
    version = want(body, "anthropic_version", str, required=True)
    call = claude_messages.read(body)
    call.options["anthropic_version"] = version
    return call


def _chunks(events: list[claude_messages.Event]) -> list[Piece]:
    return [chunk(*event) for event in events]


def opening(a) -> list[Piece]:
    return _chunks(claude_messages.opening(a))


def delta(a, text: str, token_id: int) -> list[Piece]:
    return _chunks(claude_messages.delta(a, text, token_id))


def closing(a) -> list[Piece]:
    return _chunks(claude_messages.closing(a, **invocation_metrics(a)))
