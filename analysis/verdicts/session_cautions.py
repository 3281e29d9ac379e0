"""Why the requests of a stage are not those of whole conversations, or too few of these finished; and what conversations change in
the other cautions: history that repeats is no repeated prompt, and users that think are no missing ones.
"""

import typing

from analysis.metrics.idle_users import idle_users
from analysis.runs.rows import Rows
from analysis.runs.stage import Stage
from analysis.runs.token_totals import prompt_total
from analysis.verdicts.caution import Caution, caution
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words.session_figures import SessionFigures
from analysis.words.stage_figures import StageFigures


def few_sessions(found: SessionFigures) -> typing.Iterator[Caution]:
    """Of a stage, or of repetitions together; none where requests are part of no conversation."""
    finished = found.sessions_finished or 0
    if found.there and finished < THRESHOLDS["sessions_finished"].limit:
        yield caution("few_sessions", finished=finished, begun=found.sessions or 0, cut=found.sessions_cut or 0)


def turn_mix(found: SessionFigures) -> typing.Iterator[Caution]:
    """Where the window's requests are of earlier or later turns than those of whole conversations."""
    own, whole = found.turn_mean, found.turn_mean_whole
    if own is None or whole is None or abs(own - whole) <= THRESHOLDS["turn_mix"].limit * whole:
        return
    if own < whole:
        yield caution("early_turns", own=own, whole=whole)
    else:
        yield caution("late_turns", own=own, whole=whole)


def users_missing(stage: Stage, found: StageFigures) -> typing.Iterator[Caution]:
    """Where users were neither in flight nor between two requests; of closed loops of conversations."""
    users, own = stage.visit.users, found.throughput.in_flight_mean or 0.0
    if not users:
        return
    due = users - idle_users(stage.records, *stage.known_window)
    if due - own > THRESHOLDS["users_missing"].limit * users:
        yield caution("users_missing", own=own, due=due)


def cache_reads_of_new_prompts(good: Rows) -> float:
    """Share of prompt tokens that were read from a cache, without later turns, whose history is in it by design."""
    first = good[~(good["turn"] > 1).to_numpy()]
    whole = float(prompt_total(first).sum())
    return float(first["cache_read_tokens"].sum()) / whole if whole else 0.0
