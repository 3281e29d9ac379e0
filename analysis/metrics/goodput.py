"""Goodput: successes that a user would call good, those inside the limits on latency and TTFT."""

import numpy as np
import pandas as pd

from analysis.metrics.percentiles import LEVELS
from analysis.runs.due_times import from_due
from analysis.runs.stage import Stage
from analysis.runs.window_share import share
from locustfiles.contract.scenario.slo import Slo


def request_limits(slo: Slo) -> dict[str, float]:
    """latency_ms, ttft_ms -> what a request must keep: the limit on the highest of its percentiles that has one, ms."""
    found = {}
    for column, limits in (("latency_ms", slo.latency_s), ("ttft_ms", slo.ttft_s)):
        stated = [limit for p in LEVELS if (limit := getattr(limits, p, None)) is not None]  # p50 first
        if stated:
            found[column] = stated[-1] * 1000
    return found


def goodput(stage: Stage) -> float | None:
    """Good successes a second, each by the share of its own [send, end] in the window; None without a limit or a TTFT to judge."""
    successes = stage.records if stage.calls is None else stage.calls.table
    successes = successes[successes["error"].isna()]
    good = _good(stage, successes)
    if good is None:
        return None
    a, b = stage.known_window
    sent = successes["sent" if stage.calls is None else "own_sent"].to_numpy()
    return float(share(sent, successes["ended"].to_numpy(), a, b)[good].sum() / (b - a))


def good_measured(stage: Stage) -> int | None:
    """How many of the requests (with retries the calls) that began in the window were good."""
    good = _good(stage, stage.good if stage.calls is None else stage.calls.good)
    return None if good is None else int(good.sum())


def _good(stage: Stage, successes: pd.DataFrame) -> np.ndarray | None:
    limits = request_limits(stage.run.scenario.slo_of(stage.target))
    if not limits or ("ttft_ms" in limits and not stage.target.stream):
        return None
    user = from_due(successes)
    return np.all([user[column].to_numpy() <= limit for column, limit in limits.items()], axis=0)
