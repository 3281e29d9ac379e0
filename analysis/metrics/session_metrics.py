"""What a stage's conversations tell as wholes. Of those that began in its window; no price here.

How many turns they were to have is known from their first one on, so that it is not biased. When they finish, and what they have by
then, goes by finish_curve.py, for the stage's end cuts long ones off more often than short ones.
"""

import dataclasses
import typing

import numpy as np

from analysis.metrics.session_table import Outcome, Sessions
from analysis.runs.stage import Stage
from analysis.runs.token_totals import MAX_UNCOUNTED, prompt_total
from analysis.words.session_figures import FinishTimes, SessionFigures
from locustfiles.contract.statistics.binomial import LEVELS

MIN_FOLLOWED = 0.95  # of the conversations; where more could not be followed to their end means are not known


def session_figures(stage: Stage, sessions: Sessions) -> SessionFigures:
    """All but their costs."""
    found = SessionFigures(
        sessions=int(sessions.in_window.sum()),
        sessions_finished=sessions.count(Outcome.FINISHED),
        sessions_failed=sessions.count(Outcome.FAILED),
        sessions_ended_early=sessions.count(Outcome.EARLY),
        sessions_cut=sessions.count(Outcome.CUT),
        sessions_untold=sessions.count(Outcome.UNTOLD),
        session_turns_mean=_mean(sessions.planned[sessions.in_window]),
        turn_mean=_mean(stage.measured["turn"].to_numpy(dtype=float)),
        turn_mean_whole=_whole_turn_mean(sessions),
    )
    if not sessions.of_curve.any():
        return found
    curve = sessions.curve
    found = dataclasses.replace(found, sessions_followed_share=curve.followed, session_time=_times(sessions))
    if curve.followed < MIN_FOLLOWED:
        return found
    waiting, whole = curve.mean(sessions.waiting_s[sessions.of_curve]), curve.mean(curve.time_s)
    return dataclasses.replace(
        found,
        session_waiting_mean_s=waiting,
        session_waiting_share=waiting / whole if waiting is not None and whole else None,
        session_tokens_mean=_tokens(sessions),
    )


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _whole_turn_mean(sessions: Sessions) -> float | None:
    """1 to n of a conversation of n turns; of one that failed or ended early to where it did."""
    short = np.isin(sessions.outcome, (Outcome.FAILED, Outcome.EARLY))
    turns = np.where(short, sessions.reached, sessions.planned)
    turns = turns[~np.isnan(turns)]
    return float((turns * (turns + 1)).sum() / 2 / turns.sum()) if len(turns) else None


def _times(sessions: Sessions) -> FinishTimes:
    curve, ends = sessions.curve, dict[str, typing.Any]()
    for name in ("p50", "p90", "p95"):
        if found := curve.percentile(LEVELS[name]):
            ends |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return FinishTimes(mean=curve.mean(curve.time_s) if curve.followed >= MIN_FOLLOWED else None, **ends)


def _tokens(sessions: Sessions) -> float | None:
    """None where a success without counts is in over 1 % of those that finished."""
    rows = sessions.rows
    each = (prompt_total(rows) + rows["completion_tokens"]).to_numpy(dtype=float)
    failed = rows["error"].notna().to_numpy()
    sums = sessions.summed(np.where(failed, np.nan_to_num(each), each))[sessions.of_curve]
    finished = sessions.curve.finished
    unknown = finished & np.isnan(sums)
    if not finished.any() or unknown.sum() > MAX_UNCOUNTED * finished.sum():
        return None
    return sessions.curve.mean(np.where(unknown, np.nanmean(sums[finished]), sums))
