"""Errors as Anthropic words them: `{"type": "error", "error": {type, message}}`, https://docs.anthropic.com/en/api/errors"""

from scripts.emulator.errors import AwsError
from scripts.emulator.frames import compact, named_line

#: under its AWS name -> status, type
_TYPES = {
    "ThrottlingException": (429, "rate_limit_error"),
    "ServiceQuotaExceededException": (429, "rate_limit_error"),
    "ModelNotReadyException": (529, "overloaded_error"),
    "ServiceUnavailableException": (529, "overloaded_error"),
    "ModelTimeoutException": (504, "timeout_error"),
    "ValidationException": (400, "invalid_request_error"),
    "ResourceNotFoundException": (404, "not_found_error"),
    "AccessDeniedException": (403, "permission_error"),
}
_INTERNAL = (500, "api_error")


def status_and_body(error: AwsError) -> tuple[int, bytes]:
    """What the client gets instead of an answer."""
    status, kind = (401, "authentication_error") if error.authentication else _TYPES.get(error.code, _INTERNAL)
    return status, compact(_error(kind, error.message))


def event(name: str, message: str) -> bytes:
    """The event of an error in mid-stream, by the name of Bedrock's exception event."""
    _, kind = _TYPES.get(name[0].upper() + name[1:], _INTERNAL)
    return named_line(_error(kind, message))


def _error(kind: str, message: str) -> dict:
    return {"type": "error", "error": {"type": kind, "message": message}}
