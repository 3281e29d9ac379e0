"""Exact percentiles with intervals that assume no distribution.

The number of n values that fall below the true q-quantile is binomial (n, q). So the values of two
ranks bound the quantile with at least 95 % confidence (David & Nagaraja, Order Statistics, 7.1):
at most 2.5 % of error on each side. Where even the largest value does not bound it, the interval has
no upper end ("wide"): p95 below 72 values, p99 below 368, p99.9 below 3,688.
"""

import functools
import typing

import numpy as np

from analysis.words.spread import Spread, WithFailures
from locustfiles.contract.statistics.binomial import ALPHA, LEVELS, probabilities


class Percentile(typing.NamedTuple):
    """A percentile by linear interpolation, and its 95 % interval; None where that end does not exist."""

    value: float
    low: float | None
    high: float | None


def spread(values: np.ndarray) -> Spread:
    """Mean and percentiles of values without NaN; of none only that it is none."""
    if not len(values):
        return Spread(n=0)
    ordered = np.sort(np.asarray(values, dtype=float))
    found: dict[str, typing.Any] = {}
    for name, q in LEVELS.items():
        found[name], found[f"{name}_low"], found[f"{name}_high"] = percentile(ordered, q)
    return Spread(mean=float(ordered.mean()), n=len(ordered), **found)


def percentile(ordered: np.ndarray, q: float) -> Percentile:
    """The q-quantile of ascending values (numpy's `linear` rule), with its interval."""
    low, high = ranks(len(ordered), q)
    return Percentile(
        float(np.quantile(ordered, q)),
        None if low is None else float(ordered[low - 1]),
        None if high is None else float(ordered[high - 1]),
    )


@functools.lru_cache(maxsize=4096)
def ranks(n: int, q: float) -> tuple[int | None, int | None]:
    """Ranks (1..n) of the values that bound the q-quantile; None where no value does.

    low: the largest rank with P(B < low) <= 2.5 %; high: the smallest with P(B >= high) <= 2.5 %,
    B binomial (n, q).
    """
    first, pmf = probabilities(n, q)
    below = np.cumsum(pmf)  # P(B <= first + i)
    from_here = np.cumsum(pmf[::-1])[::-1]  # P(B >= first + i)
    # outside the computed part the tails are below e-40: 0 for this purpose
    low = first + int(np.searchsorted(below, ALPHA, side="right"))
    small = np.nonzero(from_here <= ALPHA)[0]
    high = first + int(small[0]) if len(small) else first + len(pmf)
    return (low if low >= 1 else None), (high if high <= n else None)


def with_failures(values: np.ndarray, failures: int) -> WithFailures:
    """Percentiles of successes' values and so many failures, which never ended well: each counts as infinity.

    Infinity where the percentile, or the value above it between which one would interpolate, is a failure's.
    """
    ordered, n = np.sort(np.asarray(values, dtype=float)), len(values) + failures
    if not n:
        return WithFailures()
    return WithFailures(**{f"{name}_all": _among_failures(ordered, n, q) for name, q in LEVELS.items()})


def _among_failures(ordered: np.ndarray, n: int, q: float) -> float:
    place = q * (n - 1)
    # a millionth of a rank is rounding of q, not a place between two values
    low, between = int(place + 1e-6), place - int(place + 1e-6) > 1e-6
    if low + between >= len(ordered):
        return float("inf")
    return float(ordered[low] + max(0.0, place - low) * (ordered[low + between] - ordered[low]))
