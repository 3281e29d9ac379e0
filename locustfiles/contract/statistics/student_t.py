"""Student's t: how far a mean of few values may lie from the truth, with 95 % confidence."""

import math

Z = 1.959964  # normal, 97.5 %
#: 97.5 %, by degrees of freedom from 1
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262157)


def t_975(freedom: int) -> float:
    """97.5 %: tabled to 9, then Cornish and Fisher's expansion (Abramowitz & Stegun 26.7.5)."""
    if freedom <= len(T):
        return T[freedom - 1]
    first = (Z**3 + Z) / 4
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + first / freedom + second / freedom**2 + third / freedom**3


def interval_of_mean(mean: float, error: float, n: int) -> tuple[float, float]:
    """Of the mean of n values that are never negative, by its standard error; (0, 0) where it is 0.

    h = t error / mean: mean e^-h to mean e^(h + h^2/2). Lengths and bills are skew, and few of them rarely hold the long
    ones: their mean and its standard error then are too low together. The logarithm and h^2/2, by which a log-normal mean
    exceeds its median, make up for that.
    """
    if not mean:
        return 0.0, 0.0
    h = t_975(n - 1) * error / mean
    return mean * math.exp(-h), mean * math.exp(h + h * h / 2)
