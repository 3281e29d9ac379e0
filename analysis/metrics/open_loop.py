"""The open loop: whether requests were sent when they were due, and how long a user waits who asks on time."""

import typing

from analysis.metrics.percentiles import columns_of, spread
from analysis.runs.stage import Stage


def open_columns(stage: Stage) -> dict[str, typing.Any]:
    """The columns of the steps table that only the open loop has."""
    sent = _first_attempts(stage)
    delays = sent["schedule_delay_ms"].dropna()
    row: dict[str, typing.Any] = {}
    if len(delays):
        p50, p99 = delays.quantile([0.5, 0.99])
        row = {"schedule_delay_p50_ms": p50, "schedule_delay_p99_ms": p99, "schedule_delay_max_ms": delays.max()}
    user = stage.perceived
    row |= columns_of("intended_latency", "s", spread(user["latency_ms"].to_numpy() / 1000))
    return row | columns_of("intended_ttft", "s", spread(user["ttft_ms"].dropna().to_numpy() / 1000))


def achieved_rate(stage: Stage) -> float:
    """Requests sent in the window, by its length, 1/s."""
    a, b = stage.window
    return sent_requests(stage) / (b - a)


def sent_requests(stage: Stage) -> int:
    """Requests sent in the window, with those between a search's looks at its limits, which are not measured."""
    between = (stage.records["phase"] == "hold") & (stage.records["sent"] < stage.window[1])
    return len(_first_attempts(stage)) + int((between & (stage.records["attempt"] == 1)).sum())


def _first_attempts(stage: Stage):
    return stage.measured[stage.measured["attempt"] == 1]
