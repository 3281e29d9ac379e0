"""Answers that are errors: another status than 2xx, an exception frame, an error body inside a 200."""

import typing

from locustfiles.common.dialects.error_bodies import (
    code_of,
    describe,
    message_of,
    status_of,
)
from locustfiles.common.dialects.event_stream import Frame
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.dialects.read_json import NO_JSON, read_json
from locustfiles.contract.error_classes import ErrorClass, classify, is_known

_BARE = {"message", "Message", "__type", "code", "type"}  # the keys of an error that is nothing but that
# FastAPI's, and the problem documents of HTTP
_BARE_DETAIL = {
    "detail",
    "status",
    "status_code",
    "title",
    "type",
    "code",
}
_ANY_BARE = _BARE | _BARE_DETAIL | {"error"}


def error_answer(builder: AnswerBuilder, status: int, headers: typing.Mapping[str, str], data: bytes) -> None:
    """An answer of another status than 2xx: the service's type from the header, else from the body."""
    try:
        body = read_json(data)
    except NO_JSON:
        body = None
    if type(body) is list and body:  # Google's routes put the error into a list
        body = body[0]
    body = body if type(body) is dict else {}
    code = headers.get("x-amzn-errortype") or code_of(body)
    message = message_of(body) or describe(status, headers, data)
    builder.fail(classify(code, status), code or str(status), message)


def refused(builder: AnswerBuilder, status: int | None, code: str | None, body: dict) -> None:
    """A refusal by the service's code, with the message of its body, which somebody else has parsed."""
    message = message_of(body) or describe(status, {}, b"")
    builder.fail(classify(code, status), code or str(status), message)


def exception(builder: AnswerBuilder, frame: Frame) -> None:
    """A frame of `:message-type` exception: its type and the message of its JSON payload."""
    code = frame.headers.get(":exception-type")
    try:
        body = read_json(frame.payload)
    except NO_JSON:
        body = None
    builder.fail(classify(code, None), code, message_of(body) if isinstance(body, dict) else None)


def plain_error(builder: AnswerBuilder, data: bytes) -> None:
    """The code of a JSON error body that came in place of a stream; other bytes change nothing."""
    try:
        body = read_json(data)
    except NO_JSON:
        return
    if type(body) is dict:
        error_body(builder, body)


def error_body(builder: AnswerBuilder, body: dict) -> bool:
    """True for an error inside a 200: `{"error": …}` (TGI, LMI, OpenAI, Claude), `{"object": "error"}` (vLLM), or
    nothing but a message (Bedrock, Dynamo) or a detail (FastAPI)."""
    if not body.get("error") and body.get("object") != "error" and not _ANY_BARE.issuperset(body):
        return False  # nearly every event
    keys = body.keys() - {"error"} if body.get("error", "") is None else body.keys()  # a null one says nothing
    bare = keys <= _BARE or ("detail" in body and keys <= _BARE_DETAIL)
    if not body.get("error") and body.get("object") != "error" and not (bare and message_of(body)):
        return False
    error_event(builder, body)
    return True


def error_event(builder: AnswerBuilder, body: dict) -> None:
    """An error inside a 200, classed by the HTTP status that it carries; without any, it is a bad response."""
    code, status = code_of(body), status_of(body)
    error = classify(code, status) if status is not None or is_known(code) else ErrorClass.BAD_RESPONSE
    builder.fail(error, code or (str(status) if status else "error"), message_of(body) or describe(None, {}, b""))
