"""Bodies as JSON and as calls. A load test sends the same ones again and again: what was made of them lately is kept."""

import copy
import functools
import json

from scripts.emulator.dialects import Call
from scripts.emulator.errors import BadBody

_KEPT_BYTES, _KEPT = 8192, 256  # of a body, and so many


def json_of(body: bytes) -> dict:
    """A body that must be a JSON object; not to be changed. Raises BadBody."""
    return _kept_json(body) if len(body) <= _KEPT_BYTES else _json(body)


def call_of(dialect, body: bytes) -> Call:
    """What a body asks for, the caller's own. Raises BadBody, AwsError."""
    if len(body) > _KEPT_BYTES:
        return dialect.read(_json(body))
    call = copy.copy(_kept_call(dialect, body))
    call.parts = [copy.copy(part) for part in call.parts]
    return call


def _json(body: bytes) -> dict:
    """Raises BadBody."""
    try:
        value = json.loads(body)
    except ValueError:
        raise BadBody("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadBody("#: expected type: JSONObject")
    if b"\\ud" in body.lower():  # half a pair of escapes is no character
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise BadBody("the body is not valid UTF-8") from None
    return value


_kept_json = functools.lru_cache(maxsize=_KEPT)(_json)


@functools.lru_cache(maxsize=_KEPT)
def _kept_call(dialect, body: bytes) -> Call:
    return dialect.read(json_of(body))
