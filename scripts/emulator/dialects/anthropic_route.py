"""Claude's Messages on Anthropic's own route: server-sent events that bear the names of their types."""

from scripts.emulator.dialects import Call, Piece, claude_messages, named, want

STREAM_TYPE = "text/event-stream; charset=utf-8"
whole = claude_messages.whole


def read(body: dict) -> Call:
    call = claude_messages.read(body)
    call.stream = want(body, "stream", bool, False)
    return call


def _sent(events: list[claude_messages.Event]) -> list[Piece]:
    return [named(*event) for event in events]


def opening(a) -> list[Piece]:
    return _sent(claude_messages.opening(a))


def delta(a, text: str, token_id: int) -> list[Piece]:
    return _sent(claude_messages.delta(a, text, token_id))


def closing(a) -> list[Piece]:
    return _sent(claude_messages.closing(a))


def too_long(prompt_tokens: int, max_tokens: int, limit: int) -> str:
    return f"prompt is too long: {prompt_tokens} tokens > {limit - max_tokens} maximum"
