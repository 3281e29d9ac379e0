"""Bytes of an answer -> `ParsedAnswer`: framing and the end of the stream; each family's own file reads what is inside.

A stream is whole when its closing event came and nothing broke after it:

| dialect | closing event |
|---|---|
| converse, nova | messageStop (metadata with usage may follow) |
| claude | message_stop |
| llama, mistral, mistral-chat, deepseek | an event with a stop_reason |
| chat-completions | a finish_reason of every choice that began |
| titan-text | an event with a completionReason |
| cohere-command, cohere-command-r | an event with is_finished; stream-end |
| tgi, lmi | a line with generated_text |
| openai-chat, openai-completions | a finish_reason of every choice that began and a proper end of the body, for many |
| | servers, and Bedrock's chunks, have no `data: [DONE]`; or that line, where no choice has a finish_reason |
| openai-responses | response.completed, response.incomplete or response.failed |
| anthropic-messages | message_stop |
| raw | `data: [DONE]`, or the line where the scenario's `answer.done` finds something; with `plain_text` none |

A server that ignores `stream: true` answers with one JSON document: such an answer is whole, and has no times.
"""

import base64
import typing

from locustfiles.common.dialects.answer_parts import part
from locustfiles.common.dialects.billed import TRACE, coheres_units, trace
from locustfiles.common.dialects.converse import converse_event
from locustfiles.common.dialects.error_answers import error_answer, error_body, exception, plain_error
from locustfiles.common.dialects.error_bodies import describe
from locustfiles.common.dialects.event_stream import Chunks, Damage, Frame, decode
from locustfiles.common.dialects.parsed import AnswerBuilder, ParsedAnswer
from locustfiles.common.dialects.read_json import NO_JSON, read_json
from locustfiles.common.dialects.request import Body
from locustfiles.common.dialects.stream_lines import OPENAI, lines
from locustfiles.common.dialects.table import CHUNK_EVENTS
from locustfiles.common.dialects.whole_answers import GUARDRAIL, header_counts, whole
from locustfiles.contract.error_classes import ErrorClass, classify

_REQUEST_IDS = ("x-amzn-requestid", "x-amzn-request-id", "x-request-id", "request-id")  # the last is Anthropic's
_NO_LINE = " (neither a finish_reason of every choice nor `data: [DONE]`)"
_CLOSING = dict.fromkeys(OPENAI, _NO_LINE) | {
    "openai-responses": " (response.completed, response.incomplete or response.failed)",
    "anthropic-messages": " (message_stop)",
    "raw": " (neither `data: [DONE]` nor what `answer.done` finds; of bare text, say `plain_text: true`)",
}
_NOTHING = "the answer has no body: the server gave up after it had answered 200; with `stream: false` it may say why"
_DONE = (b"[DONE]", b'"[DONE]"')  # a chunk of its own behind Palmyra's last: langchain-aws 1.9.1, llms/bedrock.py
_METRICS = "amazon-bedrock-invocationMetrics"


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
    if status in (204, 205):  # a success of HTTP's, and no answer
        builder.fail(ErrorClass.BAD_RESPONSE, str(status), describe(status, headers, b""))
        return builder.finish()
    if not call.stream:
        whole(builder, dialect, b"".join(data for _, data in chunks), ended)
        header_counts(builder, headers)
        return builder.finish()
    came = any(data for _, data in chunks)
    if call.service == "openai":  # server-sent events straight from the HTTP body
        lines(builder, dialect, chunks, ended)
        end_of_stream(builder, None, ended, dialect, came)
        return builder.finish()
    frames, broken = decode(chunks)
    if broken is not None and not frames:
        plain_error(builder, b"".join(data for _, data in chunks))
    if dialect == "converse":
        _converse_frames(builder, frames)
    elif call.service == "bedrock":
        _chunk_frames(builder, dialect, frames)
    else:
        lines(builder, dialect, _parts(builder, frames), ended and broken is None)
    end_of_stream(builder, broken, ended, dialect, came)
    return builder.finish()


# What follows without an underscore is for answers whose framing somebody else has read, too.


def identify(builder: AnswerBuilder, headers: typing.Mapping[str, str]) -> None:
    """The request id of an answer, and what InvokeModel says it served; header names in lower case."""
    builder.identify(next((headers[name] for name in _REQUEST_IDS if name in headers), None))
    builder.serve(headers.get("x-amzn-bedrock-performanceconfig-latency"), headers.get("x-amzn-bedrock-service-tier"))


def end_of_stream(builder: AnswerBuilder, broken: Damage | None, ended: bool, dialect: str, came: bool = True) -> None:
    """Fails a stream that broke, was cut short, or came without its closing event.

    came: whether a byte of it did. Many servers begin a stream before they look at what is asked, and have no other way to
    refuse it than to end it (llama-cpp-python: a prompt that is too long)."""
    if broken is not None:
        builder.fail(broken.error, None, broken.reason)
    if not ended:
        builder.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    if left := builder.left_choices:
        named = ", ".join(map(str, left[:5])) + (", …" if left[5:] else "")
        what = f"the stream ended without a finish_reason of choice {named}, which had begun; others have one"
        builder.fail(ErrorClass.STREAM_BROKEN, None, what)
    if not builder.closed and not came:
        builder.fail(ErrorClass.STREAM_BROKEN, None, _NOTHING)
    if not builder.closed:
        sign = _CLOSING.get(dialect, "")
        builder.fail(ErrorClass.STREAM_BROKEN, None, f"the stream ended without its closing event{sign}")


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
        kind, event = headers.get(":event-type"), _object(builder, payload)
        if event is None:
            continue
        if kind == "contentBlockDelta" and type(delta := event.get("delta")) is dict and "text" in delta:
            builder.say(delta["text"], time)  # nearly all of them
        else:
            converse_event(builder, kind, event, time)


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
    if data in _DONE:
        return
    event = _object(builder, data)
    if event is not None and not error_body(builder, event):
        CHUNK_EVENTS[dialect](builder, event, time)
        builder.intervened |= event.get(GUARDRAIL) == "INTERVENED"
        trace(builder, part(event, TRACE))
        coheres_units(builder, event)
        if _METRICS in event:
            _invocation_metrics(builder, builder.usage(event, _METRICS))


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
        value = read_json(data)
    except NO_JSON:
        value = None
    if type(value) is dict:
        return value
    builder.fail(ErrorClass.BAD_RESPONSE, None, "an event of the stream is not a JSON object")
    return None


def _parts(builder: AnswerBuilder, frames: list[Frame]) -> list[tuple[float, bytes]]:
    return [(f.time, f.payload) for f in _events(builder, frames) if f.headers.get(":event-type") == "PayloadPart"]
