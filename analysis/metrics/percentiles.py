"""Exact percentiles with intervals that assume no distribution.

The number of n values that fall below the true q-quantile is binomial (n, q). So the values of two
ranks bound the quantile with at least 95 % confidence (David & Nagaraja, Order Statistics, 7.1):
at most 2.5 % of error on each side. Where even the largest value does not bound it, the interval has
no upper end ("wide"): p95 below 72 values, p99 below 368.
"""

import dataclasses
import functools

import numpy as np

from locustfiles.contract.statistics.binomial import ALPHA, LEVELS, probabilities


@dataclasses.dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile by linear interpolation, and its 95 % interval; None where that end does not exist."""

    value: float
    low: float | None
    high: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    n: int
    mean: float
    percentiles: dict[str, Percentile]  # by LEVELS


def spread(values: np.ndarray) -> Spread | None:
    """Mean and percentiles of values without NaN; None when there are none."""
    if not len(values):
        return None
    ordered = np.sort(np.asarray(values, dtype=float))
    return Spread(len(ordered), float(ordered.mean()), {name: percentile(ordered, q) for name, q in LEVELS.items()})


def columns_of(name: str, unit: str, found: Spread | None) -> dict[str, float | int | None]:
    """A Spread as its columns of the steps table: latency, s -> latency_mean_s, latency_n, latency_p95_low_s…"""
    if found is None:
        return {f"{name}_n": 0}
    row: dict[str, float | int | None] = {f"{name}_mean_{unit}": found.mean, f"{name}_n": found.n}
    for level in LEVELS:
        at = found.percentiles[level]
        row[f"{name}_{level}_{unit}"] = at.value
        row[f"{name}_{level}_low_{unit}"] = at.low
        row[f"{name}_{level}_high_{unit}"] = at.high
    return row


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


def with_failures(values: np.ndarray, failures: int) -> dict[str, float]:
    """Percentiles of successes' values and so many failures, which never ended well: each counts as infinity.

    By LEVELS; infinity where the percentile, or the value above it between which one would interpolate, is a failure's.
    """
    ordered, n = np.sort(np.asarray(values, dtype=float)), len(values) + failures
    found = {}
    for name, q in LEVELS.items() if n else ():
        place = q * (n - 1)
        # a millionth of a rank is rounding of q, not a place between two values
        low, between = int(place + 1e-6), place - int(place + 1e-6) > 1e-6
        if low + between >= len(ordered):
            found[name] = float("inf")
        else:
            found[name] = float(ordered[low] + max(0.0, place - low) * (ordered[low + between] - ordered[low]))
    return found
