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
_crc32 = zlib.crc32


class Frame(typing.NamedTuple):
    """One frame; `headers` has the string headers only and may be shared between frames: do not write to it."""

    time: float  # arrival of the frame's last byte
    headers: dict[str, str]
    payload: bytes


_frame = tuple.__new__  # without a call of Python's for every frame


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
    while start < size:
        if len(frames) >= MAX_PIECES:
            return frames, _MANY
        prelude = blob[start : start + 12]
        lengths = _sound.get(prelude) or _lengths(prelude)
        if isinstance(lengths, Damage):
            return frames, lengths
        total, headers_size, prelude_crc = lengths
        end = start + total
        if end > size:
            return frames, _CUT
        rest = blob[start + 8 : end - 4]  # the prelude's CRC, headers and payload
        if _crc32(rest, prelude_crc) != _uint32(blob, end - 4)[0]:  # it goes on from the CRC of the bytes before
            return frames, _MESSAGE_CRC
        headers_end = 4 + headers_size
        headers = _known.get(rest[4:headers_end]) or _read_headers(rest[4:headers_end])
        if headers is None:
            return frames, _HEADERS
        while received < end:
            time, part = next(arrivals)
            received += len(part)
        frames.append(_frame(Frame, (time, headers, rest[headers_end:])))
        start = end
    return frames, None


_sound: dict[bytes, tuple[int, int, int]] = {}  # preludes, CRC included, whose lengths are possible
_PRELUDES = 4096  # of them are kept


def _lengths(prelude: bytes) -> tuple[int, int, int] | Damage:
    """Of the frame, of its headers, and the CRC of both."""
    if len(prelude) < 12:
        return _CUT
    total, headers_size, crc = found = _prelude(prelude)
    if _crc32(prelude[:8]) != crc:
        return _PRELUDE_CRC
    if not (0 <= total - headers_size - _AROUND <= MAX_PAYLOAD and headers_size <= MAX_HEADERS):
        return _LENGTH
    if len(_sound) < _PRELUDES:
        _sound[prelude] = found
    return found


_known: dict[bytes, dict[str, str]] = {}  # all streams of a process repeat a handful of header blocks
_KEPT, _LONGEST = 256, 512  # so many blocks, of at most so many bytes


def _read_headers(raw: bytes) -> dict[str, str] | None:
    headers = _headers(raw)
    if headers and len(raw) <= _LONGEST and len(_known) < _KEPT:
        _known[raw] = headers
    return headers


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
