"""The open loop: whether requests were sent when they were due, and how long a user waits who asks on time."""

from analysis.metrics.percentiles import spread
from analysis.runs.rows import Rows
from analysis.runs.stage import Stage
from analysis.words.user_figures import OpenLoop


def open_figures(stage: Stage) -> OpenLoop:
    """The figures that only the open loop has, without its rate, which needs a window."""
    delays, user = _first_attempts(stage)["schedule_delay_ms"].dropna(), stage.perceived
    p50, p99 = delays.quantile([0.5, 0.99]) if len(delays) else (None, None)
    return OpenLoop(
        schedule_delay_p50_ms=p50,
        schedule_delay_p99_ms=p99,
        schedule_delay_max_ms=float(delays.max()) if len(delays) else None,
        intended_latency=spread(user["latency_ms"].to_numpy() / 1000),
        intended_ttft=spread(user["ttft_ms"].dropna().to_numpy() / 1000),
    )


def achieved_rate(stage: Stage) -> float:
    """Requests sent in the window, by its length, 1/s."""
    a, b = stage.known_window
    return sent_requests(stage) / (b - a)


def sent_requests(stage: Stage) -> int:
    """Requests sent in the window, with those between a search's looks at its limits, which are not measured. Of conversations
    their first turns: later ones come by themselves, not by the rate."""
    between = (stage.records["phase"] == "hold") & (stage.records["sent"] < stage.known_window[1])
    return _arrived(_first_attempts(stage)) + _arrived(stage.records[between & (stage.records["attempt"] == 1)])


def _arrived(rows: Rows) -> int:
    return int((~(rows["turn"].fillna(1) > 1)).sum())


def _first_attempts(stage: Stage) -> Rows:
    return stage.measured[stage.measured["attempt"] == 1]
