"""OpenAI's chat completions as vLLM, TGI and LMI serve them, by themselves and in containers on SageMaker; reasoning as
vLLM tells it apart."""

import functools

from scripts.emulator.dialects import NUMBER, Call, Piece, positive, stops, want
from scripts.emulator.dialects.billed import prompt_details, tier
from scripts.emulator.dialects.media import media_tokens
from scripts.emulator.dialects.openai_messages import conversation, wanted_schema
from scripts.emulator.dialects.parts import split
from scripts.emulator.dialects.reasoning import said, thinks, thought
from scripts.emulator.dialects.tools import made, newest, openai_offer
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact

STREAM_TYPE = "text/event-stream"
STOP = {"length": "length", "stop": "stop", "stop_sequence": "stop", "tool": "tool_calls"}
DONE = Piece("close", "PayloadPart", b"data: [DONE]\n\n")
_DEFAULT_MAX_TOKENS = 512
_MOST_CHOICES = 128
_TEXT = "\0"  # stands for an event's text
_compact_text = functools.lru_cache(maxsize=4096)(compact)


def read(body: dict) -> Call:
    prompt, messages = conversation(body)
    limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    call = Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(body, limit, _DEFAULT_MAX_TOKENS),
        offer=openai_offer(body),
        media_tokens=media_tokens(body["messages"]),
        schema=wanted_schema(body, prompt),
        **sampling(body),
    )
    return split(call, [(prompt, None)], number_of(body))


def number_of(body: dict) -> int:
    """How many choices a prompt is to have. Raises BadBody."""
    n = positive(body, "n", 1)
    if n > _MOST_CHOICES:
        raise BadBody(f"n must be at most {_MOST_CHOICES}, got {n}.")
    return n


def sampling(body: dict) -> dict:
    """What chats and completions share."""
    stream, options = want(body, "stream", bool, False), want(body, "stream_options", dict, {})
    if options and not stream:
        raise BadBody("Stream options can only be defined when `stream=True`.")
    temperature, top_p = want(body, "temperature", NUMBER), want(body, "top_p", NUMBER)
    if temperature is not None and temperature < 0:
        raise BadBody(f"temperature must be non-negative, got {temperature}.")
    if top_p is not None and not 0 < top_p <= 1:
        raise BadBody(f"top_p must be in (0, 1], got {top_p}.")
    return {
        "temperature": temperature,
        "top_p": top_p,
        "stop": stops(body, "stop"),
        "seed": want(body, "seed", int),
        "min_tokens": 10**9 if want(body, "ignore_eos", bool, False) else want(body, "min_tokens", int, 0),
        "stream": stream,
        "options": {name: bool(options.get(name)) for name in ("include_usage", "continuous_usage_stats")}
        | {"service_tier": want(body, "service_tier", str)},
    }


def _frame(a, kind: str, choices: list) -> dict:
    return {
        "id": f"chatcmpl-{a.request_id}",
        "object": kind,
        "created": a.created,
        "model": a.target_name,
        "choices": choices,
        **tier(a),
    }


def usage(a) -> dict:
    return {
        "usage": {
            "prompt_tokens": a.prompt_tokens,
            "completion_tokens": a.completion_tokens,
            "total_tokens": a.prompt_tokens + a.completion_tokens,
            **prompt_details(a),
        }
    }


def running(a) -> dict:
    """The counts so far, where every event is to have them (vLLM)."""
    return usage(a) if a.call.options["continuous_usage_stats"] and a.reports_usage else {}


def answer(a, message: dict) -> dict:
    """A whole answer."""
    choice = {"index": a.index, "message": message, "logprobs": None, "finish_reason": STOP[a.stop], **reason(a)}
    return {**_frame(a, "chat.completion", [choice]), **(usage(a) if a.reports_usage else {})}


def reason(a) -> dict:
    """What vLLM adds to `finish_reason`: the stop sequence that was met."""
    return {"stop_reason": a.matched}


def whole(a) -> dict:
    reasoning = {"reasoning_content": thought(a)} if a.reasoning_tokens else {}
    return answer(a, message(a, said(a)) | reasoning)


def message(a, text: str) -> dict:
    """The text, or the tools that are called."""
    calls = [{**_head(a, m.number), "function": {"name": m.tool.name, "arguments": m.text}} for m in made(a)]
    return (
        {"role": "assistant", "content": None, "tool_calls": calls} if calls else {"role": "assistant", "content": text}
    )


def _head(a, index: int) -> dict:
    return {"id": f"call_{a.request_id.replace('-', '')[:20]}{a.index:02}{index:02}", "type": "function"}


def call_delta(a, text: str) -> dict:
    """What a chunk says of a call: its first one names the tool, the others go on with the arguments."""
    index, first = newest(a)
    function = {"name": a.call.tools[index].name, "arguments": text} if first else {"arguments": text}
    return {"tool_calls": [{"index": index, **(_head(a, index) if first else {}), "function": function}]}


def _value(a, delta: dict, finish: str | None) -> dict:
    choice = {"index": a.index, "delta": delta, "logprobs": None, "finish_reason": finish}
    if finish is not None:
        choice |= reason(a)
    return {**_frame(a, "chat.completion.chunk", [choice]), **running(a)}


def sse(kind: str, value: dict) -> Piece:
    return Piece(kind, "PayloadPart", b"data: %b\n\n" % compact(value))


def text_event(kind: str, a, key: str, text: str) -> Piece:
    """The event of a text. Only the text differs between one answer's events: the rest is made once."""
    if a.call.options["continuous_usage_stats"]:
        return sse(kind, _value(a, {key: text}, None))
    return Piece(kind, "PayloadPart", _compact_text(text).join(_around(a, key)))


def _around(a, key: str) -> list[bytes]:
    around = a.around.get(key)
    if around is None:
        value = compact(_value(a, {key: _TEXT}, None))
        around = a.around[key] = (b"data: %b\n\n" % value).split(compact(_TEXT))
    return around


def plain(a):
    """Bytes of a text's event on an OpenAI route; None where each has counts, or a container's part around it."""
    if a.call.options["continuous_usage_stats"] or not a.operation.openai:
        return None
    around = _around(a, "content")
    return lambda text: _compact_text(text).join(around)


def opening(a) -> list[Piece]:
    return [sse("start", _value(a, {"role": "assistant", "content": ""}, None))]


def delta(a, text: str, token_id: int) -> list[Piece]:
    if a.call.tools and not thinks(a):
        return [sse("delta", _value(a, call_delta(a, text), None))]
    return [text_event("delta", a, "reasoning_content" if thinks(a) else "content", text)]


def closing(a) -> list[Piece]:
    return [*finish(a), *ending(a)]


def finish(a) -> list[Piece]:
    """The end of a choice."""
    return [sse("start", _value(a, {}, STOP[a.stop]))]


def ending(a) -> list[Piece]:
    """The end of the stream."""
    pieces = []
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
