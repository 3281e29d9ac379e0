"""AWS event-stream frames: bytes of an HTTP body, split anywhere -> (arrival time, headers, payload).

A frame is `total length, headers length, CRC of these 8 bytes, headers, payload, CRC of all before`,
every number an unsigned 32-bit big-endian integer (the `application/vnd.amazon.eventstream` encoding).
"""

import dataclasses
import struct
import typing
import zlib

from locustfiles.common.transport.limits import MAX_PIECES
from locustfiles.contract.error_classes import ErrorClass

Chunks = typing.Sequence[tuple[float, bytes]]  # (arrival time in perf_counter seconds, bytes)

#: bytes; what AWS's own clients accept at most
MAX_HEADERS = 128 * 1024
MAX_PAYLOAD = 24 * 1024 * 1024

_AROUND = 16  # bytes of a frame beside headers and payload: 12 of prelude, 4 of CRC
_STRING = 7
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # header value type -> its bytes
_prelude = struct.Struct(">III").unpack_from
_uint32 = struct.Struct(">I").unpack_from


class Frame(typing.NamedTuple):
    """One frame; `headers` has the string headers only and may be shared between frames: do not write to it."""

    time: float  # arrival of the frame's last byte
    headers: dict[str, str]
    payload: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Damage:
    """Why reading stopped before the end of the bytes."""

    reason: str
    error: ErrorClass


_MANY = Damage(f"the stream has more than {MAX_PIECES:,} frames", ErrorClass.BAD_RESPONSE)
_CUT = Damage("the stream ends inside a frame", ErrorClass.STREAM_BROKEN)
_PRELUDE_CRC = Damage("a frame's prelude CRC does not match", ErrorClass.BAD_RESPONSE)
_MESSAGE_CRC = Damage("a frame's message CRC does not match", ErrorClass.BAD_RESPONSE)
_LENGTH = Damage("a frame's lengths are impossible", ErrorClass.BAD_RESPONSE)
_HEADERS = Damage("a frame's headers cannot be read", ErrorClass.BAD_RESPONSE)


def decode(chunks: Chunks) -> tuple[list[Frame], Damage | None]:
    """All whole frames, in order, and why reading stopped if bytes are left over. Never raises."""
    blob = b"".join([part for _, part in chunks])
    frames: list[Frame] = []
    size, start = len(blob), 0
    arrivals = iter(chunks)
    received, time = 0, 0.0
    known: dict[bytes, dict[str, str]] = {}  # a stream repeats a handful of header blocks
    view = memoryview(blob)
    while start < size:
        if len(frames) >= MAX_PIECES:
            return frames, _MANY
        if size - start < 12:
            return frames, _CUT
        total, headers_size, prelude_crc = _prelude(blob, start)
        if zlib.crc32(view[start : start + 8]) != prelude_crc:
            return frames, _PRELUDE_CRC
        payload_size = total - headers_size - _AROUND
        if not (0 <= payload_size <= MAX_PAYLOAD and headers_size <= MAX_HEADERS):
            return frames, _LENGTH
        end = start + total
        if end > size:
            return frames, _CUT
        if zlib.crc32(view[start : end - 4]) != _uint32(blob, end - 4)[0]:
            return frames, _MESSAGE_CRC
        payload_start = start + 12 + headers_size
        raw = blob[start + 12 : payload_start]
        headers = known.get(raw)
        if headers is None:
            headers = _headers(raw)
            if headers is None:
                return frames, _HEADERS
            known[raw] = headers
        while received < end:
            time, part = next(arrivals)
            received += len(part)
        frames.append(Frame(time, headers, blob[payload_start : end - 4]))
        start = end
    return frames, None


def _headers(raw: bytes) -> dict[str, str] | None:
    """The string headers of a block; None when the block cannot be read to its last byte."""
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(raw):
            name_end = at + 1 + raw[at]
            name = raw[at + 1 : name_end].decode()
            kind = raw[name_end]
            at = name_end + 1
            if kind in _FIXED:
                at += _FIXED[kind]
            elif kind in (6, _STRING):  # byte array and string: a 16-bit length first
                value_start = at + 2
                at = value_start + (raw[at] << 8 | raw[at + 1])
                if kind == _STRING and at <= len(raw):
                    if name in headers:
                        return None
                    headers[name] = raw[value_start:at].decode()
            else:
                return None
    except (IndexError, UnicodeDecodeError):
        return None
    return headers if at == len(raw) else None
