"""Goodput: successes that a user would call good, those inside the limits on latency, TTFT and TPOT."""

import math
import typing

import numpy as np
import pandas as pd

from analysis.metrics.percentiles import LEVELS
from analysis.metrics.token_times import tpot_ms
from analysis.runs.due_times import from_due
from analysis.runs.rows import Rows
from analysis.runs.stage import Stage
from analysis.runs.token_totals import MAX_UNCOUNTED
from analysis.runs.window_share import share
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.slo import Slo

TPOT = "tpot_ms"
#: key of an SLO -> the time of a request that its limits are on, and what makes ms of them
_TIMES = {
    "latency_s": ("latency_ms", 1000.0),
    "ttft_s": ("ttft_ms", 1000.0),
    "ttft_visible_s": ("ttft_visible_ms", 1000.0),
    "tpot_ms": (TPOT, 1.0),
}


def request_limits(slos: typing.Iterable[Slo]) -> dict[str, float]:
    """latency_ms, ttft_ms, … -> what a request must keep: the limit on the highest of its percentiles that has one, ms; of
    several classes of limits the strictest."""
    found: dict[str, float] = {}
    for slo in slos:
        for key, (column, ms) in _TIMES.items():
            limits = getattr(slo, key)
            stated = [limit for p in LEVELS if (limit := getattr(limits, p, None)) is not None]  # p50 first
            if stated:
                found[column] = min(stated[-1] * ms, found.get(column, math.inf))
    return found


def goodput(stage: Stage) -> float | None:
    """Good successes a second, each by the share of its own [send, end] in the window; None without a limit or a TTFT to judge."""
    spans = good_spans(stage)
    if spans is None:
        return None
    a, b = stage.known_window
    return float(share(*spans, a, b).sum() / (b - a))


def good_spans(stage: Stage) -> tuple[np.ndarray, np.ndarray] | None:
    """From when to when each good success was under way, those outside the window too; None as of goodput."""
    successes = stage.records if stage.calls is None else stage.calls.table
    successes = successes[successes["error"].isna()]
    good = good_among(stage, successes)
    if good is None:
        return None
    sent = successes["sent" if stage.calls is None else "own_sent"].to_numpy()
    return sent[good], successes["ended"].to_numpy()[good]


def good_measured(stage: Stage) -> int | None:
    """How many of the requests (with retries the calls) that began in the window were good."""
    good = good_among(stage, stage.good if stage.calls is None else stage.calls.good)
    return None if good is None else int(good.sum())


def good_share(stage: Stage) -> float | None:
    """Of the requests (with retries the calls) that began in the window, without those that our own stop ended; None as of goodput."""
    flags = good_flags(stage)
    return float(flags.mean()) if flags is not None and len(flags) else None


def good_flags(stage: Stage) -> np.ndarray | None:
    """Whether each of those was good, in the order in which they were sent."""
    asked, successes = (stage.measured, stage.good) if stage.calls is None else (stage.calls.measured, stage.calls.good)
    good = good_among(stage, successes)
    if good is None:
        return None
    errors, sent = asked["error"], asked["sent"].to_numpy()
    flags, kept = np.zeros(len(asked), dtype=bool), (errors != ErrorClass.CANCELLED).to_numpy()
    flags[errors.isna().to_numpy()] = good
    return flags[kept][np.argsort(sent[kept], kind="stable")]


def good_among(stage: Stage, successes: Rows) -> np.ndarray | None:
    """Which of these are inside the limits; None where there is none, or a time that is limited is not known."""
    limits = request_limits(stage.run.slos_of(stage.visit).values())
    if not limits or (set(limits) != {"latency_ms"} and not stage.target.stream):
        return None
    user = from_due(successes)
    if TPOT in limits:
        user = user.assign(**{TPOT: _time_per_token(user)})
        if user[TPOT].isna().sum() > MAX_UNCOUNTED * len(user):
            return None
    return np.all([user[column].to_numpy() <= limit for column, limit in limits.items()], axis=0)


def _time_per_token(successes: Rows) -> pd.Series:
    """0 of an answer of one token or piece, after whose first there was nothing to wait for."""
    short = (successes["completion_tokens"] < 2) | (successes["chunks"] < 2)
    return tpot_ms(successes).mask(short, 0.0)
