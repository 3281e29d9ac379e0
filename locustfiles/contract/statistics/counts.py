"""How far a count of events may lie from its mean."""

import math


def count_error(n: float) -> float:
    """2 / sqrt(n), relative: a count of n that is a Poisson one stays within it in 95 % of windows. Infinite for none."""
    return 2 / math.sqrt(n) if n > 0 else math.inf
