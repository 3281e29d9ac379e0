"""95 % intervals of what a stage's conversations tell as wholes, from twenty on that finished.

Means and costs: by what each conversation brings to them (finish_curve.py), in the order in which they ended, for those that follow each
other may be alike; a cost by the hour is known as well as the successes of a conversation and the cost of one are. Percentiles: the
tables show those of independent conversations; `series` are those that allow for likeness, by which differences go.
"""

import math

import numpy as np

from analysis.cost.session_cost import Billed, billed_of
from analysis.metrics.finish_curve import FinishCurve
from analysis.metrics.session_metrics import MIN_FOLLOWED
from analysis.metrics.session_table import Sessions
from analysis.runs.stage import Stage
from analysis.verdicts.intervals import USD, Intervals
from analysis.verdicts.serial_intervals import in_batches, memory
from analysis.words.columns import Column, column
from analysis.words.stage_figures import StageFigures
from analysis.words.value_text import Interval
from locustfiles.contract.statistics.batch_means import MIN_VALUES, mean_half_width
from locustfiles.contract.statistics.binomial import LEVELS
from locustfiles.contract.statistics.student_t import interval_of_mean, t_975

TIME_MEAN = column(lambda f: f.sessions.session_time.mean)
WAITING = column(lambda f: f.sessions.session_waiting_mean_s)
USD_PER_SESSION = column(lambda f: f.sessions.usd_per_session)
PERCENTILES: dict[str, Column] = {
    "p50": column(lambda f: f.sessions.session_time.p50),
    "p90": column(lambda f: f.sessions.session_time.p90),
    "p95": column(lambda f: f.sessions.session_time.p95),
}


def session_intervals(stage: Stage, found: StageFigures, table: Sessions | None, of_costs: Intervals) -> Intervals:
    """Of means and of the cost. found: the stage's figures; table: how each conversation went; of_costs: the intervals of the stage's
    costs."""
    if table is None or not _enough(table) or table.curve.followed < MIN_FOLLOWED:
        return {}
    curve, order, ends = table.curve, _in_time(table), dict[Column, Interval]()
    for of, values in ((TIME_MEAN, curve.time_s), (WAITING, table.waiting_s[table.of_curve])):
        mean, half = of.of(found), _half(curve, np.where(curve.finished, values, 0.0), order)
        if mean is not None and half is not None:
            ends[of] = max(0.0, mean - half), mean + half
    usd = _usd(curve, billed_of(stage, table), order, found.cost.usd_per_transaction, of_costs.get(USD))
    return ends | ({} if usd is None else {USD_PER_SESSION: usd})


def session_series(table: Sessions | None) -> Intervals:
    """Of the percentiles of the time; an end that does not exist is 0 or infinite."""
    if table is None or not table.of_curve.any():
        return {}
    curve, order, ends = table.curve, _in_time(table), dict[Column, Interval]()
    for name, of in PERCENTILES.items():
        if (at := curve.percentile(LEVELS[name])) is None:
            continue
        within = (curve.finished & (curve.time_s <= at.value))[order]
        known = curve.percentile(LEVELS[name], memory(within.astype(float))) or at
        ends[of] = known.low or 0.0, math.inf if known.high is None else known.high
    return ends


def _enough(table: Sessions) -> bool:
    return bool(table.of_curve.any()) and int(table.curve.finished.sum()) >= MIN_VALUES


def _in_time(table: Sessions) -> np.ndarray:
    """The order in which they ended, or were last followed."""
    return np.argsort(table.began_s[table.of_curve] + table.curve.time_s, kind="stable")


def _half(curve: FinishCurve, values: np.ndarray, order: np.ndarray) -> float | None:
    """Half the width of the interval of `per_finished(values)`."""
    pulls = curve.pulls(values)
    if pulls is None or (half := mean_half_width(pulls[order])) is None:
        return None
    return max(half, in_batches(pulls[order]))


def _usd(
    curve: FinishCurve, billed: Billed, order: np.ndarray, transaction: float | None, known: Interval | None
) -> Interval | None:
    """known: the interval of the cost of a transaction, by the hour."""
    if billed.good is not None:
        good = _ends(curve, billed.good, order)
        ratio = curve.per_finished(billed.good)
        if good is None or known is None or not ratio or not transaction or not (known[0] and good[0]):
            return None
        usd = ratio * transaction
        below, above = (
            math.hypot(math.log(own / ratio), math.log(each / transaction))
            for own, each in zip(good, known, strict=True)
        )
        return usd * math.exp(-below), usd * math.exp(above)
    if billed.low is None or billed.high is None:
        return None
    least, most = (_ends(curve, each, order) for each in (billed.low, billed.high))
    return None if least is None or most is None else (least[0], most[1])


def _ends(curve: FinishCurve, values: np.ndarray, order: np.ndarray) -> Interval | None:
    """Of sums that are never negative and may be skew."""
    mean, half, n = curve.per_finished(values), _half(curve, values, order), len(values)
    return None if mean is None or half is None else interval_of_mean(mean, half / t_975(n - 1), n)
