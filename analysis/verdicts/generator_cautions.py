"""Why the load of a stage was not the planned one, or its times are the generator's own: workers, clocks, event loops."""

import math
import typing

from analysis.cost.run_cost import CLOCK_TOLERANCE_S
from analysis.metrics.open_loop import sent_requests
from analysis.runs.stage import Stage
from analysis.runs.texts import in_it
from analysis.verdicts.caution import Caution, caution
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words.level import ramp_text
from locustfiles.contract.manifest import StageWindow

#: a Poisson process of n arrivals on average stays within 2 sqrt(n) of them in 95 % of windows, others within that times the
#: square root of their dispersion
NOISE = 2.0


def late_workers(stage: Stage) -> typing.Iterator[tuple[str, float]]:
    """(worker, seconds into the window) of those that began a closed loop's window without having settled."""
    settled = set(in_it(stage.records["worker"][stage.records["phase"] == "settle"]))
    # no settle phase, or slower than one: nobody can be told from a late one
    if stage.visit.users is None or not settled:
        return
    (a, b), first = stage.known_window, stage.measured[["worker", "sent"]].groupby("worker")["sent"].min()
    for worker, sent in first[~first.index.isin(settled)].items():
        if sent - a > THRESHOLDS["late_worker"].limit * (b - a):
            yield str(worker), sent - a


def clock_cautions(stage: Stage) -> typing.Iterator[Caution]:
    (a, b), sent = stage.known_window, stage.measured["sent"]
    outside = int(((sent < a - CLOCK_TOLERANCE_S) | (sent >= b + CLOCK_TOLERANCE_S)).sum())
    if outside > THRESHOLDS["outside_window"].limit * len(sent):
        yield caution("outside_window", share=outside / len(sent), requests=len(sent))
    if stage.run.manifest.status == "running":  # the workers stand in the manifest once it is closed
        return
    known = {w.id: w.clock_offset_ms for w in stage.run.manifest.workers}
    offsets_ms = {worker: known.get(worker) for worker in sorted(in_it(stage.measured["worker"]))}
    if unknown := tuple(w for w, offset_ms in offsets_ms.items() if offset_ms is None and w != "local"):
        yield caution("clock_unknown", workers=unknown)
    off_s = {w: abs(offset_ms) / 1000 for w, offset_ms in offsets_ms.items() if offset_ms is not None}
    if far := {w: s for w, s in off_s.items() if s > THRESHOLDS["clock_offset"].limit * (b - a)}:
        shares = tuple(s / (b - a) for s in far.values())
        yield caution("clock_off", workers=tuple(far), off_s=tuple(far.values()), share=shares)


def unknown_client(stage: Stage) -> typing.Iterator[Caution]:
    """Where neither the records nor the stage tell how its client kept up, as imported files do not."""
    told = any(stage.measured[name].notna().any() for name in ("lag_ms", "stamp_delay_ms"))
    if not told and not stage.visit.workers:
        yield caution("unknown_client")


def lag_cautions(stage: Stage) -> typing.Iterator[Caution]:
    lag = stage.measured["lag_ms"]
    base = stage.good["ttft_ms"].median() if stage.target.stream else stage.good["latency_ms"].median()
    tail = float(lag.quantile(0.99))
    limit = THRESHOLDS["lag_of_ttft_boto3" if stage.run.scenario.transport == "boto3" else "lag_of_ttft"].limit
    if base > 0 and tail > limit * base:
        what = "TTFT" if stage.target.stream else "latency"
        yield caution("loop_late", p99_ms=tail, share=tail / base, what=what)
    if lag.median() > THRESHOLDS["lag_ms"].limit:
        yield caution("loop_starved", median_ms=lag.median())
    window_ms = 1000 * (stage.known_window[1] - stage.known_window[0])
    if still := [w for w in stage.visit.workers if w.lag_ms > THRESHOLDS["stall"].limit * window_ms]:
        paused_ms = tuple(w.lag_ms for w in still)
        shares = tuple(ms / window_ms for ms in paused_ms)
        yield caution("stood_still", workers=tuple(w.worker for w in still), paused_ms=paused_ms, share=shares)
    late = float(stage.measured["schedule_delay_ms"].dropna().quantile(0.99))  # NaN in the closed loop
    if base > 0 and late > THRESHOLDS["late_sends"].limit * base:
        yield caution("late_sends", p99_ms=late)


def open_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """Why an open-loop stage's load was not the planned one."""
    a, b = stage.known_window
    rate, sent, load = stage.visit.rate or 0.0, sent_requests(stage), stage.run.scenario.load_of(stage.target)
    planned = rate * (b - a)
    if sent + NOISE * math.sqrt(load.dispersion * planned) < (1 - THRESHOLDS["rate_missing"].limit) * planned:
        yield caution("rate_missing", sent=sent / (b - a), planned=rate, fewer=1 - sent / planned)
    most = load.max_users
    at_once = int(stage.measured[["worker", "in_flight"]].groupby("worker")["in_flight"].max().sum())
    if at_once >= most:
        yield caution("max_users", most=most)


def ramp_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """A ramp has no one load that its figures are of."""
    if stage.visit.ramp:
        yield caution("ramp", level=ramp_text(stage.visit.ramp))


def trace_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """Where the prompts of a replay were not as long as its trace has them."""
    fit = stage.visit.trace_fit
    if fit and fit.off > THRESHOLDS["trace_lengths"].limit:
        yield caution("trace_lengths", asked=fit.asked_tokens, sent=fit.sent_tokens, off=fit.off)
    if stage.visit.ended_by == "skip" and stage.window and stage.run.scenario.load_of(stage.target).replay:
        yield caution("replay_skipped", after_s=stage.window[1] - stage.window[0])


def cpu_cautions(visit: StageWindow) -> typing.Iterator[Caution]:
    """Where workers are short of CPU, the busiest first."""
    full = sorted((w for w in visit.workers if w.cpu > THRESHOLDS["worker_cpu"].limit), key=lambda w: -w.cpu)
    if full:
        yield caution("worker_cpu", workers=tuple(w.worker for w in full), cpu=tuple(w.cpu for w in full))
