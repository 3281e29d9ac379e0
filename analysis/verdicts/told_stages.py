"""Stages without records, imported from a tool's summary or a published table: what can be said of them, and what cannot.

Their percentiles are the tool's own: how many values they are of, and by which rule, is not known here, so that no interval and
no test can be made of them. They are SUSPECT, and a limit on a percentile of theirs stays undecided.
"""

import typing

from analysis.runs.stage import Stage
from analysis.verdicts.intervals import Intervals, cost_intervals
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words import format as show
from analysis.words.stage_figures import StageFigures
from analysis.words.told import TELLABLE
from locustfiles.contract.prices.price import TokenPrice

NO_RECORDS = "its figures are as its tool or table prints them: no request of it can be counted again, and nothing is known of the client"


def few(successes: int) -> str:
    return "no success" if not successes else f"only {successes} success{'' if successes == 1 else 'es'}"


def told_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[str]:
    """Why such a stage is SUSPECT: always, for one."""
    yield NO_RECORDS
    outcome, users, own = found.outcome, stage.visit.users, found.throughput.in_flight_mean
    if outcome.successes is not None and outcome.successes < THRESHOLDS["successes"].limit:
        yield few(outcome.successes)
    if users and own is not None and own < (1 - THRESHOLDS["users_missing"].limit) * users:
        yield f"{show.number(own)} requests in flight where {show.number(float(users))} were due"
    if isinstance(stage.price, TokenPrice) and stage.price.steps:
        yield "its cost is that of a call of mean length, though the price has steps by length"


def told_intervals(stage: Stage, found: StageFigures) -> Intervals:
    """Of the rates whose ends are told, and of the hourly cost that follows from them."""
    ends = {c: c.ends_in(found) for c in TELLABLE.values() if c.path[0] == "throughput"}
    known = {c: (low, high) for c, (low, high) in ends.items() if low is not None and high is not None}
    return known | cost_intervals(stage, None, known)
