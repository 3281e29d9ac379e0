"""The open loop: whether requests were sent when they were due, and how long a user waits who asks on time."""

import math
import typing

from analysis import format as show
from analysis.level import kind_of
from analysis.load import Run
from analysis.percentiles import columns_of, spread
from analysis.stage import Stage
from analysis.thresholds import THRESHOLDS

#: a Poisson process of n arrivals on average stays within 2 sqrt(n) of them in 95 % of windows
NOISE = 2.0


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
    return _sent(stage) / (b - a)


def _sent(stage: Stage) -> int:
    """Requests sent in the window, with those between a search's looks at its limits, which are not measured."""
    between = (stage.records["phase"] == "hold") & (stage.records["sent"] < stage.window[1])
    return len(_first_attempts(stage)) + int((between & (stage.records["attempt"] == 1)).sum())


def _first_attempts(stage: Stage):
    return stage.measured[stage.measured["attempt"] == 1]


def open_reasons(stage: Stage) -> typing.Iterator[str]:
    """Why an open-loop stage's load was not the planned one."""
    a, b = stage.window
    planned, sent = stage.visit.rate * (b - a), _sent(stage)
    if sent + NOISE * math.sqrt(planned) < (1 - THRESHOLDS["rate_missing"].limit) * planned:
        yield (
            f"{show.number(sent / (b - a))} requests/s were sent where {stage.visit.rate:g} were planned "
            f"({show.percent(1 - sent / planned)} fewer)"
        )
    most = stage.run.scenario.load_of(stage.target).max_users
    at_once = int(stage.measured.groupby("worker")["in_flight"].max().sum())
    if at_once >= most:
        yield f"max_users ({most}) was reached, requests that were due waited for a user: raise `max_users`"


def mixed_loads(rows: list[dict[str, typing.Any]]) -> list[str]:
    """A warning where stages of one dataset were loaded in both ways."""
    names = {kind: sorted({f"`{r['target']}`" for r in rows if kind_of(r) == kind}) for kind in ("users", "rate")}
    if not all(names.values()):
        return []
    warning = (
        f"{', '.join(names['users'])} was loaded by users (closed loop), {', '.join(names['rate'])} by requests/s (open loop): a "
        "closed loop slows down with its target, so compare their latencies at the same throughput only."
    )
    return [warning]


def open_sentence(run: Run) -> str | None:
    """What it means for the report that a run has open-loop stages; None where it has none."""
    if all(s.users is not None for s in run.manifest.stages):
        return None
    return (
        f"Run {run.name} has open-loop stages: requests were sent when they were due, whatever became of those before. What a "
        "user perceives begins when a request was due, so limits on latency and TTFT, goodput and plots go by the times from "
        "then on (intended latency = schedule delay + latency); latency and TTFT alone are from the actual send."
    )
