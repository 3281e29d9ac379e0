"""OpenAI's chat completions as vLLM, TGI and LMI containers serve them on SageMaker; reasoning as vLLM tells it apart."""

from scripts.emulator.dialects import NUMBER, Call, Piece, chat, positive, want
from scripts.emulator.dialects.reasoning import said, thinks, thought
from scripts.emulator.frames import compact

STREAM_TYPE = "text/event-stream"
STOP = {"length": "length", "stop": "stop", "stop_sequence": "stop"}
_DEFAULT_MAX_TOKENS = 512


def read(body: dict) -> Call:
    prompt, messages = chat(body.get("messages"))
    stop = want(body, "stop", (str, list), [])
    limit = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(body, limit, _DEFAULT_MAX_TOKENS),
        temperature=want(body, "temperature", NUMBER),
        top_p=want(body, "top_p", NUMBER),
        stop=[stop] if isinstance(stop, str) else stop,
        seed=want(body, "seed", int),
        stream=want(body, "stream", bool, False),
        options={"include_usage": bool(want(body, "stream_options", dict, {}).get("include_usage"))},
    )


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


def _reasoning(a) -> dict:
    return {"reasoning_content": thought(a)} if a.target.reasoning_tokens else {}


def whole(a) -> dict:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": said(a), **_reasoning(a)},
        "logprobs": None,
        "finish_reason": STOP[a.stop],
    }
    return {**_frame(a, "chat.completion", [choice]), **(usage(a) if a.reports_usage else {})}


def _event(kind: str, a, delta: dict, finish: str | None) -> Piece:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return Piece(kind, "PayloadPart", b"data: %b\n\n" % compact(_frame(a, "chat.completion.chunk", [choice])))


def opening(a) -> list[Piece]:
    return [_event("start", a, {"role": "assistant", "content": ""}, None)]


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [_event("delta", a, {"reasoning_content" if thinks(a) else "content": text}, None)]


def closing(a) -> list[Piece]:
    pieces = [_event("start", a, {}, STOP[a.stop])]
    if a.call.options["include_usage"] and a.reports_usage:
        value = {**_frame(a, "chat.completion.chunk", []), **usage(a)}
        pieces.append(Piece("usage", "PayloadPart", b"data: %b\n\n" % compact(value)))
    return [*pieces, Piece("close", "PayloadPart", b"data: [DONE]\n\n")]


def refusal(text: str) -> tuple[int, dict]:
    return 400, {"error": {"message": text, "type": "BadRequestError", "param": None, "code": 400}}


def too_long(prompt_tokens: int, max_tokens: int, limit: int) -> str:
    return (
        f"This model's maximum context length is {limit} tokens. However, you requested {prompt_tokens + max_tokens} "
        f"tokens ({prompt_tokens} in the messages, {max_tokens} in the completion)."
    )
