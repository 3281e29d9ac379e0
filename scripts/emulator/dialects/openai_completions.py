"""OpenAI's text completions as vLLM serves them, by itself and in containers on SageMaker."""

from scripts.emulator.dialects import Call, Piece, openai_chat, positive, want
from scripts.emulator.dialects.billed import tier
from scripts.emulator.dialects.openai_messages import wanted_schema
from scripts.emulator.dialects.parts import split
from scripts.emulator.errors import BadBody

STREAM_TYPE = openai_chat.STREAM_TYPE
_DEFAULT_MAX_TOKENS = 16


def read(body: dict) -> Call:
    prompts = _prompts(want(body, "prompt", (str, list), required=True))
    call = Call(
        prompt="\n".join(text for text, _ in prompts),
        max_tokens=positive(body, "max_tokens", _DEFAULT_MAX_TOKENS),
        schema=wanted_schema(body, ""),
        token_ids=prompts[0][1],
        **openai_chat.sampling(body),
    )
    return split(call, prompts, openai_chat.number_of(body))


def _prompts(value) -> list[tuple[str, list[int] | None]]:
    """A text, several texts, a list of tokens, or several of these: as text, and as tokens where it came as those.
    Raises BadBody."""
    if isinstance(value, str):
        return [(value, None)]
    if value and all(isinstance(v, int) and not isinstance(v, bool) for v in value):
        return [(" ".join(map(str, value)), value)]
    if not value or not all(isinstance(v, str) or (isinstance(v, list) and v) for v in value):
        raise BadBody("#/prompt: expected a string, a list of strings, or lists of tokens")
    return [one for v in value for one in _prompts(v)]


def _body(a, text: str, finish: str | None) -> dict:
    reason = openai_chat.reason(a) if finish else {"stop_reason": None}
    return {
        "id": f"cmpl-{a.request_id}",
        "object": "text_completion",
        "created": a.created,
        "model": a.target_name,
        "choices": [{"index": a.index, "text": text, "logprobs": None, "finish_reason": finish, **reason}],
        **tier(a),
    }


def whole(a) -> dict:
    return _body(a, a.text(), openai_chat.STOP[a.stop]) | (openai_chat.usage(a) if a.reports_usage else {})


def _event(kind: str, a, text: str, finish: str | None) -> Piece:
    return openai_chat.sse(kind, _body(a, text, finish) | openai_chat.running(a))


def opening(a) -> list[Piece]:
    return []


def delta(a, text: str, token_id: int) -> list[Piece]:
    """The piece of a token; the one that reaches the limit waits for `closing`, for it has the reason."""
    a.withheld = a.at_limit()
    return [] if a.withheld else [_event("delta", a, text, None)]


def closing(a) -> list[Piece]:
    return [*finish(a), *ending(a)]


def finish(a) -> list[Piece]:
    """The end of a choice."""
    text = a.tokens[-1][0] if a.withheld else ""
    return [_event("delta" if a.withheld else "start", a, text, openai_chat.STOP[a.stop])]


def ending(a) -> list[Piece]:
    """The end of the stream."""
    pieces = []
    if a.call.options["include_usage"] and a.reports_usage:
        pieces.append(openai_chat.sse("usage", {**_body(a, "", None), "choices": [], **openai_chat.usage(a)}))
    return [*pieces, openai_chat.DONE]


usage = openai_chat.usage
refusal = openai_chat.refusal
too_long = openai_chat.too_long
