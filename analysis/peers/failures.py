"""What a tool's words about a failure say: its error class, by the status where they name one, else by the client library's text.

A tool's file has no protocol facts beside these words. What they do not tell is `unknown`.
"""

import http
import re
import typing

from locustfiles.contract.error_classes import ErrorClass, classify
from locustfiles.contract.keys import redact
from locustfiles.contract.visible import storable, visible

_BY_PHRASE = {status.phrase.lower(): int(status) for status in http.HTTPStatus if status >= 400}
#: the first whose words are found decides; aiohttp, httpx, requests and urllib3 use them
_BY_WORDS: tuple[tuple[ErrorClass, str], ...] = (
    (ErrorClass.CANCELLED, r"cancell?ed"),
    (ErrorClass.CONNECT, r"connect\w*[ _]?time|timeout on connect|connection timeout"),
    (ErrorClass.READ_TIMEOUT, r"timed?[ -]?out|deadline exceeded"),
    (ErrorClass.CONNECT, r"cannot connect|connection refused|connect call failed|connecterror|clientconnector"),
    (ErrorClass.CONNECT, r"name or service not known|attempts failed|newconnection|name resolution|certificate verify"),
    (ErrorClass.STREAM_BROKEN, r"peer closed|incomplete ?(chunked )?read|payload ?error|payload is not completed"),
    (
        ErrorClass.STREAM_BROKEN,
        r"remoteprotocol|disconnected|ended prematurely|connection reset|readerror|protocolerror",
    ),
    (ErrorClass.STREAM_BROKEN, r"transferencoding|clientoserror|broken pipe|connection ?(was )?(closed|aborted|lost)"),
    (ErrorClass.BAD_RESPONSE, r"jsondecode|returned an error|error in stream|sse error|invalid json|expecting value"),
    (ErrorClass.BAD_RESPONSE, r"unsupported openai object"),
)


def failure(text: str | None, status: int | None = None, code: str | None = None) -> dict[str, typing.Any]:
    """A failure's fields of a record."""
    told = text or ""
    status = status if status is not None and status >= 400 else _BY_PHRASE.get(told.strip().lower())
    return {
        "error": classify(code, status) if status else _by_text(told),
        "http_status": status,
        "error_code": code,
        "error_message": message(text),
    }


def message(text: str | None) -> str | None:
    """One line of it, without secrets."""
    return redact(storable(visible(text[:2000]))) if text else None


def _by_text(told: str) -> ErrorClass:
    return next((kind for kind, words in _BY_WORDS if re.search(words, told, re.IGNORECASE)), ErrorClass.UNKNOWN)
