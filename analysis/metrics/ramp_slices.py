"""A ramp by slices of time: what was sent and how it was answered while the rate was what it was."""

import typing

import numpy as np

from analysis.runs.due_times import from_due
from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import StageWindow

SLICES = 10


class Slice(typing.NamedTuple):
    """Requests that were due in [from_s, until_s) of the ramp. Times of successes, s, from when they were due; None is not known."""

    from_s: float
    until_s: float
    planned_per_s: float  # on average
    sent_per_s: float
    requests: int
    error_rate: float | None
    ttft_p50_s: float | None
    ttft_p95_s: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None


class Ramp(typing.NamedTuple):
    """One stage whose rate went from one to another, and its slices in order."""

    run: str
    stage: int
    target: str
    payload: str
    begin: float
    end: float
    slices: tuple[Slice, ...]


def ramps_of(runs: list[Run]) -> list[Ramp]:
    """All that got a window."""
    return [
        _ramp(run, visit, visit.ramp, window)
        for run in runs
        for visit in run.manifest.stages
        if visit.ramp and (window := run.window(visit))
    ]


def _ramp(run: Run, visit: StageWindow, ramp: list[float], window: tuple[float, float]) -> Ramp:
    begin, end = ramp
    return Ramp(run.name, visit.stage, visit.target, visit.payload, begin, end, _slices(run, visit, ramp, window))


def _slices(run: Run, visit: StageWindow, ramp: list[float], window: tuple[float, float]) -> tuple[Slice, ...]:
    """Of the time over which the rate went, which begins with the first arrival; those that the window holds."""
    records = Rows(run.records)[
        run.records["stage"].isin(visit.mix or [visit.stage]) & (run.records["phase"] == "measure")
    ]
    due = records["sent"].to_numpy() - np.nan_to_num(records["schedule_delay_ms"].to_numpy()) / 1000
    zero = float(due.min()) if len(due) else window[0]
    length_s = run.scenario.load_of(run.target(visit.target)).at_most_s
    edges = np.linspace(0.0, length_s, SLICES + 1)
    into = np.clip(np.searchsorted(edges, due - zero, side="right") - 1, 0, SLICES - 1)
    into[records["stage"].to_numpy() != visit.stage] = SLICES  # other parts of a mix
    middles = (np.arange(SLICES) + 0.5) / SLICES
    planned = (ramp[0] + (ramp[1] - ramp[0]) * middles) * (visit.mix_share or 1.0)
    ends = np.minimum(edges[1:], window[1] - zero)
    return tuple(
        _slice(records[into == n], float(edges[n]), float(ends[n]), float(planned[n]))
        for n in range(SLICES)
        if ends[n] > edges[n]
    )


def _slice(sent: Rows, from_s: float, until_s: float, planned_per_s: float) -> Slice:
    ended = sent[sent["error"] != ErrorClass.CANCELLED]
    good = from_due(ended[ended["error"].isna()])
    times = [good[name].dropna().to_numpy() / 1000 for name in ("ttft_ms", "latency_ms")]
    quantiles = [float(np.quantile(some, q)) if len(some) else None for some in times for q in (0.5, 0.95)]
    failed = len(ended) - len(good)
    rate = failed / len(ended) if len(ended) else None
    return Slice(from_s, until_s, planned_per_s, len(sent) / (until_s - from_s), len(sent), rate, *quantiles)
