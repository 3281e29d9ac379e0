"""Whether two stages are a tie in a figure: by the interval of their ratio, for overlap of two intervals is no test."""

import math

from analysis.verdicts.difference import difference
from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column

SAME = 1e-9  # figures closer than this share differ by the rounding of sums only


def tie(one: Result, other: Result, column: Column = USD) -> bool | None:
    """Whether no difference is seen; None where it is not known, which is never so of costs: what cannot be told apart is a tie."""
    if math.isclose(column.of(one.figures), column.of(other.figures), rel_tol=SAME):
        return True
    found = difference(one, other, column)
    if found is None or found.state == "not known":
        return True if column == USD else None
    return found.state == "no difference seen"


def why_tied(one: Result, other: Result) -> str:
    """`the 95 % interval of the ratio of their costs, 0.84 to 1.31, holds 1`; what is missing where there is none."""
    found, without = difference(one, other, USD), [r for r in (one, other) if USD not in r.intervals]
    if found and found.low is not None and found.high is not None:
        ends = f"{show.number(found.low)} to {show.number(found.high)}"
        few = ": too few successes to tell them apart" if without else ""
        return f"the 95 % interval of the ratio of their costs, {ends}, holds 1{few}"
    if without and all(THROUGHPUT in r.intervals for r in without):
        return "the interval of a throughput reaches 0, too wide to tell them apart"
    return "too few successes to tell them apart"
