"""Points of charts over the run, a bucket of time each; when there are more than MOST of them neighbours become one.

A bucket holds the requests that ended in it, of every phase. Counts and histograms add up, so that a point of two buckets is what
one bucket would have been. Accrued dollars are what the calls were billed as far as their tokens are known, failures of unknown
tokens at nothing, and of instances the time under load.
"""

import dataclasses
import math
import typing

import numpy as np

from analysis.live.batch import Batch
from analysis.live.histogram import COARSE, Bins, Histogram
from analysis.live.so_far import LATE_S, LEAST_S
from analysis.runs.token_totals import MAX_UNCOUNTED
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.prices.price import HourlyPrice, Price

MOST = 300  # points
SHORTEST_S = 1.0  # a bucket at first
BINS = Bins(COARSE)


@dataclasses.dataclass(slots=True)
class Bucket:
    """Of so many seconds."""

    requests: int = 0
    failures: int = 0
    throttled: int = 0
    uncounted: int = 0  # successes without a token count
    successes: int = 0
    tokens: float = 0.0
    usd: float = 0.0
    unpriced: int = 0  # successes whose dollars are not known
    ttft: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(BINS.number, dtype=np.int32))
    latency: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(BINS.number, dtype=np.int32))

    def count(self, batch: Batch) -> None:
        good = batch.where(batch.good)
        self.requests += len(batch)
        self.failures += int(batch.failed.sum())
        self.throttled += int((batch.error == ErrorClass.THROTTLED).sum())
        self.successes += len(good)
        self.tokens += float(np.nansum(good.completion))
        self.uncounted += int(np.isnan(good.completion).sum())
        self.usd += float(np.nansum(batch.usd))
        self.unpriced += int(np.isnan(good.usd).sum())
        Histogram(BINS, self.ttft).add(good.ttft_s)
        Histogram(BINS, self.latency).add(good.latency_s)

    def add(self, other: "Bucket") -> "Bucket":
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self


class Series:
    """Times are s from the run's start."""

    def __init__(self, prices: dict[str, Price]) -> None:
        self._prices = prices
        self.every_s = SHORTEST_S
        self._buckets: dict[int, Bucket] = {}
        self._spell: tuple[str, float] | None = None  # the target under load, and until when it was
        self.last = 0.0
        self._points: dict[int, tuple[tuple[int, float], dict[str, float | None]]] = {}

    def add(self, batch: Batch, parts: typing.Sequence[float]) -> None:
        """Records in the order of the file. parts: when the run's parts began."""
        self.last = max(self.last, float(batch.ended.max()))
        places = np.floor(batch.ended / self.every_s).astype(int)
        for place in np.unique(places):
            here = places == place
            bucket, some = self._buckets.setdefault(int(place), Bucket()), batch.where(here)
            bucket.count(some)
            bucket.usd += self._hourly_usd(some, parts)

    def _hourly_usd(self, batch: Batch, parts: typing.Sequence[float]) -> float:
        """Of the time by which they prolong their targets' spells under load."""
        usd = 0.0
        for target in dict.fromkeys(batch.target.tolist()):
            own = batch.where(batch.target == target)
            first, last = float(own.sent.min()), float(own.ended.max())
            since = self._spell[1] if self._spell and self._spell[0] == target else None
            if since is not None and any(since < part <= first for part in parts):
                since = None  # it was resumed meanwhile
            price = self._prices.get(target)
            if isinstance(price, HourlyPrice):
                longer = last - first if since is None else max(0.0, last - since)
                usd += longer / 3600 * price.usd_per_hour_in_all
            self._spell = target, last if since is None else max(since, last)
        return usd

    def document(
        self, manifest: Manifest, now: float | None, began: tuple[int, float | None] | None
    ) -> dict[str, typing.Any]:
        """As the JSON has it. now: None of a run that has ended. began: the stage under way, and when its window began."""
        spans = self._spans(manifest, now)
        while sum(self._number(span) for span in spans) > MOST:
            self._halve()
        found: dict[str, list[typing.Any]] = {name: [] for name in ("t", *POINT)}
        usd, known = 0.0, self._usd_known()
        for n, span in enumerate(spans):
            if n:  # nothing is known of the time between
                for name, values in found.items():
                    values.append(found["t"][-1] + self.every_s if name == "t" else None)
            for place in self._places(span):
                bucket = self._buckets.get(place) or Bucket()
                usd += bucket.usd
                length = min((place + 1) * self.every_s, span[1]) - max(place * self.every_s, span[0])
                found["t"].append(manifest.started_at + max(place * self.every_s, span[0]))
                for name, value in (self._point(place, bucket, length) | {"usd": usd if known else None}).items():
                    found[name].append(value)
        return {"every_s": self.every_s, "from": manifest.started_at, **found, "stages": _windows(manifest, began)}

    def _point(self, place: int, bucket: Bucket, length_s: float) -> dict[str, float | None]:
        """Worked out anew only when something was added."""
        of = bucket.requests, length_s
        if place not in self._points or self._points[place][0] != of:
            self._points[place] = of, point(bucket, length_s)
        return self._points[place][1]

    def _spans(self, manifest: Manifest, now: float | None) -> list[tuple[float, float]]:
        """Of the run's parts, the last one as far as its records are there."""
        parts, epoch = manifest.parts, manifest.started_at
        until = self.last if now is None else max(self.last, now - LATE_S)
        if not parts:
            return [(0.0, self.last)]
        ends = [until if p.ended_at is None else p.ended_at - epoch for p in parts]
        for n in range(len(parts) - 1):  # one that was killed has no end
            if parts[n].ended_at is None:
                ends[n] = self._last_before(parts[n + 1].started_at - epoch)
        return [(p.started_at - epoch, max(p.started_at - epoch, end)) for p, end in zip(parts, ends, strict=True)]

    def _last_before(self, at: float) -> float:
        earlier = [(place + 1) * self.every_s for place in self._buckets if place * self.every_s < at]
        return min(at, max(earlier, default=at))

    def _places(self, span: tuple[float, float]) -> range:
        first, until = math.floor(span[0] / self.every_s), math.ceil(span[1] / self.every_s)
        short = span[1] - (until - 1) * self.every_s < min(LEAST_S, self.every_s) and until - first > 1
        return range(first, until - short)

    def _number(self, span: tuple[float, float]) -> int:
        return len(self._places(span))

    def _halve(self) -> None:
        self.every_s *= 2
        merged: dict[int, Bucket] = {}
        for place, bucket in self._buckets.items():
            merged[place // 2] = merged[place // 2].add(bucket) if place // 2 in merged else bucket
        self._buckets, self._points = merged, {}

    def _usd_known(self) -> bool:
        successes = sum(bucket.successes for bucket in self._buckets.values())
        return sum(bucket.unpriced for bucket in self._buckets.values()) <= MAX_UNCOUNTED * successes


POINT = (
    "requests_per_s", "failures_per_s", "throttled_per_s", "output_tokens_per_s", "ttft_p50_s", "ttft_p95_s",
    "latency_p50_s", "latency_p95_s", "usd",
)  # fmt: skip


def point(bucket: Bucket, length_s: float) -> dict[str, float | None]:
    """All but the dollars."""
    known = bucket.uncounted <= MAX_UNCOUNTED * bucket.successes
    found: dict[str, float | None] = {
        "requests_per_s": bucket.requests / length_s,
        "failures_per_s": bucket.failures / length_s,
        "throttled_per_s": bucket.throttled / length_s,
        "output_tokens_per_s": bucket.tokens / length_s if known else None,
    }
    for name, counts in (("ttft", bucket.ttft), ("latency", bucket.latency)):
        found[f"{name}_p50_s"], found[f"{name}_p95_s"] = Histogram(BINS, counts).quantiles(0.50, 0.95)
    return found


def _windows(manifest: Manifest, began: tuple[int, float | None] | None) -> list[list[typing.Any]]:
    """(stage, beginning and end of its window), Unix seconds, of those that got one."""
    found: list[list[typing.Any]] = [
        [v.stage, v.measure_from, v.measure_until] for v in manifest.stages if v.measure_from is not None
    ]
    if began and began[1] is not None and began[0] not in [each[0] for each in found]:
        found.append([began[0], manifest.started_at + began[1], None])
    return found
