"""OpenTelemetry's metrics as bytes: ExportMetricsServiceRequest of OTLP 1.x, the few messages of it that are used here.

Written by hand in Protobuf's wire format, which is frozen: no package, and none of its dependencies, comes into the load test's
environment for it. Tests read it with OpenTelemetry's own messages.
"""

import struct
import typing

CUMULATIVE = 2
Attributes = dict[str, str | int | float | bool]


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def whole(field: int, number: int) -> bytes:
    """uint, enum, bool, and int64 that is not negative."""
    return _varint(field << 3) + _varint(number)


def eight(field: int, number: int) -> bytes:
    """fixed64, sfixed64"""
    return _varint(field << 3 | 1) + struct.pack("<Q", number)


def double(field: int, number: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", number)


def message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def text(field: int, words: str) -> bytes:
    return message(field, words.encode("utf-8", "replace"))


def attributes(field: int, of: Attributes) -> bytes:
    """repeated KeyValue"""
    return b"".join(message(field, text(1, key) + message(2, _any(value))) for key, value in of.items())


def _any(value: str | int | float | bool) -> bytes:
    if isinstance(value, bool):
        return whole(2, int(value))
    if isinstance(value, int):
        return whole(3, value & (1 << 64) - 1)
    return double(4, value) if isinstance(value, float) else text(1, value)


class Point(typing.NamedTuple):
    """A number of a counter (whole or not) or a gauge."""

    of: Attributes
    value: float | int


class Spread(typing.NamedTuple):
    """A histogram's: counts of each bucket, one more than there are bounds."""

    of: Attributes
    counts: list[int]
    sum: float


def _number_point(point: Point, since: int, at: int) -> bytes:
    value = eight(6, point.value) if isinstance(point.value, int) else double(4, point.value)
    return attributes(7, point.of) + (eight(2, since) if since else b"") + eight(3, at) + value


def counter(name: str, unit: str, words: str, points: list[Point], since: int, at: int) -> bytes:
    """Metric. since, at: Unix ns."""
    data = b"".join(message(1, _number_point(point, since, at)) for point in points)
    return _named(name, unit, words) + message(7, data + whole(2, CUMULATIVE) + whole(3, 1))


def gauge(name: str, unit: str, words: str, points: list[Point], at: int) -> bytes:
    return _named(name, unit, words) + message(5, b"".join(message(1, _number_point(point, 0, at)) for point in points))


def histogram(
    name: str, unit: str, words: str, bounds: typing.Sequence[float], spreads: list[Spread], since: int, at: int
) -> bytes:
    ends, data = struct.pack(f"<{len(bounds)}d", *bounds), b""
    for spread in spreads:
        counts = struct.pack(f"<{len(spread.counts)}Q", *spread.counts)
        point = attributes(9, spread.of) + eight(2, since) + eight(3, at) + eight(4, sum(spread.counts))
        data += message(1, point + double(5, spread.sum) + message(6, counts) + message(7, ends))
    return _named(name, unit, words) + message(9, data + whole(2, CUMULATIVE))


def _named(name: str, unit: str, words: str) -> bytes:
    return text(1, name) + text(2, words) + text(3, unit)


def request(resource: Attributes, scope: str, version: str, metrics: list[bytes]) -> bytes:
    """ExportMetricsServiceRequest."""
    scoped = message(1, text(1, scope) + text(2, version)) + b"".join(message(2, metric) for metric in metrics)
    return message(1, message(1, attributes(1, resource)) + message(2, scoped))
