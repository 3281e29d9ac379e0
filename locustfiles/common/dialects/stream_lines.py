"""Lines of a stream: server-sent events and JSON lines; or none, where the answer is bare text or came in one piece."""

import bisect
import codecs
import itertools
import re
import typing

from locustfiles.common.dialects.error_answers import error_event
from locustfiles.common.dialects.error_bodies import message_of, page_text
from locustfiles.common.dialects.event_stream import Chunks
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.dialects.read_json import NO_JSON, read_json
from locustfiles.common.dialects.table import DIALECTS
from locustfiles.common.dialects.whole_answers import came_whole, is_error, whole
from locustfiles.contract.error_classes import ErrorClass

OPENAI = ("openai-chat", "openai-completions")
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b"error:")  # of server-sent events; the last one is llama.cpp's own
_CUT = "the stream ends inside a line"
_NOT_JSON = "a line of the stream is not JSON"
_ALONE = re.compile(rb"\r(?!\n)")  # ends a line, too, by the standard of server-sent events


def lines(builder: AnswerBuilder, dialect: str, parts: Chunks, ended: bool = True) -> None:
    """Lines may be split anywhere; an event's time is the arrival of its last character before the newline.

    ended: whether the body that they are in ended properly; then a stream of OpenAI's whose choices have all ended is whole."""
    if builder.raw and builder.raw.plain_text:
        _bare_text(builder, b"".join([data for _, data in parts]), parts)
        return
    blob = builder.joined(parts)
    if came_whole(builder, dialect, blob):
        whole(builder, dialect, blob, ended)
        builder.closed = True
    elif page := page_text(blob):
        builder.fail(ErrorClass.BAD_RESPONSE, None, f"the answer is not a stream but {page}")
    elif not _has_lines(blob):
        builder.fail(
            ErrorClass.BAD_RESPONSE, None, "the stream is neither server-sent events nor JSON lines but bare text"
        )
    else:
        if b"\r" in blob and blob.count(b"\r") != blob.count(b"\r\n"):
            blob = _ALONE.sub(b"\n", blob)
        _read(builder, dialect, blob, parts)
        if dialect in OPENAI:
            if ended and not builder.closed and not builder.has_choices:
                _say_what_it_is(builder, blob)
            builder.closed |= ended and builder.all_choices_ended
            builder.forget_partial_counts()


def _has_lines(blob: bytes) -> bool:
    """Whether the first line is a field of an event or JSON, or may be the beginning of one."""
    first = next((line.strip() for line in blob.split(b"\n", 9) if line.strip()), b"")
    if not first or first[:1] in b":{[":
        return True
    return any(first.startswith(field) or field.startswith(first) for field in _FIELDS)


def _say_what_it_is(builder: AnswerBuilder, blob: bytes) -> None:
    """Of a stream that ended properly without a choice: another protocol's (Ollama's own, Google's) has events all the same."""
    first = next((event.data for event in _events(builder, blob)), b"")
    if first:
        begin = first[:60].decode(errors="replace")
        builder.fail(
            ErrorClass.BAD_RESPONSE, None, f"no event of the stream has `choices`; the first one begins with {begin}"
        )


class _Event(typing.NamedTuple):
    data: bytes
    end: int  # of its last character
    name: bytes  # of an SSE event, which says `error` for some servers
    cut: bool  # the stream ends inside its line


def _events(builder: AnswerBuilder, blob: bytes) -> typing.Iterator[_Event]:
    """Each line with data; the data of an event whose JSON goes over several lines come together, when the event ends."""
    start, name = 0, b""
    held: list[_Event] = []
    for line in blob.split(b"\n"):
        if line[:7] == b"data: {" and line[-1:] == b"}" and not held:  # nearly all of them
            end = start + len(line)
            start = end + 1
            yield _Event(line[6:], end, name, start > len(blob))
            continue
        content = line.rstrip()
        end, start = start + len(content), start + len(line) + 1
        if not content:
            yield from _joined(held)
            held, name = [], b""
            continue
        key, colon, value = content.partition(b":")
        if not key:  # a comment: to keep the connection, or Dynamo's error
            if name == b"error" and value.strip():
                error_event(builder, {"error": value.strip().decode(errors="replace")})
        elif colon and key in (b"event", b"id", b"retry"):
            name = value.strip() if key == b"event" else name
        elif not colon or key not in (b"data", b"error"):
            yield _Event(content, end, name, start > len(blob))
        elif value.strip() or start > len(blob):  # an empty line of data says nothing, unless it was cut there
            event = _Event(value.strip(), end, b"error" if key == b"error" else name, start > len(blob))
            if event.data == b"[DONE]":
                yield from _joined(held)
                held = []
            if held or not _stands_alone(event.data):
                held.append(event)
            else:
                yield event
    yield from _joined(held)


def _stands_alone(data: bytes) -> bool:
    """Whether the data of one line are all of their event: they are not the beginning of an object or a list."""
    return data[:1] not in b"{[" or data[-1:] == (b"}" if data[:1] == b"{" else b"]")


def _joined(held: list[_Event]) -> typing.Iterator[_Event]:
    if held:
        yield held[-1]._replace(data=b"\n".join(event.data for event in held))


def _read(builder: AnswerBuilder, dialect: str, blob: bytes, parts: Chunks) -> None:
    event_of = DIALECTS[dialect].event
    assert event_of is not None  # of those whose stream has lines
    ends = list(itertools.accumulate(len(data) for _, data in parts))
    for data, end, name, cut in _events(builder, blob):
        if data == b"[DONE]":
            builder.closed |= dialect in OPENAI or dialect == "raw"
            continue
        try:
            event = read_json(data)
        except NO_JSON:
            if name == b"error":
                error_event(builder, {"error": data.decode(errors="replace")})
            elif cut:  # no newline after it
                builder.fail(ErrorClass.STREAM_BROKEN, None, _CUT)
            else:
                builder.fail(ErrorClass.BAD_RESPONSE, None, _NOT_JSON)
            continue
        if name == b"error" and (type(event) is not dict or message_of(event)):
            error_event(builder, event if type(event) is dict else {"error": event})
            continue
        if type(event) is list and len(event) == 1 and dialect != "raw":
            event = event[0]  # TGI answers in a list when it does not stream
        if type(event) is not dict and dialect != "raw":
            builder.fail(ErrorClass.BAD_RESPONSE, None, "a line of the stream is not a JSON object")
        elif not is_error(builder, event):
            event_of(builder, event, parts[bisect.bisect_left(ends, end)][0])


def _bare_text(builder: AnswerBuilder, blob: bytes, parts: Chunks) -> None:
    """Every piece is a delta, or every `data:` line where there are some; the proper end of the stream closes it."""
    builder.closed = True
    try:
        error = read_json(blob)
    except NO_JSON:
        error = None
    if type(error) is dict and is_error(builder, error):
        return
    if blob.lstrip().startswith(b"data:"):
        ends = list(itertools.accumulate(len(data) for _, data in parts))
        start = 0
        for line in blob.split(b"\n"):
            content = line.rstrip(b"\r")
            end, start = start + len(content), start + len(line) + 1
            if content.startswith(b"data:") and content[5:].strip() != b"[DONE]":
                text = content[5:].removeprefix(b" ").decode(errors="replace")
                builder.say(text, parts[bisect.bisect_left(ends, end)][0])
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for time, data in parts:
        builder.say(decoder.decode(data), time)
