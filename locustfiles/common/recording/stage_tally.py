"""What has arrived of one stage so far, for the rules that end its phases. Times in seconds.

With `retry:` a request is a call here, as the report judges it: it counts once its last attempt has ended, in the phase in
which its first one began, with the time from there and the last one's error.
"""

import array
import dataclasses
import math
import statistics
import typing

from locustfiles.common.recording.arrived import Arrived
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.retry import Retry
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.statistics.batch_means import mean_half_width, too_narrow
from locustfiles.contract.statistics.binomial import LEVELS, decide
from locustfiles.contract.stop_reasons import is_bad

LOOKS_APART = 1.05  # the interval is looked at whenever there are 5 % more latencies
RECENT = 20_000  # latencies of a long settling that are looked at
STEADY = 0.10  # a drift of the mean latency below this is none
ENOUGH = 10  # failures in a row after successes: they go on


class _Begun(typing.NamedTuple):
    """A call's first attempt."""

    phase: str
    sent: float  # Unix seconds, by the worker's clock
    late_s: float  # behind its due time


def _numbers() -> "array.array[float]":
    return array.array("d")


@dataclasses.dataclass(slots=True)
class Tally:
    """Measured requests and failures, latencies and TTFTs of measured successes, and what ended while settling."""

    requests: int = 0
    failed: int = 0
    bad_stops: int = 0  # successes whose stop reason says that they are not what was asked for
    keep: bool = True  # times of measured requests too: a rule needs them
    latencies: typing.MutableSequence[float] = dataclasses.field(default_factory=_numbers)
    ttfts: typing.MutableSequence[float] = dataclasses.field(default_factory=_numbers)
    settled: int = 0
    settling: list[float] = dataclasses.field(default_factory=list)  # latencies of successes
    failing: int = 0  # failures since the last of these
    first_sent: float = math.inf  # of the latencies: Unix seconds, by the workers' clocks
    last_ended: float = -math.inf
    retry: Retry | None = None
    _begun: dict[tuple[str, int], _Begun] = dataclasses.field(default_factory=dict)  # calls between two attempts
    _look: tuple[int, float | None] | None = None  # the latest: at so many latencies, relative_ci

    def take(self, record: Arrived) -> None:
        """One more record of the stage."""
        call = record.worker, record.call
        begun = self._begun.pop(call, None) if self._begun else None
        if record.attempt == 1:
            begun = _Begun(record.phase, record.started_at, (record.schedule_delay_ms or 0.0) / 1000)
        if begun is None:
            return
        if self.retry and record.error and self.retry.again(record):
            self._begun[call] = begun
        elif record.error != ErrorClass.CANCELLED:
            self._count(begun, record.started_at - begun.sent, record)

    def _count(self, begun: _Begun, before_s: float, record: Arrived) -> None:
        """A call that has ended with this record, whose attempt was sent `before_s` after the first."""
        error, latency = record.error, before_s + record.latency_ms / 1000
        if begun.phase == "settle":
            self.settled += 1
            self.failing = self.failing + 1 if error else 0
            if not error:
                self.settling.append(latency)
            if len(self.settling) > 2 * RECENT:
                del self.settling[:-RECENT]
        if begun.phase != "measure":
            return
        self.requests += 1
        self.failed += bool(error)
        self.bad_stops += not error and is_bad(record.stop_reason)
        if self.keep and not error:
            self.first_sent = min(self.first_sent, begun.sent)
            self.last_ended = max(self.last_ended, begun.sent + latency)
            self.latencies.append(latency + begun.late_s)  # a user waits from when the request was due
            if record.ttft_ms is not None:
                self.ttfts.append(before_s + record.ttft_ms / 1000 + begun.late_s)

    def steady(self, at_once: int) -> bool:
        """Whether the stage has settled: as many requests have ended as are in flight at once, and of their latencies
        the later half's mean differs from the earlier half's by less than 10 %, or than two standard errors."""
        if self.settled < at_once:
            return False
        if self.failing >= max(2 * at_once, ENOUGH if self.settling else 0):  # it fails steadily
            return True
        half = min(len(self.settling) // 2, max(at_once, 10))
        if half < 1:
            return False
        earlier, later = self.settling[-2 * half : -half], self.settling[-half:]
        drift = abs(statistics.fmean(later) - statistics.fmean(earlier))
        error = math.sqrt((statistics.variance(earlier) + statistics.variance(later)) / half) if half > 1 else 0.0
        return drift <= max(STEADY * statistics.fmean(later), 2 * error)

    def relative_ci(self) -> float | None:
        """Half the width of the mean latency's 95 % interval as a share of it, at the latest look (`mean_half_width`).

        None below twenty successes, and while p95 of latency is longer than a tenth of the window.
        """
        n = len(self.latencies)
        if self._look is None or n >= LOOKS_APART * self._look[0]:
            self._look = (n, self._known_to(n))
        return self._look[1]

    def _known_to(self, n: int) -> float | None:
        import numpy as np  # loaded by then: `Sweep`

        half = mean_half_width(self.latencies)
        if half is None or too_narrow(self.last_ended - self.first_sent, float(np.quantile(self.latencies, 0.95))):
            return None
        return half / (sum(self.latencies) / n)

    def keeps(self, slo: Slo) -> str:
        """Whether the measured requests keep the limits that can be told from them: met, missed or undecided.

        Percentiles by the exact binomial test; means and the error rate as they are. Failures count as above every limit.
        """
        if not self.requests:
            return "undecided"
        import numpy as np  # loaded by then: `Sweep`

        states = []
        for limits, times in ((slo.latency_s, self.latencies), (slo.ttft_s, self.ttfts)):
            values = np.asarray(times, dtype=float)
            for name, q in LEVELS.items():
                limit = getattr(limits, name, None)
                if limit is not None:
                    above = int(np.count_nonzero(values > limit)) + self.failed
                    states.append(decide(above, len(values) + self.failed, q))
            mean = getattr(limits, "mean", None)
            if mean is not None:
                states.append("undecided" if not len(values) else "met" if values.mean() <= mean else "missed")
        if slo.error_rate is not None:
            states.append("met" if self.failed <= slo.error_rate * self.requests else "missed")
        if slo.bad_stop_share is not None:
            states.append("met" if self.bad_stops <= slo.bad_stop_share * (self.requests - self.failed) else "missed")
        return next((state for state in ("missed", "undecided") if state in states), "met")


def window_ends(elapsed_s: float, load: Load, at_most_s: float, tally: Tally) -> str | None:
    """Why a window that has been open for `elapsed_s` ends now (abort, requests, precision, time), or None."""
    abort, until = load.abort_stage, load.until
    if abort and tally.requests >= abort.after_requests and tally.failed > abort.error_rate * tally.requests:
        return "abort"
    if until and (until.requests is None or tally.requests >= until.requests):
        if until.relative_ci is None:
            return "requests"
        known = tally.relative_ci()
        if known is not None and known <= until.relative_ci:
            return "precision"
    return "time" if elapsed_s >= at_most_s else None
