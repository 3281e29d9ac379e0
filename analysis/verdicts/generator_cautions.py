"""Why the load of a stage was not the planned one, or its times are the generator's own: workers, clocks, event loops."""

import math
import typing

from analysis.cost.run_cost import CLOCK_TOLERANCE_S
from analysis.metrics.open_loop import sent_requests
from analysis.runs.stage import Stage
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words import format as show
from locustfiles.contract.manifest import StageWindow

#: a Poisson process of n arrivals on average stays within 2 sqrt(n) of them in 95 % of windows
NOISE = 2.0


def late_workers(stage: Stage) -> typing.Iterator[tuple[str, float]]:
    """(worker, seconds into the window) of those that began a closed loop's window without having settled."""
    settled = set(stage.records.loc[stage.records["phase"] == "settle", "worker"])
    # no settle phase, or slower than one: nobody can be told from a late one
    if stage.visit.users is None or not settled:
        return
    (a, b), first = stage.known_window, stage.measured.groupby("worker")["sent"].min()
    for worker, sent in first[~first.index.isin(settled)].items():
        if sent - a > THRESHOLDS["late_worker"].limit * (b - a):
            yield str(worker), sent - a


def clock_cautions(stage: Stage) -> typing.Iterator[str]:
    (a, b), sent = stage.known_window, stage.measured["sent"]
    outside = int(((sent < a - CLOCK_TOLERANCE_S) | (sent >= b + CLOCK_TOLERANCE_S)).sum())
    if outside > THRESHOLDS["outside_window"].limit * len(sent):
        yield f"{outside} of {len(sent)} requests were sent outside the window by the corrected clocks"
    if stage.run.manifest.status == "running":  # the workers stand in the manifest once it is closed
        return
    offsets = {w.id: w.clock_offset_ms for w in stage.run.manifest.workers}
    for worker in sorted(stage.measured["worker"].unique()):
        offset_ms = offsets.get(worker)
        offset_s = None if offset_ms is None else offset_ms / 1000
        if offset_s is None and worker != "local":
            yield f"the clock offset of worker {worker} is not known"
        elif offset_s and abs(offset_s) > THRESHOLDS["clock_offset"].limit * (b - a):
            share = show.percent(abs(offset_s) / (b - a))
            yield f"the clock of worker {worker} was off by {show.seconds(abs(offset_s))}, {share} of the window"


def unknown_client(stage: Stage) -> typing.Iterator[str]:
    """Where neither the records nor the stage tell how its client kept up, as imported files do not."""
    told = stage.measured[["lag_ms", "stamp_delay_ms"]].notna().any(axis=None)
    if not told and not stage.visit.workers:
        yield (
            "nothing is known of the client (its event-loop lag, its CPU): were it slow, times would be too long and rates too "
            "low, so see that it had CPU to spare"
        )


def lag_cautions(stage: Stage) -> typing.Iterator[str]:
    lag = stage.measured["lag_ms"]
    base = stage.good["ttft_ms"].median() if stage.target.stream else stage.good["latency_ms"].median()
    tail = float(lag.quantile(0.99))
    limit = THRESHOLDS["lag_of_ttft_boto3" if stage.run.scenario.transport == "boto3" else "lag_of_ttft"].limit
    if base > 0 and tail > limit * base:
        what = "TTFT" if stage.target.stream else "latency"
        share = show.percent(tail / base)
        yield f"event-loop lag while a request was under way (p99 {show.milliseconds(tail)}) is {share} of the median {what}"
    if lag.median() > THRESHOLDS["lag_ms"].limit:
        yield f"event-loop lag while a request was under way is {show.milliseconds(lag.median())} in the median"
    window_ms = 1000 * (stage.known_window[1] - stage.known_window[0])
    for load in stage.visit.workers:
        if load.lag_ms > THRESHOLDS["stall"].limit * window_ms:
            share = show.percent(load.lag_ms / window_ms)
            yield f"worker {load.worker} stood still for {show.milliseconds(load.lag_ms)}, {share} of the window"
    late = float(stage.measured["schedule_delay_ms"].dropna().quantile(0.99))  # NaN in the closed loop
    if base > 0 and late > THRESHOLDS["late_sends"].limit * base:
        yield f"requests were sent up to {show.milliseconds(late)} (p99) later than they were due"


def open_cautions(stage: Stage) -> typing.Iterator[str]:
    """Why an open-loop stage's load was not the planned one."""
    a, b = stage.known_window
    rate, sent = stage.visit.rate or 0.0, sent_requests(stage)
    planned = rate * (b - a)
    if sent + NOISE * math.sqrt(planned) < (1 - THRESHOLDS["rate_missing"].limit) * planned:
        yield (
            f"{show.number(sent / (b - a))} requests/s were sent where {rate:g} were planned "
            f"({show.percent(1 - sent / planned)} fewer)"
        )
    most = stage.run.scenario.load_of(stage.target).max_users
    at_once = int(stage.measured.groupby("worker")["in_flight"].max().sum())
    if at_once >= most:
        yield f"max_users ({most}) was reached, requests that were due waited for a user: raise `max_users`"


def trace_cautions(stage: Stage) -> typing.Iterator[str]:
    """Where the prompts of a replay were not as long as its trace has them."""
    fit = stage.visit.trace_fit
    if fit and fit.off > THRESHOLDS["trace_lengths"].limit:
        yield f"the trace {fit.text}"


def overloaded(visit: StageWindow, limit: float) -> str | None:
    """Why a stage's workers are short of CPU, with the remedy; None where they are not."""
    full = sorted((w for w in visit.workers if w.cpu > limit), key=lambda w: -w.cpu)
    if not full:
        return None
    named = ", ".join(f"{w.worker} ({show.percent(w.cpu)})" for w in full[:5]) + (", …" if len(full) > 5 else "")
    what = "worker used" if len(full) == 1 else "workers used"
    return f"{what} more than {show.percent(limit)} of a core in the window: {named}: add a worker"
