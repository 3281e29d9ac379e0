"""OpenAI's chat completions as vLLM, TGI and LMI serve them, by themselves and in containers on SageMaker; reasoning as
vLLM tells it apart."""

import functools

from scripts.emulator.dialects import NUMBER, Call, Piece, chat, positive, want
from scripts.emulator.dialects.reasoning import said, thinks, thought
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact

STREAM_TYPE = "text/event-stream"
STOP = {"length": "length", "stop": "stop", "stop_sequence": "stop"}
DONE = Piece("close", "PayloadPart", b"data: [DONE]\n\n")
_DEFAULT_MAX_TOKENS = 512
_TEXT = "\0"  # stands for an event's text
_compact_text = functools.lru_cache(maxsize=4096)(compact)


def read(body: dict) -> Call:
    prompt, messages = chat(body.get("messages"))
    limit = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
    return Call(
        prompt=prompt, messages=messages, max_tokens=positive(body, limit, _DEFAULT_MAX_TOKENS), **sampling(body)
    )


def sampling(body: dict) -> dict:
    """What chats and completions share."""
    stop = want(body, "stop", (str, list), [])
    stream, options = want(body, "stream", bool, False), want(body, "stream_options", dict, {})
    if options and not stream:
        raise BadBody("Stream options can only be defined when `stream=True`.")
    return {
        "temperature": want(body, "temperature", NUMBER),
        "top_p": want(body, "top_p", NUMBER),
        "stop": [stop] if isinstance(stop, str) else stop,
        "seed": want(body, "seed", int),
        "stream": stream,
        "options": {name: bool(options.get(name)) for name in ("include_usage", "continuous_usage_stats")},
    }


def _frame(a, kind: str, choices: list) -> dict:
    return {
        "id": f"chatcmpl-{a.request_id}",
        "object": kind,
        "created": a.created,
        "model": a.target_name,
        "choices": choices,
    }


def usage(a) -> dict:
    return {
        "usage": {
            "prompt_tokens": a.prompt_tokens,
            "completion_tokens": a.completion_tokens,
            "total_tokens": a.prompt_tokens + a.completion_tokens,
        }
    }


def running(a) -> dict:
    """The counts so far, where every event is to have them (vLLM)."""
    return usage(a) if a.call.options["continuous_usage_stats"] and a.reports_usage else {}


def answer(a, message: dict) -> dict:
    """A whole answer."""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": STOP[a.stop]}
    return {**_frame(a, "chat.completion", [choice]), **(usage(a) if a.reports_usage else {})}


def whole(a) -> dict:
    reasoning = {"reasoning_content": thought(a)} if a.target.reasoning_tokens else {}
    return answer(a, {"role": "assistant", "content": said(a), **reasoning})


def _value(a, delta: dict, finish: str | None) -> dict:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_frame(a, "chat.completion.chunk", [choice]), **running(a)}


def sse(kind: str, value: dict) -> Piece:
    return Piece(kind, "PayloadPart", b"data: %b\n\n" % compact(value))


def text_event(kind: str, a, key: str, text: str) -> Piece:
    """The event of a text. Only the text differs between one answer's events: the rest is made once."""
    if a.call.options["continuous_usage_stats"]:
        return sse(kind, _value(a, {key: text}, None))
    around = a.around.get(key)
    if around is None:
        value = compact(_value(a, {key: _TEXT}, None))
        around = a.around[key] = (b"data: %b\n\n" % value).split(compact(_TEXT))
    return Piece(kind, "PayloadPart", _compact_text(text).join(around))


def opening(a) -> list[Piece]:
    return [sse("start", _value(a, {"role": "assistant", "content": ""}, None))]


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [text_event("delta", a, "reasoning_content" if thinks(a) else "content", text)]


def closing(a) -> list[Piece]:
    pieces = [sse("start", _value(a, {}, STOP[a.stop]))]
    if a.call.options["include_usage"] and a.reports_usage:
        pieces.append(sse("usage", {**_frame(a, "chat.completion.chunk", []), **usage(a)}))
    return [*pieces, DONE]


def refusal(text: str) -> tuple[int, dict]:
    return 400, {"error": {"message": text, "type": "BadRequestError", "param": None, "code": 400}}


def too_long(prompt_tokens: int, max_tokens: int, limit: int) -> str:
    return (
        f"This model's maximum context length is {limit} tokens. However, you requested {prompt_tokens + max_tokens} "
        f"tokens ({prompt_tokens} in the messages, {max_tokens} in the completion)."
    )
