"""Bytes of an answer -> `Reading`: framing and the end of the stream; `answers` knows the families.

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

from locustfiles.common import answers
from locustfiles.common.answers import part
from locustfiles.common.dialects import Body
from locustfiles.common.error_answers import NO_JSON, error_answer, error_body, exception, plain_error, to_json
from locustfiles.common.errors import ErrorClass, classify
from locustfiles.common.eventstream import Chunks, Damage, Frame, decode
from locustfiles.common.reading import Draft, Reading
from locustfiles.common.tellers import CHUNKS, LINES, WHOLES

_OPENAI = ("openai-chat", "openai-completions")
_REQUEST_IDS = ("x-amzn-requestid", "x-amzn-request-id", "x-request-id")
_METRICS = "amazon-bedrock-invocationMetrics"
_GUARDRAIL = "amazon-bedrock-guardrailAction"  # INTERVENED or NONE


def read(call: Body, status: int, headers: typing.Mapping[str, str], chunks: Chunks, ended: bool) -> Reading:
    """What the answer to `call` was. Never raises on any bytes.

    headers: lower-case names; chunks: (arrival in perf_counter seconds, bytes of the HTTP body), split
    anywhere; ended: False if the connection broke before the end of the body.
    """
    draft = Draft(call.echo, call.answer, call.in_reasoning)
    dialect = call.dialect
    identify(draft, headers)
    if not 200 <= status < 300:
        error_answer(draft, status, headers, b"".join(data for _, data in chunks))
        return draft.finish()
    if not call.stream:
        whole(draft, dialect, b"".join(data for _, data in chunks), ended)
        header_counts(draft, headers)
        return draft.finish()
    if call.service == "openai":  # server-sent events straight from the HTTP body
        lines(draft, dialect, chunks)
        end_of_stream(draft, None, ended)
        return draft.finish()
    frames, broken = decode(chunks)
    if broken is not None and not frames:
        plain_error(draft, b"".join(data for _, data in chunks))
    if dialect == "converse":
        _converse_frames(draft, frames)
    elif call.service == "bedrock":
        _chunk_frames(draft, dialect, frames)
    else:
        lines(draft, dialect, _parts(draft, frames))
    end_of_stream(draft, broken, ended)
    return draft.finish()


# What follows without an underscore is for answers whose framing somebody else has read, too.


def identify(draft: Draft, headers: typing.Mapping[str, str]) -> None:
    """The request id of an answer, and what InvokeModel says it served; header names in lower case."""
    draft.identify(next((headers[name] for name in _REQUEST_IDS if name in headers), None))
    draft.serve(headers.get("x-amzn-bedrock-performanceconfig-latency"), headers.get("x-amzn-bedrock-service-tier"))


def end_of_stream(draft: Draft, broken: Damage | None, ended: bool) -> None:
    """Fails a stream that broke, was cut short, or came without its closing event."""
    if broken is not None:
        draft.fail(broken.error, None, broken.reason)
    if not ended:
        draft.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    if not draft.closed:
        draft.fail(ErrorClass.STREAM_BROKEN, None, "the stream ended without its closing event")


# --- frames ---


def _events(draft: Draft, frames: list[Frame]) -> typing.Iterator[Frame]:
    """The event frames; exception and error frames become the draft's error."""
    for frame in frames:
        kind = frame.headers.get(":message-type")
        if kind == "exception":
            exception(draft, frame)
        elif kind == "error":
            code = frame.headers.get(":error-code")
            draft.fail(classify(code, None), code, frame.headers.get(":error-message"))
        else:
            yield frame


def _converse_frames(draft: Draft, frames: list[Frame]) -> None:
    for time, headers, payload in _events(draft, frames):
        event = _object(draft, payload)
        if event is not None:
            answers.converse_event(draft, headers.get(":event-type"), event, time)


def _chunk_frames(draft: Draft, dialect: str, frames: list[Frame]) -> None:
    """InvokeModelWithResponseStream: the family's event in base64 inside each chunk."""
    for time, headers, payload in _events(draft, frames):
        if headers.get(":event-type") != "chunk":
            continue
        wrapped = _object(draft, payload)
        if wrapped is None:
            continue
        try:
            data = base64.b64decode(wrapped.get("bytes"), validate=True)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            draft.fail(ErrorClass.BAD_RESPONSE, None, "a chunk of the stream is not base64")
            continue
        chunk(draft, dialect, data, time)


def chunk(draft: Draft, dialect: str, data: bytes, time: float) -> None:
    """One event of a family's stream, taken out of its base64."""
    event = _object(draft, data)
    if event is not None and not error_body(draft, event):
        CHUNKS[dialect](draft, event, time)
        draft.intervened |= event.get(_GUARDRAIL) == "INTERVENED"
        if _METRICS in event:
            _invocation_metrics(draft, part(event, _METRICS))


def _invocation_metrics(draft: Draft, metrics: dict) -> None:
    """Bedrock's own counts, which are what it bills; they go before the model's."""
    draft.count(
        prompt_tokens=metrics.get("inputTokenCount"),
        completion_tokens=metrics.get("outputTokenCount"),
        cache_read_tokens=metrics.get("cacheReadInputTokenCount"),
        cache_write_tokens=metrics.get("cacheWriteInputTokenCount"),
    )
    draft.service_times(metrics.get("invocationLatency"), metrics.get("firstByteLatency"))


def _object(draft: Draft, data: bytes) -> dict | None:
    try:
        value = to_json(data.decode())
    except NO_JSON:
        value = None
    if type(value) is dict:
        return value
    draft.fail(ErrorClass.BAD_RESPONSE, None, "an event of the stream is not a JSON object")
    return None


# --- lines: server-sent events and JSON lines ---


def _parts(draft: Draft, frames: list[Frame]) -> list[tuple[float, bytes]]:
    return [(f.time, f.payload) for f in _events(draft, frames) if f.headers.get(":event-type") == "PayloadPart"]


def lines(draft: Draft, dialect: str, parts: Chunks) -> None:
    """Lines may be split anywhere; a line's time is the arrival of its last character before the newline."""
    tell = LINES[dialect]
    blob = b"".join([data for _, data in parts])
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
            draft.closed |= dialect in _OPENAI or dialect == "raw"
            continue
        try:
            event = to_json(data.decode())
        except NO_JSON:
            if start > len(blob):  # no newline after it: the stream was cut inside this line
                draft.fail(ErrorClass.STREAM_BROKEN, None, "the stream ends inside a line")
            else:
                draft.fail(ErrorClass.BAD_RESPONSE, None, "a line of the stream is not JSON")
            continue
        if type(event) is list and len(event) == 1 and dialect != "raw":
            event = event[0]  # TGI answers in a list when it does not stream
        if type(event) is not dict and dialect != "raw":
            draft.fail(ErrorClass.BAD_RESPONSE, None, "a line of the stream is not a JSON object")
        elif not _is_error(draft, event):
            tell(draft, event, parts[bisect.bisect_left(ends, content_end)][0])
            if dialect in _OPENAI and not is_event and draft.reading.stop_reason:
                draft.closed = True


def _is_error(draft: Draft, event: typing.Any) -> bool:
    """True for an error body; where the scenario says what an error is, that alone decides."""
    if type(event) is not dict or (draft.raw and draft.raw.error):
        return False
    return error_body(draft, event)


# --- whole bodies ---


def whole(draft: Draft, dialect: str, data: bytes, ended: bool) -> None:
    """A body that was not streamed; `ended`: False if the connection broke before its end."""
    if not ended:
        draft.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    try:
        answer = to_json(data.decode())
    except NO_JSON:
        draft.fail(ErrorClass.BAD_RESPONSE, None, "the answer is not JSON")
        return
    if type(answer) is list and answer and dialect in ("tgi", "lmi"):
        answer = answer[0]
    elif type(answer) is list and dialect == "hf-embedding":
        answer = {"embeddings": answer}
    if type(answer) is not dict and dialect != "raw":
        draft.fail(ErrorClass.BAD_RESPONSE, None, "the answer is not a JSON object")
    elif not _is_error(draft, answer):
        WHOLES[dialect](draft, answer)
        draft.intervened |= type(answer) is dict and answer.get(_GUARDRAIL) == "INTERVENED"


def header_counts(draft: Draft, headers: typing.Mapping[str, str]) -> None:
    """What the headers of an InvokeModel answer count; header names in lower case."""

    def number(name: str) -> int | None:
        value = headers.get(name, "").strip()
        return int(value) if value.isdecimal() and len(value) <= 15 else None

    draft.count(
        prompt_tokens=number("x-amzn-bedrock-input-token-count"),
        completion_tokens=number("x-amzn-bedrock-output-token-count"),
        cache_read_tokens=number("x-amzn-bedrock-cache-read-input-token-count"),
        cache_write_tokens=number("x-amzn-bedrock-cache-write-input-token-count"),
    )
    draft.service_times(number("x-amzn-bedrock-invocation-latency"))
