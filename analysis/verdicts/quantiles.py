"""How far an estimate lies from a value in its own standard errors, when those are known from some thirty batches only."""

import math
import statistics

NORMAL = statistics.NormalDist()
FREEDOM = 30  # of two stages' means of twenty to forty batches each
POWER = NORMAL.inv_cdf(0.80)  # a difference is "the smallest that would be seen" where it is seen four times of five
CONFIDENCE = 0.95


def t_of(z: float, freedom: float = FREEDOM) -> float:
    """Student's t that is as rare as the normal z (Wallace, Annals of Mathematical Statistics 30, 1959, 1124-1130)."""
    return math.copysign(math.sqrt(freedom * math.expm1((z / _shrink(freedom)) ** 2 / freedom)), z)


def z_of(t: float) -> float:
    """The normal z that is as rare as t."""
    return math.copysign(_shrink(FREEDOM) * math.sqrt(FREEDOM * math.log1p(t * t / FREEDOM)), t)


def _shrink(freedom: float) -> float:
    return (8 * freedom + 1) / (8 * freedom + 3)


T_95 = t_of(NORMAL.inv_cdf(0.5 + CONFIDENCE / 2))


def widening(confidence: float) -> float:
    """By how much the half-width of an interval grows from 95 % confidence to another."""
    return t_of(NORMAL.inv_cdf(0.5 + confidence / 2)) / T_95


def half_width(error: float, freedom: float) -> float:
    """Of a 95 % interval that may be widened to the 99.9 % that a family of fifty questions needs, as if FREEDOM were its own.

    With fewer degrees of freedom it is wider than 95 % ask for: the tails of t are long then.
    """
    far = NORMAL.inv_cdf(0.999)
    return error * T_95 * max(1.0, t_of(far, freedom) / t_of(far))


def beyond(half_widths: float) -> float:
    """One-sided p-value of an estimate that lies so many half-widths (95 %) beyond the value that is asked about."""
    return 1.0 - NORMAL.cdf(z_of(half_widths * T_95))


def half_widths_of(p: float) -> float:
    """The other way round."""
    return t_of(-NORMAL.inv_cdf(p)) / T_95
