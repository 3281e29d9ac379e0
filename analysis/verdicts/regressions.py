"""Whether figures became worse from one run to another by more than a tolerance, with one error rate for all that is asked.

Each figure is asked at every level, and once over all levels of a target and payload together: the mean of the logs of the
ratios, weighted by what each tells. "Regressed" is said with a chance of at most 5 % that it is wrong anywhere (Holm, Scandinavian
Journal of Statistics 6, 1979); "not worse" where the upper end of the 95 % interval is within the tolerance; else it is undecided.
"""

import dataclasses
import math
import typing

from analysis.verdicts.difference import (
    BY_INTERVALS,
    Difference,
    difference,
    logs,
    of_logs,
    of_shares,
)
from analysis.verdicts.proportions import Share, apart, p_above, smallest_seen, together
from analysis.verdicts.quantiles import NORMAL, POWER, T_95, beyond, half_widths_of
from analysis.verdicts.stage_results import Result
from analysis.words.columns import Column
from analysis.words.level import kind_of

State = typing.Literal["regressed", "not worse", "undecided", "not known"]
Pair = tuple[Result, Result]  # of one level: the base, and what it is now

FAMILY_ERROR = 0.05  # of one false "regressed" or more among all that is asked
SHARE_TOLERANCE = (
    0.01  # of shares of requests: at least a percentage point, for of no failures every percentage is none
)
ASSUMPTIONS = (
    "The intervals are of the requests measured: what changes from run to run is in them only where a level was repeated.",
    "Requests that follow each other may be alike: percentiles, means and shares count only as many as are independent.",
    "All that is asked together has one error rate: at most 5 % for a false `regressed` anywhere (Holm).",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Regression:
    """One figure asked at one level (`pair`), or over the levels of `pairs` together (`pair` is None).

    difference: now beside the base, None where a value is not known; of levels together their mean ratio beside 1. p: one-sided, for
    itself; adjusted: in the family. smallest: the smallest worsening, a share of the base (of shares of requests: points), that
    samples like these would show four times of five, in a family of this size and beyond the tolerance.
    """

    column: Column
    pairs: tuple[Pair, ...]
    difference: Difference | None
    tolerance: float
    p: float | None
    adjusted: float | None
    smallest: float | None
    state: State

    @property
    def pair(self) -> Pair | None:
        """None: over levels."""
        return self.pairs[0] if len(self.pairs) == 1 else None


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    column: Column
    pairs: tuple[Pair, ...]
    difference: Difference | None


def regressions(
    pairs: typing.Sequence[Pair],
    columns: typing.Sequence[Column],
    tolerance: float = 0.0,
    share_tolerance: float = SHARE_TOLERANCE,
) -> list[Regression]:
    """By column: over the levels of each target and payload (where there are several), then at each level.

    tolerance: as a share, 0.05 is 5 %; of shares of requests, which may be 0, at least `share_tolerance` of all requests. A figure
    that neither run has is not asked.
    """
    asked = [one for column in columns for one in _asked(pairs, column)]
    by = [max(tolerance * d.one, share_tolerance) if (d := a.difference) and d.shares else tolerance for a in asked]
    ps = [_p_worse(a, limit) for a, limit in zip(asked, by, strict=True)]
    adjusted, tested = holm(ps), sum(p is not None for p in ps)
    return [
        Regression(a.column, a.pairs, a.difference, limit, p, q, _smallest(a, limit, tested), _state(a, limit, q))
        for a, limit, p, q in zip(asked, by, ps, adjusted, strict=True)
    ]


def holm(ps: typing.Sequence[float | None]) -> list[float | None]:
    """Each p-value as it counts among all of them; None (not tested) stays so and does not count."""
    known = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    found: list[float | None] = [None] * len(ps)
    largest = 0.0
    for place, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - place) * p))
        found[i] = largest
    return found


def over_levels(differences: typing.Sequence[Difference]) -> Difference | None:
    """The differences of several levels as one: the mean of the logs of their ratios, weighted by information."""
    if differences and all(d.shares for d in differences):
        one, other = together([d.shares for d in differences if d.shares])
        return of_shares(one, other)
    known = [found for d in differences if (found := _log(d))]
    if not known:
        return None
    weights = [1 / max(1e-6, (below + above) / 2) ** 2 for _, below, above in known]
    whole = sum(weights)
    middle = sum(w * log for w, (log, _, _) in zip(weights, known, strict=True)) / whole
    below = math.hypot(*(w * b for w, (_, b, _) in zip(weights, known, strict=True))) / whole
    above = math.hypot(*(w * a for w, (_, _, a) in zip(weights, known, strict=True))) / whole
    return of_logs(1.0, math.exp(middle), below, above, f"{BY_INTERVALS}; levels by what each tells")


def how_many_tell(differences: typing.Sequence[Difference]) -> int:
    """Of the levels, those that enter the mean over levels: without an interval one weighs nothing."""
    if differences and all(d.shares for d in differences):
        return len(differences)
    return sum(_log(d) is not None for d in differences)


def _log(found: Difference) -> tuple[float, float, float] | None:
    """(log of the ratio, its half-widths below and above); None where one of them is not known."""
    if not (found.ratio and found.low and found.high):
        return None
    below, above = logs(found.ratio, found.low, found.high)
    return None if below is None or above is None else (math.log(found.ratio), below, above)


def _asked(pairs: typing.Sequence[Pair], column: Column) -> list[_Asked]:
    """Over levels first, then at each."""
    if not column.better:
        raise ValueError(f"{column.name} has no better and worse")
    each = [
        _Asked(column, (pair,), difference(*pair, column))
        for pair in pairs
        if any(column.of(r.figures) is not None for r in pair)
    ]
    groups: dict[tuple, list[_Asked]] = {}
    for a in each:
        figures = a.pairs[0][1].figures
        groups.setdefault((figures.identity.target, figures.identity.payload, kind_of(figures)), []).append(a)
    pooled = [
        _Asked(column, tuple(a.pairs[0] for a in some), found)
        for group in groups.values()
        if len(some := [a for a in group if a.difference is not None]) > 1
        and (found := over_levels([a.difference for a in some if a.difference]))
    ]
    return pooled + each


def worsening(column: Column, found: Difference) -> tuple[float, float | None, float | None] | None:
    """(log of how many times worse, its half-widths below and above); None without a ratio."""
    if not found.ratio or found.ratio <= 0:
        return None
    below, above = logs(found.ratio, found.low, found.high)
    log = math.log(found.ratio)
    return (log, below, above) if column.better == "lower" else (-log, above, below)


def _shares(asked: _Asked) -> tuple[Share, Share] | None:
    """The base's first: turned round where more is better."""
    shares = None if asked.difference is None else asked.difference.shares
    if shares is None or asked.column.better == "lower":
        return shares
    one, other = (share._replace(value=1 - share.value) for share in shares)
    return one, other


def _p_worse(asked: _Asked, by: float) -> float | None:
    if asked.difference is None:
        return None
    if shares := _shares(asked):
        return p_above(*shares, by=by)
    log, below, _ = worsening(asked.column, asked.difference) or (0.0, None, None)
    if below is None:
        return None
    return beyond_tolerance(log - math.log1p(by), below)


def beyond_tolerance(further: float, half: float) -> float:
    """One-sided p-value of a log that lies so much further than the tolerance, known to +- half."""
    if half <= 0:  # known exactly
        return 0.0 if further > 1e-12 else 1.0
    return beyond(further / half)


def _smallest(asked: _Asked, by: float, tested: int) -> float | None:
    """In a family of `tested`, the first step of Holm's, which is the strictest."""
    if asked.difference is None or not tested:
        return None
    error = FAMILY_ERROR / tested
    if shares := _shares(asked):
        least = smallest_seen(shares[0], shares[1].n, z=-NORMAL.inv_cdf(error), by=by)
        return None if least is None else least - shares[0].value
    _, below, _ = worsening(asked.column, asked.difference) or (0.0, None, None)
    if below is None:
        return None
    seen = below * (half_widths_of(error) + POWER / T_95)
    return math.expm1(min(700.0, math.log1p(by) + seen))


def _state(asked: _Asked, by: float, adjusted: float | None) -> State:
    found = asked.difference
    if adjusted is not None and adjusted <= FAMILY_ERROR:
        return "regressed"
    if found is None:
        return "not known"
    if shares := _shares(asked):
        return "not worse" if apart(*shares)[1] <= by else "undecided"
    worse = worsening(asked.column, found)
    if worse is None or (worse[1] is None and worse[2] is None):
        return "not known"
    log, _, above = worse
    return "not worse" if above is not None and log + above <= math.log1p(by) + 1e-12 else "undecided"
