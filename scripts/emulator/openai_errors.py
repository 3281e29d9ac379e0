"""Errors as OpenAI and the servers of its routes word them: `{"error": {message, type, param, code}}`.

Everything goes wrong under its AWS name first; the table says what that is here. None keeps what is already there."""

import hmac
from typing import NamedTuple

from scripts.emulator.errors import AwsError
from scripts.emulator.frames import compact, named_line


class _Words(NamedTuple):
    status: int
    type: str
    code: str | None
    message: str | None = None


_INTERNAL = _Words(
    500, "server_error", None, "The server had an error while processing your request. Sorry about that!"
)
_WORDS = {
    "ThrottlingException": _Words(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "TokensExceeded": _Words(429, "tokens", "rate_limit_exceeded", "Rate limit reached for tokens."),
    "ServiceQuotaExceededException": _Words(
        429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."
    ),
    "ModelNotReadyException": _Words(503, "unavailable_error", None, "Loading model"),  # llama.cpp's
    "ServiceUnavailableException": _Words(
        503, "server_error", None, "The engine is currently overloaded, please try again later."
    ),
    "ModelTimeoutException": _Words(408, "timeout", None, "Request timed out."),
    "ModelErrorException": _INTERNAL,
    "ModelStreamErrorException": _INTERNAL,
    "InternalServerException": _INTERNAL,
    "ValidationException": _Words(400, "invalid_request_error", None),
    "ResourceNotFoundException": _Words(404, "invalid_request_error", "model_not_found"),
    "AccessDeniedException": _Words(403, "permission_denied_error", None, "You have no access to this model."),
}
_NO_KEY = "Incorrect API key provided."
_KEY = _Words(401, "invalid_request_error", "invalid_api_key", _NO_KEY)


def no_key() -> AwsError:
    """Raised for a request without the configured key."""
    return AwsError(401, "invalid_api_key", _NO_KEY, authentication=True)


def has_key(request, key: str | None) -> bool:
    """Whether a request brings the configured key; where none is configured, none is asked for."""
    own = request.headers.get("x-api-key")  # Anthropic's
    given = request.headers.get("authorization", "") if own is None else f"Bearer {own}"
    return key is None or hmac.compare_digest(given.encode(), f"Bearer {key}".encode())


def model_not_found(name: str) -> AwsError:
    return AwsError(
        404, "ResourceNotFoundException", f"The model `{name}` does not exist or you do not have access to it."
    )


def status_and_body(error: AwsError) -> tuple[int, bytes]:
    """What the client gets instead of an answer."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"  # of SageMaker's own errors
    words = _KEY if error.authentication else _WORDS.get(_name(error), _Words(error.status, kind, error.code))
    return words.status, _body(words, error.message, error.members.get("param"))


def event(name: str, message: str) -> bytes:
    """The event of an error in mid-stream, by the name of Bedrock's exception event."""
    return b"data: %b\n\n" % _body(_WORDS[name[0].upper() + name[1:]], message)


def last_event(name: str, message: str) -> bytes:
    """What ends a stream of chats. After a failure of the model vLLM goes on to its [DONE]; the other errors end the stream as
    OpenAI does, without."""
    done = b"data: [DONE]\n\n" if name == "modelStreamErrorException" else b""
    return event(name, message) + done


def named_event(name: str, message: str) -> bytes:
    """The same of Responses."""
    words = _WORDS[name[0].upper() + name[1:]]
    error = {"type": "error", "code": words.code or words.type, "message": words.message or message, "param": None}
    return named_line(error | {"sequence_number": 0})


def _name(error: AwsError) -> str:
    return "TokensExceeded" if error.code == "ThrottlingException" and "tokens" in error.message else error.code


def _body(words: _Words, message: str, param: str | None = None) -> bytes:
    error = {"message": words.message or message, "type": words.type, "param": param, "code": words.code}
    return compact({"error": error})
