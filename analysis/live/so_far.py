"""The stage under way: figures of its requests that have ended, from sums and counts that need no more memory however many
these are.

| figure | of |
|---|---|
| requests, failures, error classes, shares | all that began in the window and have ended; the cancelled are no failures |
| percentiles, token means | the successes among them; a percentile is within 0.1 % of the exact one, its interval by order statistics |
| requests/s, output tokens/s | successes that ended since the window began / the time since then |

Requests that are still under way are in none of them: until a stage has ended its long requests are missing.
"""

import collections
import typing

import numpy as np

from analysis.live.batch import Batch
from analysis.live.histogram import FINE, Bins, Histogram
from analysis.metrics.token_times import AtOnce
from analysis.runs.token_totals import MAX_UNCOUNTED
from locustfiles.contract.error_classes import ErrorClass

SHOWN_PERCENTILES = {"p50": 0.50, "p95": 0.95}
LATE_S = 2.0  # by then a record is in the file after its request has ended
LEAST_S = 0.5  # a rate is of at least so long
PENDING = 20_000  # records that are kept while it is not known when the window began


class Mean:
    """Of the counts that are known."""

    def __init__(self) -> None:
        self.sum, self.n = 0.0, 0

    def add(self, values: np.ndarray) -> None:
        known = values[~np.isnan(values)]
        self.sum, self.n = self.sum + float(known.sum()), self.n + len(known)

    @property
    def value(self) -> float | None:
        return self.sum / self.n if self.n else None


class SoFar:
    """What is known of one stage. Times are s from the run's start."""

    def __init__(self, stage: int) -> None:
        self.stage = stage
        self.began: float | None = None  # its window
        self.last = 0.0  # end of the request that ended last
        self.longest_s = 0.0
        self.requests = self.successes = self.cancelled = 0
        self.errors: collections.Counter[str] = collections.Counter()
        bins = Bins(FINE)
        self.latency, self.ttft, self.tpot, self._tpot_at_once = (Histogram(bins) for _ in range(4))
        self._at_once = AtOnce(0, 0)
        self.prompt, self.completion, self.cached = Mean(), Mean(), Mean()
        self._ended = self._uncounted = 0  # successes since the window began
        self._tokens = 0.0
        self._pending: list[Batch] = []

    def take(self, records: Batch) -> None:
        """New records of the stage."""
        self.last = max(self.last, float(records.ended.max()))
        self.longest_s = max(self.longest_s, float(records.latency_s.max()))
        measured = records.where(records.measured)
        if len(measured):
            self.begins(float(measured.sent.min()))
            self._take_measured(measured)
        if self.began is not None:
            self._count(records)
        else:
            self._pending.append(records)
            if sum(map(len, self._pending)) > PENDING:
                del self._pending[0]

    def begins(self, at: float) -> None:
        """The window began then, or earlier."""
        first, self.began = self.began is None, at if self.began is None else min(at, self.began)
        if first:
            for records in self._pending:
                self._count(records)
            self._pending = []

    def _count(self, records: Batch) -> None:
        tokens = records.completion[records.good & (records.ended >= (self.began or 0.0))]
        self._ended += len(tokens)
        self._tokens += float(np.nansum(tokens))
        self._uncounted += int(np.isnan(tokens).sum())

    def _take_measured(self, measured: Batch) -> None:
        good = measured.where(measured.good)
        failed = measured.error[measured.failed]
        self.requests += len(measured)
        self.successes += len(good)
        self.cancelled += len(measured) - len(good) - len(failed)
        self.errors.update(map(str, failed))
        self.latency.add(good.latency_s)
        self.ttft.add(good.ttft_s)
        self.tpot.add(good.tpot_ms)
        self._tpot_at_once.add(good.tpot_at_once_ms)  # whether they count depends on how many of all came so
        self._at_once = self._at_once.with_(good.came)
        self.prompt.add(good.prompt)
        self.completion.add(good.completion)
        self.cached.add(good.cached)

    def figures(self, now: float, window_s: float | None) -> dict[str, typing.Any]:
        """now: s from the run's start; window_s: for how long it has been measured, None where the load does not tell."""
        failed = sum(self.errors.values())
        counted = self.requests - self.cancelled
        since = None if self.began is None else max(self.last, now - LATE_S) - self.began
        tpot = self.tpot
        if not self._at_once.most:
            tpot = Histogram(tpot.bins, tpot.counts + self._tpot_at_once.counts)
        found = {
            "stage": self.stage,
            "measured_s": since if window_s is None else window_s,
            "requests": self.requests,
            "successes": self.successes,
            "failures": failed,
            "errors": [list(each) for each in sorted(self.errors.items(), key=lambda each: (-each[1], each[0]))],
            "error_rate": failed / counted if counted else None,
            "throttle_share": self.errors[ErrorClass.THROTTLED] / counted if counted else None,
            "requests_per_s": None if since is None or since < LEAST_S else self._ended / since,
            "output_tokens_per_s": self._token_rate(since),
            "prompt_tokens_mean": self.prompt.value,
            "completion_tokens_mean": self.completion.value,
            "cache_read_share": self.cached.sum / self.prompt.sum if self.prompt.sum and self.cached.n else None,
        }
        times = {"latency": (self.latency, "s"), "ttft": (self.ttft, "s"), "tpot": (tpot, "ms")}
        for name, (histogram, unit) in times.items():
            found |= percentiles(histogram, name, unit)
        return found | {"n": {name: histogram.n for name, (histogram, _) in times.items()}}

    def _token_rate(self, since: float | None) -> float | None:
        """None where over 1 % of the successes have no count."""
        if since is None or since < LEAST_S or self._uncounted > MAX_UNCOUNTED * self._ended:
            return None
        return self._tokens / since


def percentiles(histogram: Histogram, name: str, unit: str) -> dict[str, float | None]:
    """`latency_p50_s`, with its interval in `latency_p50_s_low` and `latency_p50_s_high`."""
    found: dict[str, float | None] = {}
    for level, q in SHOWN_PERCENTILES.items():
        key, one = f"{name}_{level}_{unit}", histogram.percentile(q)
        found[key], found[f"{key}_low"], found[f"{key}_high"] = one or (None, None, None)
    return found
