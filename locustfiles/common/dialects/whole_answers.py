"""Answers in one piece: bodies that were not streamed, asked for or not, and what their headers count."""

import typing

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.billed import TRACE, coheres_units, trace
from locustfiles.common.dialects.error_answers import error_body
from locustfiles.common.dialects.error_bodies import describe, page_text
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.dialects.raw_container import text_in
from locustfiles.common.dialects.read_json import NO_JSON, read_json
from locustfiles.common.dialects.table import DIALECTS
from locustfiles.contract.error_classes import ErrorClass

#: token counts, and the header that has each
_COUNTS = {
    "prompt_tokens": "x-amzn-bedrock-input-token-count",
    "completion_tokens": "x-amzn-bedrock-output-token-count",
    "cache_read_tokens": "x-amzn-bedrock-cache-read-input-token-count",
    "cache_write_tokens": "x-amzn-bedrock-cache-write-input-token-count",
}
#: what a whole answer of these has, and none of their events
_WHOLE_BY = {"openai-responses": "output", "anthropic-messages": "content"}
GUARDRAIL = "amazon-bedrock-guardrailAction"  # INTERVENED or NONE


def whole(builder: AnswerBuilder, dialect: str, data: bytes, ended: bool) -> None:
    """A body that was not streamed; `ended`: False if the connection broke before its end."""
    if not ended:
        builder.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    try:
        answer = read_json(data)
    except NO_JSON:
        if builder.raw and builder.raw.plain_text:
            builder.say(data.decode(errors="replace"), None)
        else:
            builder.fail(ErrorClass.BAD_RESPONSE, None, not_json(data))
        return
    if builder.raw and builder.raw.plain_text:
        if type(answer) is not dict or not error_body(builder, answer):
            builder.say(data.decode(), None)
        return
    if type(answer) is list:
        answer = _of_list(dialect, answer)
    if type(answer) is not dict and dialect != "raw":
        builder.fail(ErrorClass.BAD_RESPONSE, None, "the answer is not a JSON object")
    elif not is_error(builder, answer):
        DIALECTS[dialect].whole(builder, answer)
        if type(answer) is dict:
            builder.intervened |= answer.get(GUARDRAIL) == "INTERVENED"
            trace(builder, part(answer, TRACE))
            if dialect != "raw":  # whose scenario says where its units are
                coheres_units(builder, answer)


_LISTS = {"hf-embedding": "embeddings", "hf-rerank": "results"}  # what a list of Hugging Face's is called elsewhere


def _of_list(dialect: str, answer: list) -> typing.Any:
    if dialect in _LISTS:
        return {_LISTS[dialect]: answer}
    return answer[0] if answer and dialect in ("tgi", "lmi") else answer


def not_json(data: bytes) -> str:
    """`the answer is not JSON`, and what it is instead."""
    if page := page_text(data):
        return f"the answer is not JSON but {page}"
    return (
        f"the answer is not JSON: {describe(None, {}, data)}" if data.strip() else "the answer is not JSON: it is empty"
    )


def is_error(builder: AnswerBuilder, event: typing.Any) -> bool:
    """True for an error body; where the scenario says what an error is, that alone decides."""
    if type(event) is not dict or (builder.raw and builder.raw.error):
        return False
    if builder.raw and not event.get("error") and text_in(builder.raw, event):
        return False  # the container's own `message` may be its text
    return error_body(builder, event)


def came_whole(builder: AnswerBuilder, dialect: str, data: bytes) -> bool:
    """Whether the bytes of a stream are one JSON document that answers in one piece, as a server does that ignores
    `stream: true`; an event that happens to be the only one of a stream is none."""
    if data.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        answer = read_json(data)
    except NO_JSON:
        return False
    if dialect == "raw":
        return builder.raw is not None and builder.raw.done is None
    answer = answer[0] if type(answer) is list and answer else answer
    if type(answer) is not dict:
        return False
    if dialect in ("tgi", "lmi"):
        return type(answer.get("generated_text")) is str and "token" not in answer
    if dialect in _WHOLE_BY:
        return type(answer.get(_WHOLE_BY[dialect])) is list
    choices = objects(answer, "choices")
    ended = (c.get("finish_reason") or c.get("stop_reason") for c in choices)
    return bool(choices) and (any("message" in c for c in choices) or ("delta" not in choices[0] and all(ended)))


def header_counts(builder: AnswerBuilder, headers: typing.Mapping[str, str]) -> None:
    """What the headers of an InvokeModel answer count; header names in lower case."""

    for name, header in _COUNTS.items():
        if (tokens := _number(headers, header)) is not None:
            builder.count(**{name: tokens})
    builder.service_times(_number(headers, "x-amzn-bedrock-invocation-latency"))


def _number(headers: typing.Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if value.isdecimal() and len(value) <= 15 else None
