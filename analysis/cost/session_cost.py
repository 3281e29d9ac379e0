"""What conversations and their turns cost: by tokens their own calls' bills, by the hour their share of the stage's transactions."""

import dataclasses
import typing

import numpy as np

from analysis.cost.bill import bill, call_bounds
from analysis.cost.transaction_cost import most_tokens
from analysis.metrics.session_metrics import MIN_FOLLOWED, session_figures
from analysis.metrics.session_table import Sessions, joined, sessions_of
from analysis.metrics.turn_metrics import Turn, turns_of, with_cost
from analysis.runs.stage import Stage
from analysis.words.cost_figures import Cost
from analysis.words.session_figures import SessionFigures, TurnFigures
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice


class Conversations(typing.NamedTuple):
    """Of a stage: its conversations as wholes, and their turns by number. table: how each went; None where there are none."""

    sessions: SessionFigures
    turns: tuple[TurnFigures, ...]
    table: Sessions | None = None


NONE = Conversations(SessionFigures(), ())


def conversations_of(stage: Stage, cost: Cost) -> Conversations:
    """cost: of the stage's transactions. NONE where its requests are part of no conversation, or it has no window."""
    sessions = None if stage.window is None else sessions_of(stage)
    if sessions is None:
        return NONE
    turns = [_turn(stage, turn) for turn in turns_of(stage)]
    return Conversations(_with_cost(stage, sessions, session_figures(stage, sessions), cost), tuple(turns), sessions)


def together_of(stage: Stage, tables: list[Sessions], cost: Cost) -> Conversations:
    """Of repetitions as one stage, of which each conversation counts once; of their turns nothing."""
    if not tables:
        return NONE
    table = joined(tables)
    return Conversations(_with_cost(stage, table, session_figures(stage, table), cost), (), table)


def _turn(stage: Stage, turn: Turn) -> TurnFigures:
    """By the hour without one: a turn has no hour of its own."""
    good = int(turn.records["error"].isna().sum())
    if not isinstance(stage.price, TokenPrice) or not good:
        return turn.figures
    billed = bill(turn.records, stage.price, most_tokens(stage.run, stage.target))
    low, high = (None if usd is None else usd / good for usd in (billed.low, billed.high))
    return with_cost(turn, low, high)


class Billed(typing.NamedTuple):
    """Of each conversation of a curve: at least and at most USD (None: there is no upper bound); or, where an hour is paid for, its
    successes, which cost what a transaction does."""

    low: np.ndarray | None = None
    high: np.ndarray | None = None
    good: np.ndarray | None = None


def billed_of(stage: Stage, sessions: Sessions) -> Billed:
    """Nothing where it cannot be known."""

    def each(values: np.ndarray) -> np.ndarray:
        return sessions.summed(values)[sessions.of_curve]

    if isinstance(stage.price, HourlyPrice):
        return Billed(good=each(sessions.rows["error"].isna().to_numpy()))
    if not isinstance(stage.price, TokenPrice):
        return Billed()
    bounds = call_bounds(sessions.rows, stage.price, most_tokens(stage.run, stage.target))
    if bounds is None:
        return Billed()
    low, high = bounds
    return Billed(each(low), None if high is None else each(high))


def _with_cost(stage: Stage, sessions: Sessions, found: SessionFigures, cost: Cost) -> SessionFigures:
    if (found.sessions_followed_share or 0.0) < MIN_FOLLOWED:
        return found
    billed = billed_of(stage, sessions)
    low, high, good = (None if of is None else sessions.curve.per_finished(of) for of in billed)
    if good is not None and cost.usd_per_transaction is not None:
        low = high = good * cost.usd_per_transaction
    return dataclasses.replace(found, usd_per_session=high, usd_per_session_low=low, usd_per_session_high=high)
