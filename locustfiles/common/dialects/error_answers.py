"""Answers that are errors: another status than 2xx, an exception frame, an error body inside a 200."""

import json
import typing

from locustfiles.common.dialects.answer_parts import part
from locustfiles.common.dialects.event_stream import Frame
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.contract.error_classes import ErrorClass, classify

#: what `to_json` raises: bad JSON, bad UTF-8, a number or a depth beyond the decoder's limits
NO_JSON = (ValueError, RecursionError)
_BARE = {"message", "Message", "__type", "code", "type"}
to_json = json.JSONDecoder().decode


def error_answer(builder: AnswerBuilder, status: int, headers: typing.Mapping[str, str], data: bytes) -> None:
    """An answer of another status than 2xx: the service's type from the header, else from the body."""
    try:
        body = to_json(data.decode())
    except NO_JSON:
        body = None
    body = body if type(body) is dict else {}
    code = headers.get("x-amzn-errortype") or _code(body)
    if body:
        refused(builder, status, code, body)
    else:
        builder.fail(classify(code, status), code or str(status), data[:4096].decode(errors="replace"))


def refused(builder: AnswerBuilder, status: int | None, code: str | None, body: dict) -> None:
    """A refusal by the service's code, with the message of its parsed body."""
    builder.fail(classify(code, status), code or str(status), _message(body))


def exception(builder: AnswerBuilder, frame: Frame) -> None:
    """A frame of `:message-type` exception: its type and the message of its JSON payload."""
    code = frame.headers.get(":exception-type")
    try:
        body = to_json(frame.payload.decode())
    except NO_JSON:
        body = None
    builder.fail(classify(code, None), code, _message(body) if isinstance(body, dict) else None)


def plain_error(builder: AnswerBuilder, data: bytes) -> None:
    """The code of a JSON error body that came in place of a stream; other bytes change nothing."""
    try:
        body = to_json(data.decode())
    except NO_JSON:
        return
    if type(body) is dict:
        error_body(builder, body)


def error_body(builder: AnswerBuilder, body: dict) -> bool:
    """True for an error inside a 200: `{"error": …}` (TGI, LMI, OpenAI, Claude), `{"object": "error"}` (vLLM), or
    nothing but a message (Bedrock)."""
    if not body.get("error") and body.get("object") != "error" and not (body.keys() <= _BARE and _message(body)):
        return False
    builder.fail(ErrorClass.BAD_RESPONSE, _code(body) or "error", _message(body))
    return True


def _code(body: dict) -> str | None:
    """The most telling code of an error body: a name before a number."""
    error = part(body, "error")
    candidates = [body.get(key) for key in ("__type", "error_type")]
    candidates += [error.get(key) for key in ("code", "type")]
    candidates += [body.get(key) for key in ("code", "Code", "type")]
    names = [c for c in candidates if isinstance(c, str) and c]
    numbers = [str(c) for c in candidates if type(c) is int and abs(c) < 10**9]
    return next(iter(names + numbers), None)


def _message(body: dict) -> str | None:
    """The message of an error body, a container's own status and error code in front of it."""
    error = body.get("error")
    inner = error if isinstance(error, dict) else {}
    texts = [body.get("OriginalMessage"), body.get("message"), body.get("Message"), inner.get("message"), error]
    message = next((t for t in texts if isinstance(t, str) and t), None)
    status = body.get("OriginalStatusCode", body.get("originalStatusCode"))
    if type(status) is int and 0 <= status < 1000:
        message = f"container status {status}: {message or ''}"
    if isinstance(body.get("ErrorCode"), str):
        message = f"{body['ErrorCode']}: {message or ''}"
    return message
