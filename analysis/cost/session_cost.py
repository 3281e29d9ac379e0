"""What conversations and their turns cost: by tokens their own calls' bills, by the hour their share of the stage's transactions."""

import dataclasses
import typing

import numpy as np

from analysis.cost.bill import bill, call_bounds
from analysis.cost.transaction_cost import most_tokens
from analysis.metrics.session_metrics import MIN_FOLLOWED, session_figures
from analysis.metrics.session_table import Sessions, sessions_of
from analysis.metrics.turn_metrics import Turn, turns_of, with_cost
from analysis.runs.stage import Stage
from analysis.words.cost_figures import Cost
from analysis.words.session_figures import SessionFigures, TurnFigures
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice


class Conversations(typing.NamedTuple):
    """Of a stage: its conversations as wholes, and their turns by number."""

    sessions: SessionFigures
    turns: tuple[TurnFigures, ...]


NONE = Conversations(SessionFigures(), ())


def conversations_of(stage: Stage, cost: Cost) -> Conversations:
    """cost: of the stage's transactions. NONE where its requests are part of no conversation, or it has no window."""
    sessions = None if stage.window is None else sessions_of(stage)
    if sessions is None:
        return NONE
    turns = [_turn(stage, turn) for turn in turns_of(stage)]
    return Conversations(_with_cost(stage, sessions, session_figures(stage, sessions), cost), tuple(turns))


def _turn(stage: Stage, turn: Turn) -> TurnFigures:
    """By the hour without one: a turn has no hour of its own."""
    good = int(turn.records["error"].isna().sum())
    if not isinstance(stage.price, TokenPrice) or not good:
        return turn.figures
    billed = bill(turn.records, stage.price, most_tokens(stage.run, stage.target))
    low, high = (None if usd is None else usd / good for usd in (billed.low, billed.high))
    return with_cost(turn, low, high)


def _with_cost(stage: Stage, sessions: Sessions, found: SessionFigures, cost: Cost) -> SessionFigures:
    if (found.sessions_followed_share or 0.0) < MIN_FOLLOWED:
        return found
    curve = sessions.curve

    def each(usd: np.ndarray) -> float | None:
        return curve.per_finished(sessions.summed(usd)[sessions.of_curve])

    if isinstance(stage.price, HourlyPrice):
        good = each(sessions.rows["error"].isna().to_numpy())
        usd = None if good is None or cost.usd_per_transaction is None else good * cost.usd_per_transaction
        return dataclasses.replace(found, usd_per_session=usd, usd_per_session_low=usd, usd_per_session_high=usd)
    if not isinstance(stage.price, TokenPrice):
        return found
    bounds = call_bounds(sessions.rows, stage.price, most_tokens(stage.run, stage.target))
    if bounds is None:
        return found
    low, high = bounds
    most = None if high is None else each(high)
    return dataclasses.replace(found, usd_per_session=most, usd_per_session_low=each(low), usd_per_session_high=most)
