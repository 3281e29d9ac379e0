"""What an error body says, wherever a service or a container puts it: code, HTTP status and message."""

import html
import http
import json
import re
import typing

from locustfiles.common.dialects.answer_parts import part
from locustfiles.common.dialects.read_json import NO_JSON, read_json

#: where an HTTP status stands, as a number or its digits, in the error object or beside it
_STATUS_KEYS = (
    "code", "status", "status_code", "statusCode", "http_status_code", "http_status", "http_code", "error_code",
)  # fmt: skip
#: types of errors that stand for a status: OpenAI's and Anthropic's, TGI's `error_type`, and HTTP's own phrases
_NAMED = {re.sub(r"[^a-z]", "", s.phrase.lower()): s.value for s in http.HTTPStatus if s.value >= 400} | {
    "badrequesterror": 400, "invalidrequest": 400, "invalidrequesterror": 400, "contextlengthexceeded": 400,
    "authenticationerror": 401, "invalidapikey": 401, "permissionerror": 403, "permissiondeniederror": 403,
    "notfounderror": 404, "modelnotfound": 404, "modelnotfounderror": 404, "timeout": 408, "timeouterror": 408,
    "validation": 422, "validationerror": 422, "unprocessableentityerror": 422, "templateerror": 422, "toolerror": 422,
    "generation": 424, "generationerror": 424,
    "ratelimiterror": 429, "ratelimitexceeded": 429, "insufficientquota": 429, "throttlingerror": 429, "overloaded": 429,
    "apierror": 500, "internalerror": 500, "servererror": 500, "incompletegeneration": 500,
    "incompletegenerationstream": 500, "overloadederror": 503, "serviceunavailableerror": 503, "unavailableerror": 503,
}  # fmt: skip
_MESSAGE_KEYS = ("message", "Message", "detail", "msg", "error_message", "reason", "error", "errors", "title")
_CODES = ("__type", "type", "code", "Code")  # told as the code
_ADDRESS = re.compile(r"[a-z]+://|about:")  # the type of a problem document, which names none
PAGE, DOCUMENT = "an HTML page", "an XML document"
_HTML = re.compile(rb"(?i)<(?:!doctype\s+html|html|head|body|title|center|h1|pre|p|div)\b")
_XML = re.compile(rb"(?s)\s*(?:<\?xml.*|<([A-Za-z][\w:.-]*)[^>]*(?:/>|>.*</\1\s*>)\s*)\Z")
_MOST = 4096  # bytes or characters of a body that are looked at for a message


def code_of(body: dict) -> str | None:
    """The most telling code of an error body: a name before a number."""
    error = part(body, "error")
    candidates = [body.get(key) for key in ("__type", "error_type")]
    candidates += [error.get(key) for key in ("code", "type", "status")]
    candidates += [body.get(key) for key in ("code", "Code", "type")]
    texts = [c for c in candidates if isinstance(c, str) and c and not _ADDRESS.match(c)]
    numbers = [str(c) for c in candidates if type(c) is int and abs(c) < 10**9]
    return next(iter(sorted(texts, key=str.isdecimal) + numbers), None)


def status_of(body: dict) -> int | None:
    """The HTTP status that an error body carries, else the one that its type stands for."""
    error = part(body, "error")
    for holder in (error, body):
        for key in _STATUS_KEYS:
            if (status := _status(holder.get(key))) is not None:
                return status
    names = (holder.get(key) for holder in (error, body) for key in ("code", "type", "error_type", "status"))
    known = (_NAMED.get(re.sub(r"[^a-z]", "", n.lower())) for n in names if isinstance(n, str))
    return next((status for status in known if status), None)


def _status(value: object) -> int | None:
    if isinstance(value, str) and len(value.strip()) == 3 and value.strip().isdecimal():
        value = int(value)
    return value if type(value) is int and 400 <= value < 600 else None


def message_of(body: dict) -> str | None:
    """The message of an error body, a container's own status and error code in front of it."""
    message = next((t for t in (body.get("OriginalMessage"), _text(body)) if isinstance(t, str) and t.strip()), None)
    status = body.get("OriginalStatusCode", body.get("originalStatusCode"))
    if type(status) is int and 0 <= status < 1000:
        message = f"container status {status}: {message or ''}"
    if isinstance(body.get("ErrorCode"), str):
        message = f"{body['ErrorCode']}: {message or ''}"
    return message


def _text(value: object, deep: int = 0) -> str | None:
    """The words in an error: a text, an object's message, FastAPI's list of what is wrong with which field."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return "; ".join(filter(None, (_text(item, deep + 1) for item in value[:3]))) or None
    if not isinstance(value, dict) or deep > 3:
        return None
    found = next(filter(None, (_text(value.get(key), deep + 1) for key in _MESSAGE_KEYS)), None)
    where = value.get("loc")
    if found and isinstance(where, list):
        return f"{'.'.join(str(step) for step in where[:8])}: {found}"
    return found


def describe(status: int | None, headers: typing.Mapping[str, str], data: bytes) -> str:
    """What to say of an answer that has no message: never nothing, and never a page's markup."""
    try:
        body = read_json(data)
    except NO_JSON:
        text = page_text(data) or " ".join(data[:_MOST].decode(errors="replace").split())
    else:
        said = {k: v for k, v in body.items() if k not in _CODES} if isinstance(body, dict) else body
        text = _text(body) or ("" if said in (None, "", {}, []) else json.dumps(said, ensure_ascii=False)[:_MOST])
    if status is not None and 300 <= status < 400:
        where = headers.get("location", "").split("?")[0]
        return f"{_phrase(status)}{f' to {where}' if where else ''}; redirects are not followed"
    return text or f"{_phrase(status)} without a word in the body"


def _phrase(status: int | None) -> str:
    try:
        return f"HTTP {status} {http.HTTPStatus(status or 0).phrase}"
    except ValueError:
        return f"HTTP {status}" if status else "an error"


def page_text(data: bytes) -> str | None:
    """`an HTML page: 404 Not Found nginx` for a page, or what an XML document says; None for anything else."""
    if data.lstrip()[:1] != b"<":
        return None
    head = data[:_MOST]
    if not _HTML.search(head):
        return _document_text(head) if _XML.match(head) else None
    text = data[:_MOST].decode(errors="replace")
    text = re.sub(r"(?is)<!--.*?-->|<(script|style)\b.*?(</\1\s*>|\Z)", " ", text)
    before, title, after = re.split(r"(?is)<title\b[^>]*>(.*?)</title\s*>", f"{text}<title></title>", maxsplit=1)
    title, rest = _words(title), _words(before + after)
    words = rest if title in rest else f"{title} {rest}".strip()  # most pages say their title once more
    return f"{PAGE}: {words}" if words else f"{PAGE} without text"


def _document_text(data: bytes) -> str:
    """AWS answers so where it does not know what is asked: `<UnknownOperationException/>`."""
    text = data.decode(errors="replace")
    root = re.search(r"<([A-Za-z][\w:.-]*)", text)
    return f"{DOCUMENT}: {' '.join(filter(None, (root and root[1], _words(text))))}"


def _words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>?", " ", markup)).split())
