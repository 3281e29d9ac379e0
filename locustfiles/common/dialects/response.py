"""Bytes of an answer -> `ParsedAnswer`: framing and the end of the stream; each family's own file reads what is inside.

A stream is whole when its closing event came and nothing broke after it:

| dialect | closing event |
|---|---|
| converse, nova | messageStop (metadata with usage may follow) |
| claude | message_stop |
| llama, mistral, mistral-chat, deepseek | an event with a stop_reason |
| titan-text | an event with a completionReason |
| cohere-command, cohere-command-r | an event with is_finished; stream-end |
| tgi, lmi | a line with generated_text |
| openai-chat, openai-completions | `data: [DONE]`; a finish_reason in Bedrock's chunks and in JSON lines without |
| | `data:`, which have no such line |
| raw | `data: [DONE]`, or the line where the scenario's `answer.done` finds something |
"""

import base64
import bisect
import itertools
import typing

from locustfiles.common.dialects.answer_parts import part
from locustfiles.common.dialects.converse import converse_event
from locustfiles.common.dialects.error_answers import NO_JSON, error_answer, error_body, exception, plain_error, to_json
from locustfiles.common.dialects.event_stream import Chunks, Damage, Frame, decode
from locustfiles.common.dialects.parsed import AnswerBuilder, ParsedAnswer
from locustfiles.common.dialects.request import Body
from locustfiles.common.dialects.table import CHUNK_EVENTS, DIALECTS
from locustfiles.contract.error_classes import ErrorClass, classify

_OPENAI = ("openai-chat", "openai-completions")
_REQUEST_IDS = ("x-amzn-requestid", "x-amzn-request-id", "x-request-id")
_METRICS = "amazon-bedrock-invocationMetrics"
_GUARDRAIL = "amazon-bedrock-guardrailAction"  # INTERVENED or NONE


def parse_answer(
    call: Body, status: int, headers: typing.Mapping[str, str], chunks: Chunks, ended: bool
) -> ParsedAnswer:
    """What the answer to `call` was. Never raises on any bytes.

    headers: lower-case names; chunks: (arrival in perf_counter seconds, bytes of the HTTP body), split
    anywhere; ended: False if the connection broke before the end of the body.
    """
    builder = AnswerBuilder(call.echo, call.answer, call.in_reasoning)
    dialect = call.dialect
    identify(builder, headers)
    if not 200 <= status < 300:
        error_answer(builder, status, headers, b"".join(data for _, data in chunks))
        return builder.finish()
    if not call.stream:
        whole(builder, dialect, b"".join(data for _, data in chunks), ended)
        header_counts(builder, headers)
        return builder.finish()
    if call.service == "openai":  # server-sent events straight from the HTTP body
        lines(builder, dialect, chunks)
        end_of_stream(builder, None, ended)
        return builder.finish()
    frames, broken = decode(chunks)
    if broken is not None and not frames:
        plain_error(builder, b"".join(data for _, data in chunks))
    if dialect == "converse":
        _converse_frames(builder, frames)
    elif call.service == "bedrock":
        _chunk_frames(builder, dialect, frames)
    else:
        lines(builder, dialect, _parts(builder, frames))
    end_of_stream(builder, broken, ended)
    return builder.finish()


# What follows without an underscore is for answers whose framing somebody else has read, too.


def identify(builder: AnswerBuilder, headers: typing.Mapping[str, str]) -> None:
    """The request id of an answer, and what InvokeModel says it served; header names in lower case."""
    builder.identify(next((headers[name] for name in _REQUEST_IDS if name in headers), None))
    builder.serve(headers.get("x-amzn-bedrock-performanceconfig-latency"), headers.get("x-amzn-bedrock-service-tier"))


def end_of_stream(builder: AnswerBuilder, broken: Damage | None, ended: bool) -> None:
    """Fails a stream that broke, was cut short, or came without its closing event."""
    if broken is not None:
        builder.fail(broken.error, None, broken.reason)
    if not ended:
        builder.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    if not builder.closed:
        builder.fail(ErrorClass.STREAM_BROKEN, None, "the stream ended without its closing event")


# --- frames ---


def _events(builder: AnswerBuilder, frames: list[Frame]) -> typing.Iterator[Frame]:
    """The event frames; exception and error frames become the answer's error."""
    for frame in frames:
        kind = frame.headers.get(":message-type")
        if kind == "exception":
            exception(builder, frame)
        elif kind == "error":
            code = frame.headers.get(":error-code")
            builder.fail(classify(code, None), code, frame.headers.get(":error-message"))
        else:
            yield frame


def _converse_frames(builder: AnswerBuilder, frames: list[Frame]) -> None:
    for time, headers, payload in _events(builder, frames):
        event = _object(builder, payload)
        if event is not None:
            converse_event(builder, headers.get(":event-type"), event, time)


def _chunk_frames(builder: AnswerBuilder, dialect: str, frames: list[Frame]) -> None:
    """InvokeModelWithResponseStream: the family's event in base64 inside each chunk."""
    for time, headers, payload in _events(builder, frames):
        if headers.get(":event-type") != "chunk":
            continue
        wrapped = _object(builder, payload)
        if wrapped is None:
            continue
        try:
            data = base64.b64decode(wrapped.get("bytes"), validate=True)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            builder.fail(ErrorClass.BAD_RESPONSE, None, "a chunk of the stream is not base64")
            continue
        chunk(builder, dialect, data, time)


def chunk(builder: AnswerBuilder, dialect: str, data: bytes, time: float) -> None:
    """One event of a family's stream, taken out of its base64."""
    event = _object(builder, data)
    if event is not None and not error_body(builder, event):
        CHUNK_EVENTS[dialect](builder, event, time)
        builder.intervened |= event.get(_GUARDRAIL) == "INTERVENED"
        if _METRICS in event:
            _invocation_metrics(builder, part(event, _METRICS))


def _invocation_metrics(builder: AnswerBuilder, metrics: dict) -> None:
    """Bedrock's own counts, which are what it bills; they go before the model's."""
    builder.count(
        prompt_tokens=metrics.get("inputTokenCount"),
        completion_tokens=metrics.get("outputTokenCount"),
        cache_read_tokens=metrics.get("cacheReadInputTokenCount"),
        cache_write_tokens=metrics.get("cacheWriteInputTokenCount"),
    )
    builder.service_times(metrics.get("invocationLatency"), metrics.get("firstByteLatency"))


def _object(builder: AnswerBuilder, data: bytes) -> dict | None:
    try:
        value = to_json(data.decode())
    except NO_JSON:
        value = None
    if type(value) is dict:
        return value
    builder.fail(ErrorClass.BAD_RESPONSE, None, "an event of the stream is not a JSON object")
    return None


# --- lines: server-sent events and JSON lines ---


def _parts(builder: AnswerBuilder, frames: list[Frame]) -> list[tuple[float, bytes]]:
    return [(f.time, f.payload) for f in _events(builder, frames) if f.headers.get(":event-type") == "PayloadPart"]


def lines(builder: AnswerBuilder, dialect: str, parts: Chunks) -> None:
    """Lines may be split anywhere; a line's time is the arrival of its last character before the newline."""
    event_of = DIALECTS[dialect].event
    assert event_of is not None  # of those whose stream has lines
    blob = builder.joined(parts)
    ends = list(itertools.accumulate(len(data) for _, data in parts))
    start = 0
    for line in blob.split(b"\n"):
        content = line.rstrip()
        content_end, start = start + len(content), start + len(line) + 1
        if not content or content.startswith((b":", b"event:", b"id:", b"retry:")):
            continue
        is_event = content.startswith(b"data:")
        data = content[5:].strip() if is_event else content
        if not data:
            continue
        if data == b"[DONE]":
            builder.closed |= dialect in _OPENAI or dialect == "raw"
            continue
        try:
            event = to_json(data.decode())
        except NO_JSON:
            if start > len(blob):  # no newline after it: the stream was cut inside this line
                builder.fail(ErrorClass.STREAM_BROKEN, None, "the stream ends inside a line")
            else:
                builder.fail(ErrorClass.BAD_RESPONSE, None, "a line of the stream is not JSON")
            continue
        if type(event) is list and len(event) == 1 and dialect != "raw":
            event = event[0]  # TGI answers in a list when it does not stream
        if type(event) is not dict and dialect != "raw":
            builder.fail(ErrorClass.BAD_RESPONSE, None, "a line of the stream is not a JSON object")
        elif not _is_error(builder, event):
            event_of(builder, event, parts[bisect.bisect_left(ends, content_end)][0])
            if dialect in _OPENAI and not is_event and builder.parsed.stop_reason:
                builder.closed = True


def _is_error(builder: AnswerBuilder, event: typing.Any) -> bool:
    """True for an error body; where the scenario says what an error is, that alone decides."""
    if type(event) is not dict or (builder.raw and builder.raw.error):
        return False
    return error_body(builder, event)


# --- whole bodies ---


def whole(builder: AnswerBuilder, dialect: str, data: bytes, ended: bool) -> None:
    """A body that was not streamed; `ended`: False if the connection broke before its end."""
    if not ended:
        builder.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    try:
        answer = to_json(data.decode())
    except NO_JSON:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "the answer is not JSON")
        return
    if type(answer) is list and answer and dialect in ("tgi", "lmi"):
        answer = answer[0]
    elif type(answer) is list and dialect == "hf-embedding":
        answer = {"embeddings": answer}
    if type(answer) is not dict and dialect != "raw":
        builder.fail(ErrorClass.BAD_RESPONSE, None, "the answer is not a JSON object")
    elif not _is_error(builder, answer):
        DIALECTS[dialect].whole(builder, answer)
        builder.intervened |= type(answer) is dict and answer.get(_GUARDRAIL) == "INTERVENED"


def header_counts(builder: AnswerBuilder, headers: typing.Mapping[str, str]) -> None:
    """What the headers of an InvokeModel answer count; header names in lower case."""

    def number(name: str) -> int | None:
        value = headers.get(name, "").strip()
        return int(value) if value.isdecimal() and len(value) <= 15 else None

    builder.count(
        prompt_tokens=number("x-amzn-bedrock-input-token-count"),
        completion_tokens=number("x-amzn-bedrock-output-token-count"),
        cache_read_tokens=number("x-amzn-bedrock-cache-read-input-token-count"),
        cache_write_tokens=number("x-amzn-bedrock-cache-write-input-token-count"),
    )
    builder.service_times(number("x-amzn-bedrock-invocation-latency"))
