"""A target's metrics in some periods."""

import math
import statistics

from analysis.enrich.cloudwatch import Told, fine_period
from analysis.enrich.periods import Periods, fine_of
from analysis.enrich.whose import TOLD_BY, Series, Whose, series_of
from locustfiles.contract.manifest import StageWindow


class Reader:
    """Sums, means and levels of what CloudWatch told. unit: of those that may be kept in several; None: whichever."""

    def __init__(self, found: Whose, told: Told, periods: Periods, visit: StageWindow, fine_s: int | None) -> None:
        self._series, self._told, self._periods = series_of(found), told, periods
        self._visit, self._fine_s = visit, fine_s

    def values(self, name: str, statistic: str, unit: str | None = None) -> list[float]:
        """By period and set of dimensions."""
        return [v for series in self._of(name, unit) for v in self._in_periods(series, statistic).values()]

    def total(self, name: str, unit: str | None = None) -> float | None:
        values = self.values(name, "Sum", unit)
        return math.fsum(values) if values else None

    def mean(self, name: str, unit: str | None = None) -> float | None:
        """Over samples, not over periods."""
        samples = self.values(name, "SampleCount", unit)
        total = self.total(name, unit)
        return total / math.fsum(samples) if total is not None and math.fsum(samples) else None

    def samples(self, name: str) -> float | None:
        values = self.values(name, "SampleCount")
        return math.fsum(values) if values else None

    def peak(self, *names: str) -> float | None:
        """The most of a period, a minute's worth, over all sets of dimensions; of several metrics together."""
        by_begin: dict[int, float] = {}
        for name in names:
            for series in self._of(name):
                for begin, value in self._in_periods(series, "Sum").items():
                    by_begin[begin] = by_begin.get(begin, 0.0) + value
        return max(by_begin.values()) * 60 / self._periods.length if by_begin else None

    def level(self, name: str, statistic: str = "Average") -> float | None:
        """Of a share or a number at work: mean over time, of several variants the highest; `Maximum` the most."""
        each = [values for series in self._of(name) if (values := self._levels(series, statistic))]
        if not each:
            return None
        return max(max(v) for v in each) if statistic == "Maximum" else max(statistics.fmean(v) for v in each)

    def begins(self) -> tuple[int, ...]:
        """Of the periods of which something is told."""
        told = {
            begin
            for name, statistic in TOLD_BY.items()
            for series in self._of(name)
            for begin in self._in_periods(series, statistic)
        }
        return tuple(begin for begin in self._periods.begins if begin in told)

    def _of(self, name: str, unit: str | None = None) -> list[Series]:
        return [series for series in self._series if series.name == name and unit in (None, series.unit)]

    def _in_periods(self, series: Series, statistic: str) -> dict[int, float]:
        values = self._told.of(series, statistic)
        return {begin: values[begin] for begin in self._periods.begins if begin in values}

    def _levels(self, series: Series, statistic: str) -> list[float]:
        """Those published more often than once a minute: of the measured window alone."""
        if not (fine := fine_period(series, self._fine_s)):
            return list(self._in_periods(series, statistic).values())
        values = self._told.of(series, statistic)
        return [values[begin] for begin in fine_of(self._visit, fine) if begin in values]
