"""Percentiles, deviations and Student's t from their definitions, slow and plain, to compare the analysis with."""

import math

PERCENTILES = {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p99_9": 999}  # per thousand
Z = 1.959964  # normal, 97.5 %
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262157)  # Student's t, 97.5 %, by degrees of freedom


def quantile(values: list[float], per_thousand: int) -> float:
    """Linear between the two values around position per_thousand / 1,000 x (n - 1) of the ascending ones."""
    ordered = sorted(values)
    under, thousandths = divmod(per_thousand * (len(ordered) - 1), 1000)
    if not thousandths:
        return ordered[under]
    if math.isinf(ordered[under + 1]):
        return math.inf
    return ordered[under] + thousandths / 1000 * (ordered[under + 1] - ordered[under])


def ends(values: list[float], per_thousand: int) -> tuple[float | None, float | None]:
    """The values of the tightest ranks that are wrong about the percentile at most 2.5 % of the time on each side."""
    ordered, n, below, q = sorted(values), len(values), 0.0, per_thousand / 1000
    low = high = None
    for rank in range(1, n + 1):  # below: P(fewer than `rank` values under the percentile)
        below += math.comb(n, rank - 1) * q ** (rank - 1) * (1 - q) ** (n - rank + 1)
        if below <= 0.025:
            low = ordered[rank - 1]
        if high is None and 1 - below <= 0.025:
            high = ordered[rank - 1]
    return low, high


def spread(name: str, unit: str, values: list[float]) -> dict:
    row = {f"{name}_n": len(values), f"{name}_mean_{unit}": sum(values) / len(values) if values else None}
    for level, per_thousand in PERCENTILES.items():
        low, high = ends(values, per_thousand)
        row |= {f"{name}_{level}_{unit}": quantile(values, per_thousand) if values else None}
        row |= {f"{name}_{level}_low_{unit}": low, f"{name}_{level}_high_{unit}": high}
    return row


def deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def student(freedom: int) -> float:
    """Student's t, 97.5 %: above 9 degrees of freedom by Abramowitz & Stegun 26.7.5."""
    if freedom < 10:
        return T[freedom - 1]
    return (
        Z
        + (Z**3 + Z) / 4 / freedom
        + (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96 / freedom**2
        + (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384 / freedom**3
    )
