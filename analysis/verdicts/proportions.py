"""Shares of requests (error rates) and how two of them differ, also where one is 0, and so without a ratio.

Wilson's interval of each share; their difference by Newcombe's hybrid (Statistics in Medicine 17, 1998, 873-890, method 10),
and `other - factor x one` by the same rule (Zou & Donner, Statistics in Medicine 27, 2008).
"""

import math
import typing

from analysis.verdicts.quantiles import NORMAL, POWER

Z_95 = NORMAL.inv_cdf(0.975)
_STEPS = 60  # of a bisection


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


def apart(one: Share, other: Share, z: float = Z_95, factor: float = 1.0) -> tuple[float, float]:
    """The interval of other - factor x one."""
    (low_1, high_1), (low_2, high_2) = wilson(one, z), wilson(other, z)
    middle = other.value - factor * one.value
    low = middle - math.hypot(other.value - low_2, factor * (high_1 - one.value))
    return low, middle + math.hypot(high_2 - other.value, factor * (one.value - low_1))


def p_above(one: Share, other: Share, factor: float = 1.0) -> float:
    """One-sided p-value of `other` being no more than factor x one: by the widest interval that still lies above 0."""
    if other.value <= factor * one.value:
        return 1.0 - NORMAL.cdf(0.0)
    low, high = 0.0, 12.0
    for _ in range(_STEPS):
        z = (low + high) / 2
        low, high = (z, high) if apart(one, other, z, factor)[0] > 0 else (low, z)
    return 1.0 - NORMAL.cdf(low)


def smallest_seen(one: Share, n: float, z: float = Z_95, factor: float = 1.0) -> float | None:
    """The smallest share of n that would be seen to lie above factor x one, four times of five; None: not even all of them.

    It is taken where chance may have moved the difference down by POWER standard errors.
    """

    def seen(share: float) -> bool:
        spread = math.sqrt(share * (1 - share) / n + factor * factor * one.value * (1 - one.value) / one.n)
        unlucky = max(0.0, share - POWER * spread)
        return apart(one, Share(unlucky, n), z, factor)[0] > 0

    if n <= 0 or one.n <= 0 or not seen(1.0):
        return None
    low, high = min(1.0, factor * one.value), 1.0
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
