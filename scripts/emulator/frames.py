"""AWS event-stream frames: prelude, typed headers, payload, two CRC-32s.

Format: total length, headers length and their CRC (4 bytes each, big endian); headers as name length (1 byte), name,
type 7 (string), value length (2 bytes), value; payload; CRC of everything before it. Source: smithy.io, "Amazon Event
Stream Specification".
"""

import functools
import json
import struct
import zlib

_ALPHABET = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_STRING = 7
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # json.dumps makes one at each call


def compact(value) -> bytes:
    """JSON as AWS writes it: no spaces, UTF-8 unescaped."""
    return _encode(value).encode()


def padded(value: dict) -> bytes:
    """`value` as JSON with Bedrock's `p` member, whose varying length hides the length of a token."""
    text = compact(value)
    length = (7 * len(text) + 3) % len(_ALPHABET) + 1
    return b'%b,"p":"%b"}' % (text[:-1], _ALPHABET[:length])


@functools.lru_cache(maxsize=256)
def _headers(pairs: tuple[tuple[str, str], ...]) -> bytes:
    out = b""
    for name, value in pairs:
        n, v = name.encode(), value.encode()
        out += struct.pack("!B", len(n)) + n + struct.pack("!BH", _STRING, len(v)) + v
    return out


def message(headers: tuple[tuple[str, str], ...], payload: bytes) -> bytes:
    """One frame with string headers, in the given order."""
    packed = _headers(headers)
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    body = b"%b%b%b%b" % (prelude, struct.pack("!I", zlib.crc32(prelude)), packed, payload)
    return body + struct.pack("!I", zlib.crc32(body))


@functools.lru_cache(maxsize=4096)
def event(name: str, payload: bytes) -> bytes:
    """An event frame. SageMaker's payload parts are raw bytes, every other event is JSON."""
    content = "application/octet-stream" if name == "PayloadPart" else "application/json"
    return message(((":event-type", name), (":content-type", content), (":message-type", "event")), payload)


def exception(name: str, payload: bytes) -> bytes:
    """An exception frame: ends a stream with a modelled error."""
    return message(
        ((":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")), payload
    )


def error(code: str, text: str) -> bytes:
    """An error frame: ends a stream with an unmodelled error; it has no payload."""
    return message(((":error-code", code), (":error-message", text), (":message-type", "error")), b"")


def named_line(value: dict) -> bytes:
    """A server-sent event that bears the name of its `type`, as those of Responses and of Anthropic's Messages do."""
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), compact(value))
