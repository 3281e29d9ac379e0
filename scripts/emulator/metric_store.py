"""What CloudWatch keeps: series of values by namespace, name and dimensions, and their statistics over periods."""

import collections
import math
import re
import typing

Key = tuple[str, str, tuple[tuple[str, str], ...]]  # namespace, name, dimensions by name
STATISTICS = re.compile(r"Sum|Average|Minimum|Maximum|SampleCount|p(100|\d{1,2}(\.\d{1,10})?)")
FINE = {"ConcurrentRequestsPerModel"}  # of a resolution under a minute; those of instances may be, too
_MOST = 200_000  # values of a series, of which the oldest go


def key(namespace: str, name: str, dimensions: typing.Mapping[str, str]) -> Key:
    return namespace, name, tuple(sorted(dimensions.items()))


class MetricStore:
    """Times are Unix seconds."""

    def __init__(self) -> None:
        self._series: dict[Key, collections.deque[tuple[float, float]]] = {}
        self._units: dict[Key, str] = {}

    def put(self, of: Key, at: float, value: float, unit: str = "None") -> None:
        self._series.setdefault(of, collections.deque(maxlen=_MOST)).append((at, value))
        self._units[of] = unit

    def unit(self, of: Key) -> str | None:
        return self._units.get(of)

    def __contains__(self, of: Key) -> bool:
        return of in self._series

    def listed(self) -> list[Key]:
        return sorted(self._series)

    def periods(self, of: Key, period: int, begin: float, end: float, statistic: str) -> list[tuple[int, float]]:
        """(begin of a period, its statistic), ascending, of the periods in [begin, end) that have a value. Periods begin at
        multiples of their length."""
        if period < 60 and of[1] not in FINE and not of[0].startswith("/"):
            return []
        bins: dict[int, list[float]] = {}
        first = math.floor(begin / period) * period
        for at, value in self._series.get(of, ()):
            if first <= at < end:
                bins.setdefault(math.floor(at / period) * period, []).append(value)
        return [(start, _of(values, statistic)) for start, values in sorted(bins.items()) if start < end]


def _of(values: list[float], statistic: str) -> float:
    match statistic:
        case "Sum":
            return math.fsum(values)
        case "Average":
            return math.fsum(values) / len(values)
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case "SampleCount":
            return float(len(values))
    ordered, place = sorted(values), float(statistic[1:]) / 100 * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
