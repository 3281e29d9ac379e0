"""How far an estimate lies from a value in its own standard errors, when those are known from some thirty batches only."""

import math
import statistics

NORMAL = statistics.NormalDist()
FREEDOM = 30  # of two stages' means of twenty to forty batches each
POWER = NORMAL.inv_cdf(0.80)  # a difference is "the smallest that would be seen" where it is seen four times of five
CONFIDENCE = 0.95


def t_of(z: float) -> float:
    """Student's t with FREEDOM degrees that is as rare as the normal z (Wallace, Annals of Mathematical Statistics 30, 1959)."""
    return math.copysign(math.sqrt(FREEDOM * math.expm1((z / _SHRINK) ** 2 / FREEDOM)), z)


def z_of(t: float) -> float:
    """The normal z that is as rare as t."""
    return math.copysign(_SHRINK * math.sqrt(FREEDOM * math.log1p(t * t / FREEDOM)), t)


_SHRINK = (8 * FREEDOM + 1) / (8 * FREEDOM + 3)
T_95 = t_of(NORMAL.inv_cdf(0.5 + CONFIDENCE / 2))


def widening(confidence: float) -> float:
    """By how much the half-width of an interval grows from 95 % confidence to another."""
    return t_of(NORMAL.inv_cdf(0.5 + confidence / 2)) / T_95


def beyond(half_widths: float) -> float:
    """One-sided p-value of an estimate that lies so many half-widths (95 %) beyond the value that is asked about."""
    return 1.0 - NORMAL.cdf(z_of(half_widths * T_95))


def half_widths_of(p: float) -> float:
    """The other way round."""
    return t_of(-NORMAL.inv_cdf(p)) / T_95
