"""When things finish of which some failed and some were cut off while they were under way: Aalen and Johansen's estimate.

What is cut off would have taken longer than it was followed, nobody knows how long. To leave it out would leave out the long ones. Each
that ended counts for itself and, in equal parts, for those that were cut before they could get so far (Kaplan & Meier, Journal of the
American Statistical Association 53, 1958, 457-481); their sums over those that finished are the share that has finished by a time
(Aalen & Johansen, Scandinavian Journal of Statistics 5, 1978, 141-150). With the same weights means of whatever belongs to those that
ended allow for the others, too, and how well they are known follows from what each brings to them (Stute, Scandinavian Journal of
Statistics 22, 1995, 461-471; Annals of Statistics 23, 1995, 422-439). It takes that what is cut is cut for the clock's sake and not
for its own.
"""

import dataclasses
import functools

import numpy as np

from analysis.metrics.percentiles import Percentile, ranks

ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class FinishCurve:
    """time_s: until each ended or was cut; ended: whether it did, the others were cut; finished: whether it ended well."""

    time_s: np.ndarray
    ended: np.ndarray
    finished: np.ndarray

    @functools.cached_property
    def _order(self) -> np.ndarray:
        """By time; at the same time what ended before what was cut, which is known to have taken longer."""
        return np.lexsort((~self.ended, self.time_s))

    @functools.cached_property
    def _still(self) -> tuple[np.ndarray, np.ndarray]:
        """(how many were still followed at each, the share that was still under way before it), in order."""
        at_risk = np.arange(len(self.time_s), 0, -1)
        under_way = np.cumprod(1 - self.ended[self._order] / at_risk)
        return at_risk, np.concatenate(([1.0], under_way))[: len(at_risk)]

    @functools.cached_property
    def weights(self) -> np.ndarray:
        """Of all each stands for; 0 of those that were cut. In sum 1 unless the longest ones were."""
        at_risk, under_way = self._still
        found = np.zeros(len(self.time_s))
        found[self._order] = under_way * self.ended[self._order] / at_risk
        return found

    @property
    def followed(self) -> float:
        """The share that ended, or whose like were seen to."""
        return min(1.0, round(float(self.weights.sum()), 9))

    def mean(self, values: np.ndarray) -> float | None:
        """Of those that finish; None where none did."""
        weights = np.where(self.finished, self.weights, 0.0)
        return float((weights * np.where(self.finished, values, 0.0)).sum() / weights.sum()) if weights.any() else None

    def per_finished(self, values: np.ndarray) -> float | None:
        """What those that end have together, for each that finishes; None where none did."""
        finished = float(self.weights[self.finished].sum())
        return float((self.weights * np.where(self.ended, values, 0.0)).sum() / finished) if finished else None

    def pulls(self, values: np.ndarray) -> np.ndarray | None:
        """What each brings to `per_finished(values)` beside its mean, in their own order: n of them, of mean 0, whose mean's standard error
        is that of the figure. None where none finished.

        The figure is a ratio, so that it goes by values less ratio x finished (Cochran, Sampling Techniques, 6.3). One that ended brings
        its weighted value; one that was cut what those behind it have on average; and each gives back what it was expected to bring by
        the cuts before its own end.
        """
        ratio = self.per_finished(values)
        if ratio is None:
            return None
        order, (at_risk, _), n = self._order, self._still, len(self.time_s)
        brought = self.weights * (np.where(self.ended, values, 0.0) - ratio * self.finished)
        behind = np.concatenate((np.cumsum(brought[order][::-1])[::-1][1:], [0.0]))
        cut = np.where(self.ended[order], 0.0, n * behind / at_risk)
        found = np.empty(n)
        found[order] = n * brought[order] + cut - np.cumsum(cut / at_risk)
        return found / float(self.weights[self.finished].sum())

    @functools.cached_property
    def _curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(times in order, the share of all that has finished by each, of how many independent ones it is known as well).

        The variance is that of Marubini & Valsecchi, Analysing Survival Data, 1995, 10.3; without any cut it is that of a share.
        """
        order, (n, before) = self._order, self._still
        ends, well = self.ended[order].astype(float), self.finished[order].astype(float)
        share = np.cumsum(self.weights[order] * well)
        hazard = np.divide(ends, n * (n - ends), out=np.zeros(len(n)), where=n > ends)
        mixed, own = before * well / n**2, before**2 * (n - well) * well / n**3.0
        variance = (
            share**2 * np.cumsum(hazard)
            - 2 * share * np.cumsum(share * hazard)
            + np.cumsum(share**2 * hazard)
            + np.cumsum(own)
            - 2 * (share * np.cumsum(mixed) - np.cumsum(share * mixed))
        )
        spread = share * (1 - share)
        as_many = np.divide(spread, variance, out=np.full(len(n), np.nan), where=(spread > ROUNDING) & (variance > 0))
        return self.time_s[order], share, as_many

    def by(self, time_s: float) -> tuple[float, int] | None:
        """(the share of all that has finished by then, of how many independent ones it is known as well); None where nothing was
        followed for so long, and some were still under way."""
        times, share, as_many = self._curve
        at = int(np.searchsorted(times, time_s, side="right"))
        if at == len(times) and self.followed < 1:
            return None
        told = int((self.ended | (self.time_s > time_s)).sum())
        finished = float(share[at - 1]) if at else 0.0
        known = as_many[at - 1] if at else np.nan
        return finished, told if np.isnan(known) else max(1, min(told, int(known + ROUNDING)))

    def percentile(self, q: float, alike: float = 1.0) -> Percentile | None:
        """The time by which so large a share of all has finished, and its 95 % interval at the ranks that as many independent ones would
        have; None where it never has. alike: so many of them tell as much as one."""
        if not self.finished.any():
            return None
        times, share, as_many = self._curve
        at = int(np.searchsorted(share, q - ROUNDING))
        if at == len(share):
            return None
        known = as_many[: at + 1][~np.isnan(as_many[: at + 1])]
        n = max(1, int((known[-1] if len(known) else len(times)) / alike + ROUNDING))

        def time_of(rank: int | None) -> float | None:
            place = len(share) if rank is None else int(np.searchsorted(share, rank / n - ROUNDING))
            return float(times[place]) if place < len(share) else None

        low, high = ranks(n, q)
        return Percentile(float(times[at]), time_of(low), time_of(high))
