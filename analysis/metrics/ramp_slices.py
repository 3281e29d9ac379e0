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
    """Requests that were sent in [from_s, until_s) of the window. Times of successes, s, from when they were due; None is not known."""

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
        Ramp(run.name, visit.stage, visit.target, visit.payload, *visit.ramp, _slices(run, visit, visit.ramp, window))
        for run in runs
        for visit in run.manifest.stages
        if visit.ramp and (window := run.window(visit))
    ]


def _slices(run: Run, visit: StageWindow, ramp: list[float], window: tuple[float, float]) -> tuple[Slice, ...]:
    of_stage = run.records["stage"] == visit.stage
    measured = Rows(run.records)[of_stage & (run.records["phase"] == "measure")]
    edges = np.linspace(0.0, window[1] - window[0], SLICES + 1)
    into = np.clip(np.searchsorted(edges, measured["sent"].to_numpy() - window[0], side="right") - 1, 0, SLICES - 1)
    middles = (np.arange(SLICES) + 0.5) / SLICES
    planned = (ramp[0] + (ramp[1] - ramp[0]) * middles) * (visit.mix_share or 1.0)
    return tuple(
        _slice(measured[into == n], float(edges[n]), float(edges[n + 1]), float(planned[n])) for n in range(SLICES)
    )


def _slice(sent: Rows, from_s: float, until_s: float, planned_per_s: float) -> Slice:
    ended = sent[sent["error"] != ErrorClass.CANCELLED]
    good = from_due(ended[ended["error"].isna()])
    times = [good[name].dropna().to_numpy() / 1000 for name in ("ttft_ms", "latency_ms")]
    quantiles = [float(np.quantile(some, q)) if len(some) else None for some in times for q in (0.5, 0.95)]
    failed = len(ended) - len(good)
    rate = failed / len(ended) if len(ended) else None
    return Slice(from_s, until_s, planned_per_s, len(sent) / (until_s - from_s), len(sent), rate, *quantiles)
