"""Stages without records, imported from a tool's summary or a published table: what can be said of them, and what cannot.

Their percentiles are the tool's own: how many values they are of, and by which rule, is not known here, so that no interval and
no test can be made of them. They are SUSPECT, and a limit on a percentile of theirs stays undecided.
"""

import typing

from analysis.runs.stage import Stage
from analysis.verdicts.caution import Caution, caution
from analysis.verdicts.intervals import Intervals, cost_intervals
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words.stage_figures import StageFigures
from analysis.words.told import TELLABLE
from locustfiles.contract.prices.price import TokenPrice


def success_cautions(successes: int | None) -> typing.Iterator[Caution]:
    """Of a stage, or of repetitions together; None where it is not told how many there were."""
    if successes == 0:
        yield caution("no_success")
    elif successes is not None and successes < THRESHOLDS["successes"].limit:
        yield caution("few_successes", successes=successes)


def told_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[Caution]:
    """Why such a stage is SUSPECT: always, for one."""
    yield caution("no_records")
    users, own = stage.visit.users, found.throughput.in_flight_mean
    yield from success_cautions(found.outcome.successes)
    if users and own is not None and own < (1 - THRESHOLDS["users_missing"].limit) * users:
        yield caution("told_users_missing", own=own, due=users)
    if isinstance(stage.price, TokenPrice) and stage.price.steps:
        yield caution("mean_call_priced")


def told_intervals(stage: Stage, found: StageFigures) -> Intervals:
    """Of the rates whose ends are told, and of the hourly cost that follows from them."""
    ends = {c: c.ends_in(found) for c in TELLABLE.values() if c.path[0] == "throughput"}
    known = {c: (low, high) for c, (low, high) in ends.items() if low is not None and high is not None}
    return known | cost_intervals(stage, None, known)
