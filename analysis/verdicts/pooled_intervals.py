"""The 95 % intervals of repetitions taken together: the wider of within and between them.

Within is what the requests tell (of rates those of each repetition, of percentiles and bills all together), between what the
difference between the repetitions tells (Student's t on their figures). Costs by the hour follow from the rates; of a bill both
are added outside its bounds, which more requests do not narrow.
"""

import dataclasses
import math
import statistics
import typing

from analysis.cost.bill import Bill
from analysis.runs.stage import Stage
from analysis.verdicts.intervals import USD, USD_PER_1M_OUTPUT, Intervals, cost_intervals
from analysis.verdicts.serial_intervals import series_intervals
from analysis.verdicts.stage_results import Result
from analysis.words.columns import METRICS, Column
from analysis.words.session_figures import SessionFigures
from analysis.words.spread import Spread
from analysis.words.stage_figures import StageFigures
from analysis.words.value_text import Interval
from locustfiles.contract.statistics.binomial import LEVELS
from locustfiles.contract.statistics.student_t import t_975

COSTS = (USD, USD_PER_1M_OUTPUT)


def pooled_intervals(stage: Stage, found: StageFigures, kept: list[Result], billed: Bill | None) -> Intervals:
    """In the order of the columns."""
    shared = [c for c in METRICS if c not in COSTS and all(c in r.intervals for r in kept)]
    ends = {c: within_or_between(c.of(found), _own(kept, c)) for c in shared if c.of(found) is not None}
    costs = cost_intervals(stage, billed, ends)
    if billed is not None:
        known = [c for c in costs if all(c.of(r.figures) is not None for r in kept)]
        costs = {c: _of_bills(costs[c], found, kept, c) for c in known}
    return ends | costs


def pooled_series(stage: Stage, found: StageFigures, kept: list[Result]) -> Intervals:
    """Of all requests one after the other, widened to what lies between the repetitions."""
    return widened(series_intervals(stage), found, kept)


def widened(ends: Intervals, found: StageFigures, kept: list[Result]) -> Intervals:
    """Intervals of all requests one after the other, each at least as wide as the repetitions lie apart."""
    wider_ends = {}
    for column, (low, high) in ends.items():
        value, own = column.of(found), [v for r in kept if (v := column.of(r.figures)) is not None]
        half = _between(own) if value is not None and len(own) > 1 else 0.0
        wider_ends[column] = (min(low, max(0.0, value - half)), max(high, value + half)) if half else (low, high)
    return wider_ends


def _of_bills(ends: Interval, found: StageFigures, kept: list[Result], column: Column) -> Interval:
    """ends: the bounds of all bills together, widened by the spread of the calls' bills. To each bound at least by what lies
    between the repetitions' own such bounds."""
    (low, high), each = _bounds(found, column), [_bounds(r.figures, column) for r in kept]
    below, above = _between([own for own, _ in each]), _between([own for _, own in each])
    return max(0.0, min(ends[0], low - below)), max(ends[1], high + above)


def _bounds(figures: StageFigures, column: Column) -> Interval:
    """What a cost would be if the bill were at its one or its other bound."""
    cost, usd = figures.cost, column.of(figures)
    if not cost.usd_per_transaction or cost.usd_per_transaction_low is None or cost.usd_per_transaction_high is None:
        return 0.0, 0.0
    return (
        usd * cost.usd_per_transaction_low / cost.usd_per_transaction,
        usd * cost.usd_per_transaction_high / cost.usd_per_transaction,
    )


def _between(figures: list[float]) -> float:
    """95 % half-width of their mean."""
    return t_975(len(figures) - 1) * statistics.stdev(figures) / math.sqrt(len(figures))


def _own(kept: list[Result], column: Column) -> list[tuple[float, float, float]]:
    return [(column.of(r.figures), *r.intervals[column]) for r in kept]


def within_or_between(value: float, own: list[tuple[float, float, float]]) -> Interval:
    """The wider of within (the repetitions' own intervals, averaged as independent) and between (their figures).

    own: (figure, low, high) of each repetition.
    """
    n = len(own)
    below = math.sqrt(sum((figure - low) ** 2 for figure, low, _ in own)) / n
    above = math.sqrt(sum((high - figure) ** 2 for figure, _, high in own)) / n
    between = _between([figure for figure, _, _ in own])
    return max(0.0, value - max(below, between)), value + max(above, between)


def wider(of_all: Spread, each: list[Spread]) -> Spread:
    """The intervals of the percentiles of all requests, widened to what lies between the repetitions."""
    ends: dict[str, typing.Any] = {}
    for name in LEVELS:
        value, low, high = (getattr(of_all, field) for field in (name, f"{name}_low", f"{name}_high"))
        ends[f"{name}_low"], ends[f"{name}_high"] = _ends(value, low, high, [getattr(s, name) for s in each])
    return dataclasses.replace(of_all, **ends)


def wider_times(of_all: SessionFigures, each: list[SessionFigures]) -> SessionFigures:
    """The same of the times of conversations."""
    time, ends = of_all.session_time, dict[str, typing.Any]()
    for name in ("p50", "p90", "p95"):
        own = [getattr(found.session_time, name) for found in each]
        value, low, high = (getattr(time, field) for field in (name, f"{name}_low", f"{name}_high"))
        ends[f"{name}_low"], ends[f"{name}_high"] = _ends(value, low, high, own)
    return dataclasses.replace(of_all, session_time=dataclasses.replace(time, **ends))


def _ends(
    value: float | None, low: float | None, high: float | None, each: list[float | None]
) -> tuple[float | None, float | None]:
    """An end that does not exist stays so."""
    own = [v for v in each if v is not None]
    if value is None or len(own) < 2:
        return low, high
    half = _between(own)
    return (
        None if low is None else min(low, max(0.0, value - half)),
        None if high is None else max(high, value + half),
    )
