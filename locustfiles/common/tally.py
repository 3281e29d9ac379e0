"""What has arrived of one stage so far, for the rules that end its phases. Times in seconds."""

import dataclasses
import math
import statistics

from locustfiles.common.binomial import LEVELS, decide
from locustfiles.common.collect import Row, cell
from locustfiles.common.errors import ErrorClass
from locustfiles.common.slo import Slo

BATCHES = 10
T_9 = 2.262157  # Student's t, 9 degrees of freedom, 97.5 %
RECENT = 20_000  # latencies of a long settling that are looked at
STEADY = 0.10  # a drift of the mean latency below this is none


@dataclasses.dataclass(slots=True)
class Tally:
    """Measured requests and failures, latencies and TTFTs of measured successes, and what ended while settling."""

    requests: int = 0
    failed: int = 0
    keep: bool = True  # times of measured requests too: a rule needs them
    latencies: list[float] = dataclasses.field(default_factory=list)
    ttfts: list[float] = dataclasses.field(default_factory=list)
    settled: int = 0
    settling: list[float] = dataclasses.field(default_factory=list)  # latencies of successes
    _ci: tuple[int, float] | None = None  # of so many latencies

    def take(self, row: Row) -> None:
        """One more record of the stage."""
        phase, error = cell(row, "phase"), cell(row, "error")
        if error == ErrorClass.CANCELLED or phase not in ("settle", "measure"):
            return
        latency = float(cell(row, "latency_ms")) / 1000
        if phase == "settle":
            self.settled += 1
            if not error:
                self.settling.append(latency)
            if len(self.settling) > 2 * RECENT:
                del self.settling[:-RECENT]
            return
        self.requests += 1
        self.failed += bool(error)
        if self.keep and not error:
            late = float(cell(row, "schedule_delay_ms") or 0) / 1000  # a user waits from when the request was due
            self.latencies.append(latency + late)
            if ttft := cell(row, "ttft_ms"):
                self.ttfts.append(float(ttft) / 1000 + late)

    def steady(self, at_once: int) -> bool:
        """Whether the stage has settled: as many requests have ended as are in flight at once, and of their latencies
        the later half's mean differs from the earlier half's by less than 10 %, or than two standard errors."""
        if self.settled < at_once:
            return False
        if not self.settling:  # it fails steadily
            return self.settled >= 2 * at_once
        half = min(len(self.settling) // 2, max(at_once, 10))
        if half < 1:
            return False
        earlier, later = self.settling[-2 * half : -half], self.settling[-half:]
        drift = abs(statistics.fmean(later) - statistics.fmean(earlier))
        error = math.sqrt((statistics.variance(earlier) + statistics.variance(later)) / half) if half > 1 else 0.0
        return drift <= max(STEADY * statistics.fmean(later), 2 * error)

    def relative_ci(self) -> float | None:
        """Half the width of the mean latency's 95 % interval as a share of it: means of ten batches in the order of
        arrival (Law, Simulation Modeling and Analysis, 9.5.3). None below 20 successes."""
        n = len(self.latencies)
        if self._ci and n < 1.01 * self._ci[0]:  # asked ten times a second: not computed anew for every request
            return self._ci[1]
        size = n // BATCHES
        if size < 2:
            return None
        means = [statistics.fmean(self.latencies[-size * (i + 1) : len(self.latencies) - size * i]) for i in range(BATCHES)]
        self._ci = (n, T_9 * statistics.stdev(means) / math.sqrt(BATCHES) / statistics.fmean(means))
        return self._ci[1]

    def keeps(self, slo: Slo) -> str:
        """Whether the measured requests keep the limits that can be told from them: met, missed or undecided.

        Percentiles by the exact binomial test; means and the error rate as they are. Failures count as above every limit.
        """
        if not self.requests:
            return "undecided"
        states = []
        for limits, values in ((slo.latency_s, self.latencies), (slo.ttft_s, self.ttfts)):
            for name, q in LEVELS.items():
                limit = getattr(limits, name, None)
                if limit is not None:
                    above = sum(v > limit for v in values) + self.failed
                    states.append(decide(above, len(values) + self.failed, q))
            mean = getattr(limits, "mean", None)
            if mean is not None:
                states.append("undecided" if not values else "met" if statistics.fmean(values) <= mean else "missed")
        if slo.error_rate is not None:
            states.append("met" if self.failed <= slo.error_rate * self.requests else "missed")
        return next((state for state in ("missed", "undecided") if state in states), "met")
