"""The exact binomial test on a percentile: whether so many values above a limit let it be kept."""

import itertools
import math
import typing

if typing.TYPE_CHECKING:
    import numpy as np  # 11 MB that a process needs where it decides, and not where it sends

ALPHA = 0.025  # on each side
#: the percentiles that are published and limited
LEVELS = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}


def written(level: str) -> str:
    """p99_9 -> p99.9: as people write it, and scenarios."""
    return level.replace("_", ".")


def at_most(k: int, n: int, p: float) -> float:
    """P(B <= k), B binomial (n, p)."""
    first, pmf = probabilities(n, p)
    return float(min(1.0, pmf[: max(0, k - first + 1)].sum()))


def at_least(k: int, n: int, p: float) -> float:
    """P(B >= k), B binomial (n, p)."""
    first, pmf = probabilities(n, p)
    return float(min(1.0, pmf[max(0, k - first) :].sum()))


def decide(above: int, n: int, q: float) -> str:
    """Whether the q-quantile is within a limit that `above` of n values exceed: met, missed, undecided.

    Exact binomial test of the share above against 1 - q, 2.5 % of error on each side: met exactly when the upper end
    of the quantile's order-statistic interval is within the limit, missed when its lower end is above it.
    """
    if n and at_most(above, n, 1 - q) <= ALPHA:
        return "met"
    if n and at_least(above, n, 1 - q) <= ALPHA:
        return "missed"
    return "undecided"


def fewest(q: float) -> int:
    """So many values, all of them inside a limit, let the q-quantile be called met; with fewer it cannot be."""
    return next(n for n in itertools.count(1) if q**n <= ALPHA)  # as `decide` has it of none above


def probabilities(n: int, p: float) -> "tuple[int, np.ndarray]":
    """(first k, probabilities from it on) of binomial (n, p), without tails of less than about e-40."""
    import numpy as np

    width = 10 * math.sqrt(n * p * (1 - p)) + 50
    first = max(0, math.floor(n * p - width))
    last = min(n, math.ceil(n * p + width))
    start = (
        math.lgamma(n + 1)
        - math.lgamma(first + 1)
        - math.lgamma(n - first + 1)
        + first * math.log(p)
        + (n - first) * math.log1p(-p)
    )
    k = np.arange(first, last)
    steps = np.log((n - k) / (k + 1)) + math.log(p / (1 - p))
    return first, np.exp(start + np.concatenate([[0.0], np.cumsum(steps)]))
