"""CBOR (RFC 8949) as AWS's RPC protocol `rpc-v2-cbor` uses it: numbers, texts, lists, maps, true, false, null, and times as tag 1."""

import datetime
import struct
import typing

_EPOCH = 1  # the tag of a time in Unix seconds
_BREAK = object()
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_MOST_DEEP = 64


class Malformed(ValueError):
    """What was sent is no CBOR, or of a kind that the protocol does not use."""


def encoded(value: typing.Any) -> bytes:
    """Times are datetimes with a zone."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return _head(3, len(data)) + data
    if isinstance(value, datetime.datetime):
        return _head(6, _EPOCH) + encoded(value.timestamp())
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(encoded(key) + encoded(one) for key, one in value.items())
    return _head(4, len(value)) + b"".join(encoded(one) for one in value)


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(n for n in (1, 2, 4, 8) if argument < 1 << 8 * n)
    return bytes([major << 5 | 24 + size.bit_length() - 1]) + argument.to_bytes(size, "big")


def decoded(data: bytes) -> typing.Any:
    """One item. A time is its Unix seconds. Raises Malformed."""
    try:
        value, end = _item(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as e:
        raise Malformed(str(e)) from None
    if end != len(data) or value is _BREAK:
        raise Malformed("something stands behind its end")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[typing.Any, int]:
    """The item at `at`, and where the next one begins."""
    if depth > _MOST_DEEP:
        raise Malformed("too deep")
    major, low = data[at] >> 5, data[at] & 31
    if major == 7:
        return _simple(data, at, low)
    argument, at = _argument(data, at + 1, low)
    if major in (0, 1):
        return (argument if major == 0 else -1 - typing.cast(int, argument)), at
    if major == 6:
        return _item(data, at, depth + 1)
    if major in (2, 3):
        return _text(data, major, argument, at, depth)
    items, at = _items(data, None if argument is None else argument * (major - 3), at, depth)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), at


def _argument(data: bytes, at: int, low: int) -> tuple[int | None, int]:
    """None: its end is marked by a break."""
    if low < 24:
        return low, at
    if low == 31:
        return None, at
    if low > 27:
        raise Malformed("a length of no known form")
    size = 1 << low - 24
    part = data[at : at + size]
    if len(part) < size:
        raise Malformed("it ends too early")
    return int.from_bytes(part, "big"), at + size


def _simple(data: bytes, at: int, low: int) -> tuple[typing.Any, int]:
    if low == 31:
        return _BREAK, at + 1
    if low in _FLOATS:
        form, size = _FLOATS[low]
        return struct.unpack_from(form, data, at + 1)[0], at + 1 + size
    if low not in _SIMPLE:
        raise Malformed("a simple value of no known meaning")
    return _SIMPLE[low], at + 1


def _text(data: bytes, major: int, length: int | None, at: int, depth: int) -> tuple[typing.Any, int]:
    if length is None:
        parts, at = _items(data, None, at, depth)
        return ("" if major == 3 else b"").join(parts), at
    part = data[at : at + length]
    if len(part) < length:
        raise Malformed("it ends too early")
    return (part.decode() if major == 3 else part), at + length


def _items(data: bytes, count: int | None, at: int, depth: int) -> tuple[list, int]:
    """count: None until a break."""
    found: list = []
    while count is None or len(found) < count:
        value, at = _item(data, at, depth + 1)
        if value is _BREAK:
            if count is not None:
                raise Malformed("a break where none may be")
            break
        found.append(value)
    return found, at
