"""Whether a stage's conversations keep the limits on their time."""

import typing

from analysis.metrics.session_metrics import MIN_FOLLOWED
from analysis.metrics.session_table import sessions_of
from analysis.runs.stage import Stage
from analysis.verdicts.check import Check, State, plain
from analysis.verdicts.slo_criteria import Criterion
from analysis.words import format as show
from analysis.words.session_figures import SessionFigures
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.statistics.binomial import LEVELS, decide


def no_wholes(found: SessionFigures) -> str:
    """Why no mean and no cost of whole conversations is known; empty where that is not so."""
    if not found.there:
        return "its requests are part of no conversation"
    if not found.sessions_finished:
        return "no conversation that began in the window finished"
    followed = found.sessions_followed_share or 0.0
    if followed < MIN_FOLLOWED:
        return f"{show.percent(1 - followed)} of the conversations could not be followed to their end: measure longer"
    return ""


def session_check(criterion: Criterion, stage: Stage, figures: StageFigures) -> Check:
    """A limit on a percentile is decided as those on requests are, by the share of conversations above it: one that failed never
    finished, and one that was cut counts for as long as it was followed."""
    found, n = figures.sessions, figures.sessions.sessions
    if criterion.statistic in (None, "mean"):
        return plain(criterion, found.session_time.mean, no_wholes(found), n)
    sessions = None if stage.window is None else sessions_of(stage)
    if sessions is None or not sessions.of_curve.any():
        return Check(criterion, None, "unknown", no_wholes(found) or "no conversation began in the window", n)
    curve, q = sessions.curve, LEVELS[typing.cast(str, criterion.statistic)]
    at = curve.percentile(q)
    value, told = None if at is None else at.value, curve.by(criterion.limit)
    if told is None:
        return Check(criterion, value, "undecided", "none was followed for so long: measure longer", n)
    share, as_many = told
    state = typing.cast(State, decide(round((1 - share) * as_many), as_many, q))
    beyond = state == "undecided" and share < q
    late = f"{show.percent(1 - share)} of {n} conversations had not finished by then"
    return Check(
        criterion,
        value,
        state,
        f"too few conversations: {late}" if state == "undecided" else _why(value, late),
        n,
        beyond,
    )


def _why(value: float | None, late: str) -> str | None:
    """Where there is no such percentile, for so many never finish."""
    return late if value is None else None
