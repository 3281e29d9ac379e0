"""Shares of requests (error rates) and how two of them differ, also where one is 0, and so without a ratio.

Wilson's interval of each share; their difference by Newcombe's hybrid (Statistics in Medicine 17, 1998, 873-890, method 10).
"""

import math
import typing

from analysis.verdicts.quantiles import NORMAL, POWER

Z_95 = NORMAL.inv_cdf(0.975)
_STEPS = 60  # of a bisection
_FARTHEST = 12.0  # standard errors: no chance brings about more


class Share(typing.NamedTuple):
    """`value`: the share; `n`: of so many that are independent of each other."""

    value: float
    n: float


def wilson(share: Share, z: float = Z_95) -> tuple[float, float]:
    """Its interval."""
    p, n = share
    if n <= 0:
        return 0.0, 1.0
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(0.0, p * (1 - p)) / n + (z / (2 * n)) ** 2)
    low = 0.0 if p == 0 else max(0.0, middle - half)  # to the last digit, where p is at an end
    return low, 1.0 if p == 1 else min(1.0, middle + half)


def apart(one: Share, other: Share, z: float = Z_95) -> tuple[float, float]:
    """The interval of other - one."""
    (low_1, high_1), (low_2, high_2) = wilson(one, z), wilson(other, z)
    middle = other.value - one.value
    low = middle - math.hypot(other.value - low_2, high_1 - one.value)
    return low, middle + math.hypot(high_2 - other.value, one.value - low_1)


def p_above(one: Share, other: Share, by: float = 0.0) -> float:
    """One-sided p-value of other - one being at most `by`: from the widest interval that still lies above it."""
    if other.value - one.value <= by:
        return 0.5
    low, high = 0.0, _FARTHEST
    for _ in range(_STEPS):
        z = (low + high) / 2
        low, high = (z, high) if apart(one, other, z)[0] > by else (low, z)
    return 1.0 - NORMAL.cdf(low)


def smallest_seen(one: Share, n: float, z: float = Z_95, by: float = 0.0) -> float | None:
    """The smallest share of n that would be seen to lie more than `by` above `one`, four times of five; None: not even 100 %.

    It is taken where chance may have moved the difference down by POWER standard errors.
    """

    def seen(share: float) -> bool:
        spread = math.sqrt(share * (1 - share) / n + one.value * (1 - one.value) / one.n)
        return apart(one, Share(max(0.0, share - POWER * spread), n), z)[0] > by

    if n <= 0 or one.n <= 0 or not seen(1.0):
        return None
    low, high = min(1.0, one.value + by), 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def effective(value: float, low: float, high: float) -> float:
    """Of how many independent requests this is Wilson's interval, whose width shrinks with them."""
    few, many = 1e-3, 1e12
    for _ in range(2 * _STEPS):
        n = math.sqrt(few * many)
        ends = wilson(Share(value, n))
        few, many = (n, many) if ends[1] - ends[0] > high - low else (few, n)
    return math.sqrt(few * many)


def together(pairs: typing.Sequence[tuple[Share, Share]]) -> tuple[Share, Share]:
    """The shares of several pairs as one pair, each pair weighted by what it tells (Mantel & Haenszel), so that a level that one
    side measured longer does not shift it."""
    weights = [one.n * other.n / (one.n + other.n) for one, other in pairs]

    def of(shares: list[Share]) -> Share:
        whole = sum(weights)
        value = sum(w * share.value for w, share in zip(weights, shares, strict=True)) / whole
        return Share(value, whole**2 / sum(w * w / share.n for w, share in zip(weights, shares, strict=True)))

    return of([one for one, _ in pairs]), of([other for _, other in pairs])
