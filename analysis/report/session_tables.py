"""Conversations as people read them: those of a stage as wholes, and its turns by number."""

import pandas as pd

from analysis.report.text_tables import text_table
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import headed
from analysis.words.level import level_text
from analysis.words.session_figures import TurnFigures
from analysis.words.spread import Spread
from analysis.words.value_text import session_bounds

MOST_TURNS = 12  # of a stage, in tables for reading; tables/turns.csv has them all
SESSIONS = headed(
    lambda f: {
        "Run": f.run, "Target": f.identity.target, "Dataset": f.identity.payload, "Level": level_text, "Began": f.sessions.sessions,
        "Finished": f.sessions.sessions_finished, "Failed": f.sessions.sessions_failed,
        "Ended early": f.sessions.sessions_ended_early, "Cut": f.sessions.sessions_cut,
        "Could be followed": f.sessions.sessions_followed_share, "Turns planned": f.sessions.session_turns_mean,
        "Time mean": f.sessions.session_time.mean, "p50": f.sessions.session_time.p50, "p90": f.sessions.session_time.p90,
        "p95": f.sessions.session_time.p95, "Waiting mean": f.sessions.session_waiting_mean_s,
        "of the time": f.sessions.session_waiting_share,
        "Tokens": f.sessions.session_tokens_mean, "Price per conversation": f.sessions.usd_per_session, "Bounds": session_bounds,
    }
)  # fmt: skip


def session_table(stages: list[Result], several_runs: bool) -> pd.DataFrame:
    """A row a stage; bounds of the price only where they differ."""
    without = [] if several_runs else ["Run"]
    return text_table(
        stages, SESSIONS, without=without + ([] if any(session_bounds(r.figures) for r in stages) else ["Bounds"])
    )


def shown_turns(stages: list[Result], several_runs: bool) -> pd.DataFrame:
    """A row a stage and turn."""
    rows = pd.DataFrame([_row(turn) for r in stages for turn in r.turns[:MOST_TURNS]], dtype=object)
    known = [c for c in rows if set(rows[c]) != {show.UNKNOWN}]
    return rows[known] if several_runs or rows.empty else rows[known].drop(columns="Run")


def about_turns(stages: list[Result]) -> str:
    """What is not shown of them; empty where all are."""
    more = max((len(r.turns) for r in stages), default=0) > MOST_TURNS
    return f"The first {MOST_TURNS} turns of each stage; `tables/turns.csv` has them all." if more else ""


def _row(turn: TurnFigures) -> dict[str, str]:
    return {
        "Run": turn.run,
        "Target": turn.target,
        "Dataset": turn.payload,
        "Level": level_text(turn),
        "Turn": show.count(turn.turn),
        "Requests": show.count(turn.requests),
        "Error rate": show.percent(turn.error_rate),
        "Prompt tokens": show.number(turn.prompt_tokens_mean),
        "From a cache": show.percent(turn.cache_read_share),
        "TTFT p50": _percentile(turn.ttft, "p50"),
        "TTFT p95": _percentile(turn.ttft, "p95"),
        "Latency mean": show.seconds(turn.latency.mean),
        "Latency p50": _percentile(turn.latency, "p50"),
        "Latency p95": _percentile(turn.latency, "p95"),
        "Price per request": _price(turn),
        "Output tokens": show.number(turn.completion_tokens_mean),
    }


def _percentile(times: Spread, name: str) -> str:
    value, low, high = (getattr(times, field) for field in (name, f"{name}_low", f"{name}_high"))
    return show.between(show.seconds, value, low, high)


def _price(turn: TurnFigures) -> str:
    low, high = turn.usd_per_request_low, turn.usd_per_request
    return show.money(high) if low == high or high is None else f"{show.money(high)} ({show.span(low, high)})"
