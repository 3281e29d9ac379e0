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
    frames: list[Frame] = []
    length_of, head_of = _sound.get, _known.get
    for number, (time, part) in enumerate(chunks):
        start, size = 0, len(part)
        while start < size:  # nearly always one frame a piece, whose like has been there before
            lengths = length_of(part[start : start + 12])
            if lengths is None or start + lengths[0] > size or len(frames) >= MAX_PIECES:
                return frames, _read_on(frames, [(time, part[start:]), *chunks[number + 1 :]])
            end, payload_at = start + lengths[0], start + 12 + lengths[1]
            head = head_of(part[start:payload_at])
            payload = part[payload_at : end - 4]
            if head is None or _crc32(payload, head[1]) != _uint32(part, end - 4)[0]:
                return frames, _read_on(frames, [(time, part[start:]), *chunks[number + 1 :]])
            frames.append(_frame(Frame, (time, head[0], payload)))
            start = end
    return frames, None


def _read_on(frames: list[Frame], chunks: Chunks) -> Damage | None:
    """Frames of any form, split anywhere."""
    blob = b"".join([part for _, part in chunks])
    size, start = len(blob), 0
    arrivals = iter(chunks)
    received, time = 0, 0.0
    while start < size:
        if len(frames) >= MAX_PIECES:
            return _MANY
        lengths = _lengths(blob[start : start + 12])
        if isinstance(lengths, Damage):
            return lengths
        end, payload_at = start + lengths[0], start + 12 + lengths[1]
        if end > size:
            return _CUT
        if _crc32(blob[start : end - 4]) != _uint32(blob, end - 4)[0]:
            return _MESSAGE_CRC
        headers = _read_headers(blob[start:payload_at])
        if headers is None:
            return _HEADERS
        while received < end:
            time, part = next(arrivals)
            received += len(part)
        frames.append(Frame(time, headers, blob[payload_at : end - 4]))
        start = end
    return None


# all streams of a process repeat a handful of header blocks and of lengths
_sound: dict[
    bytes, tuple[int, int]
] = {}  # preludes, CRC included, whose lengths are possible: of the frame, of its headers
_known: dict[bytes, tuple[dict[str, str], int]] = {}  # preludes with headers -> the headers, and the CRC so far
_blocks: dict[bytes, dict[str, str]] = {}  # the headers alone
_KEPT, _LONGEST = 2048, 512  # so many of each, of at most so many bytes


def _lengths(prelude: bytes) -> tuple[int, int] | Damage:
    if len(prelude) < 12:
        return _CUT
    total, headers_size, crc = _prelude(prelude)
    if _crc32(prelude[:8]) != crc:
        return _PRELUDE_CRC
    if not (0 <= total - headers_size - _AROUND <= MAX_PAYLOAD and headers_size <= MAX_HEADERS):
        return _LENGTH
    if len(_sound) < _KEPT:
        _sound[prelude] = total, headers_size
    return total, headers_size


def _read_headers(head: bytes) -> dict[str, str] | None:
    """head: the prelude, too."""
    raw = head[12:]
    headers = _blocks.get(raw) or _headers(raw)
    if headers and len(head) <= _LONGEST and len(_known) < _KEPT:
        _blocks[raw] = headers
        _known[head] = headers, _crc32(head)
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
