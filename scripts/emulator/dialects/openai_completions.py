"""OpenAI's text completions as vLLM serves them, by itself and in containers on SageMaker."""

from scripts.emulator.dialects import Call, Piece, openai_chat, positive, want

STREAM_TYPE = openai_chat.STREAM_TYPE
_DEFAULT_MAX_TOKENS = 16


def read(body: dict) -> Call:
    return Call(
        prompt=want(body, "prompt", str, required=True),
        max_tokens=positive(body, "max_tokens", _DEFAULT_MAX_TOKENS),
        **openai_chat.sampling(body),
    )


def _body(a, text: str, finish: str | None) -> dict:
    return {
        "id": f"cmpl-{a.request_id}",
        "object": "text_completion",
        "created": a.created,
        "model": a.target_name,
        "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish, "stop_reason": None}],
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
    text = a.tokens[-1][0] if a.withheld else ""
    pieces = [_event("delta" if a.withheld else "start", a, text, openai_chat.STOP[a.stop])]
    if a.call.options["include_usage"] and a.reports_usage:
        pieces.append(openai_chat.sse("usage", {**_body(a, "", None), "choices": [], **openai_chat.usage(a)}))
    return [*pieces, openai_chat.DONE]


refusal = openai_chat.refusal
too_long = openai_chat.too_long
