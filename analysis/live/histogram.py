"""Counts of values in bins of equal ratio: they need no more memory however many values there are, and add up exactly.

A percentile is told by the middle of the bin that holds it: within half of a bin's width, so by FINE within 0.1 % of itself.
"""

import typing

import numpy as np

from analysis.metrics.percentiles import Percentile, ranks

LEAST, MOST = 1e-6, 1e5  # s, or ms: whatever is below or above stands at the edge
FINE = 1.002  # width of a bin, of figures
COARSE = 1.02  # of points in charts


class Bins(typing.NamedTuple):
    """width: the ratio of a bin's ends. The first bin holds what is at most LEAST, a time of 0, too."""

    width: float

    @property
    def number(self) -> int:
        return int(np.ceil(np.log(MOST / LEAST) / np.log(self.width))) + 2

    def of(self, values: np.ndarray) -> np.ndarray:
        """The bin of each value; none of them is NaN."""
        places = np.ceil(np.log(np.clip(values, LEAST, MOST) / LEAST) / np.log(self.width))
        return places.astype(np.int64)

    def middle(self, place: int) -> float:
        return 0.0 if place == 0 else LEAST * self.width ** (place - 0.5)


class Histogram:
    """Of one figure. `counts` may be a row of a table of many."""

    def __init__(self, bins: Bins, counts: np.ndarray | None = None) -> None:
        self.bins = bins
        self.counts = np.zeros(bins.number, dtype=np.int64) if counts is None else counts

    def add(self, values: np.ndarray) -> None:
        """Those that are known."""
        known = values[~np.isnan(values)]
        if len(known):
            np.add.at(self.counts, self.bins.of(known), 1)

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    def percentile(self, q: float) -> Percentile | None:
        """As `analysis.metrics.percentiles` has it, with its 95 % interval; None of no value."""
        upto = np.cumsum(self.counts)
        n = int(upto[-1])
        if not n:
            return None
        low, high = (None if rank is None else self._value(upto, rank) for rank in ranks(n, q))
        return Percentile(self._between(upto, q), low, high)

    def quantiles(self, *each: float) -> list[float | None]:
        """Without intervals."""
        upto = np.cumsum(self.counts)
        return [self._between(upto, q) if upto[-1] else None for q in each]

    def _between(self, upto: np.ndarray, q: float) -> float:
        place = q * (int(upto[-1]) - 1)
        rank, part = int(place) + 1, place - int(place)
        found = self._value(upto, rank)
        return found + part * (self._value(upto, rank + 1) - found) if part else found

    def _value(self, upto: np.ndarray, rank: int) -> float:
        return self.bins.middle(int(np.searchsorted(upto, rank)))
