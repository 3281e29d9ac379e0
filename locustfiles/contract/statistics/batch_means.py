"""95 % intervals from means of equal batches, for series that may remember (Law, Simulation Modeling and Analysis, 9.5.3).

The rule that ends a stage and the report take the mean latency's from the same function, so that what a stage was ended for is
what is reported.
"""

import math
import typing

from locustfiles.contract.statistics.student_t import Z, t_975

if typing.TYPE_CHECKING:
    import numpy as np

BATCHES = 20  # of a window, for rates
MAX_BATCHES = 40  # of a series of values; below so many values each is one
MIN_VALUES = 20
MAX_AUTOCORRELATION = 0.95  # of the means of values: a correlation above it is not told from 1
MAX_AUTOCORRELATION_OF_RATES = 0.8  # leaves twenty batches two degrees of freedom


def rate_half_width(rates: typing.Sequence[float]) -> float:
    """Half the width of the interval of the mean of the rates of a window's equal batches."""
    error, freedom = rate_error(rates)
    return t_975(freedom) * error


def rate_error(rates: typing.Sequence[float]) -> tuple[float, int]:
    """(standard error, degrees of freedom) of the mean of the rates of a window's equal batches.

    Batches that are alike, for they share requests or times were slow, tell less: k of them as much as k / q independent
    ones, q = (1 + r) / (1 - r), r their lag-1 correlation; so in the variance and in t's degrees of freedom. r is estimated
    too low by (1 + 4 r) / k (Marriott & Pope, Biometrika 41, 1954, 390-402). Negative ones narrow nothing.
    """
    import numpy as np  # here and below: a process that only sends has no need of its 11 MB

    k = len(rates)
    off = np.asarray(rates, dtype=float) - np.mean(rates)
    squares = float(off @ off)
    if not squares:
        return 0.0, k - 1
    r = float(off[1:] @ off[:-1]) / squares
    r = min(max(0.0, r + (1 + 4 * r) / k), MAX_AUTOCORRELATION_OF_RATES)
    q = (1 + r) / (1 - r)
    return math.sqrt(squares / (k - 1) / k * q), round((k - 1) / q)


def mean_half_width(values: "typing.Sequence[float] | np.ndarray[typing.Any, typing.Any]") -> float | None:
    """Half the width of the interval of the mean of values in the order of time; None below twenty.

    The wider of two: by the means of forty batches, and by the values as if they were independent. Neighbouring batches
    that are alike widen the first by (1 + r) / (1 - r) of the variance, r their correlation (Tafazzoli & Wilson, Skart, IIE
    Transactions 43, 2011, 110-128). The second is for who asks again and again until the interval is narrow: he stops
    where batches happen to lie close together, and a number of them that does not grow never makes up for it (Glynn &
    Whitt, Annals of Applied Probability 2, 1992, 180-198). The deviation of all values becomes ever more exact, so that
    stopping by z s / sqrt(n) keeps its level (Chow & Robbins, Annals of Mathematical Statistics 36, 1965, 457-462).
    """
    import numpy as np

    n = len(values)
    if n < MIN_VALUES:
        return None
    series = np.asarray(values, dtype=float)
    count = min(n, MAX_BATCHES)
    size = n // count
    means = series[n - size * count :].reshape(count, size).mean(axis=1)
    off = means - means.mean()
    squares = float(off @ off)
    memory = min(max(0.0, float(off[1:] @ off[:-1]) / squares), MAX_AUTOCORRELATION) if squares else 0.0
    error = math.sqrt(squares / (count - 1) / count * (1 + memory) / (1 - memory))
    return max(t_975(count - 1) * error, float(Z * np.std(series, ddof=1) / math.sqrt(n)))


def too_narrow(window_s: float, p95_s: float) -> bool:
    """Whether a tenth of the window is shorter than p95 of latency: too short a window to end a stage for."""
    return p95_s > window_s / 10
