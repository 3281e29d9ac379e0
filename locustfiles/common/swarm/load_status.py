"""How the load stands, as the live page, the terminal and the metrics show it: worked out from what is in memory, once a second."""

import functools
import math
import typing

from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.turns_ahead import due
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.stages.stage import Stage
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.run_under_way import RunUnderWay
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.common.web.notice import Told
from locustfiles.contract.manifest import StageWindow

Document = dict[str, typing.Any]


class Master(typing.Protocol):
    """What is asked of it."""

    clock: Clock
    runner: LocalRunner | MasterRunner
    registry: WorkerRegistry
    sweep: Sweep | None  # of `run`

    @property
    def inputs(self) -> Inputs | None: ...
    @property
    def run(self) -> RunRecorder | None: ...
    @property
    def under_way(self) -> RunUnderWay | None: ...
    def asks(self) -> Document | None: ...
    def told(self) -> Told: ...


def load_status(master: Master) -> Document:
    """The `load` of the live document (analysis/README.md, `watch`). Times are Unix seconds of the master's clock."""
    run, under_way = master.run, master.under_way
    told, inputs = master.told(), run.inputs if run else master.inputs
    workers = _workers(master, under_way)
    return {
        "at": master.clock.now(),
        "state": _state(master, run, under_way),
        "scenario": inputs and {"file": str(inputs.scenario_file), "name": inputs.scenario.name},
        "run": run and _run(master, run, under_way),
        "stage": _stage(under_way),
        "users": _users(master, under_way, workers),
        "spend": run and _spend(run),
        "workers": workers,
        "asks": master.asks(),
        "told": {"refused": told.refused, "mind": told.mind},
        "ending": under_way and _ending(under_way),
    }


def _state(master: Master, run: RunRecorder | None, under_way: RunUnderWay | None) -> str:
    if under_way is None:
        return "idle" if run is None else "ended"
    if under_way.stopping:
        return "stopping"
    if master.asks():
        return "confirming"
    return "running" if under_way.sweep.stage else "checking"


def _run(master: Master, run: RunRecorder, under_way: RunUnderWay | None) -> Document:
    manifest, sweep = run.manifest, master.sweep
    fixed = sweep if sweep and sweep.planned else None  # a search decides its stages as it goes
    return {
        "name": run.folder.path.name,
        "folder": str(run.folder.path),
        "id": run.run_id,
        "status": manifest.status,
        "started_at": manifest.parts[-1].started_at,
        "ended_at": manifest.ended_at,
        "elapsed_s": (manifest.ended_at or master.clock.now()) - manifest.parts[-1].started_at,
        "left_s": _left_s(fixed, under_way),
        "planned_s": fixed and fixed.planned_s,
        "ahead": sweep.preflight.ahead if sweep else None,
        "stages_planned": fixed and fixed.planned,
        "stages_done": sum(_is_done(stage) for stage in manifest.stages),
        "requests": run.requests.rows,
        "failed": run.failed,
        "exit_code": run.exit_code() if run.closed else None,
    }


def _left_s(sweep: Sweep | None, under_way: RunUnderWay | None) -> float | None:
    if under_way is None:
        return 0.0
    return max(0.0, sweep.planned_s - sweep.done_s()) if sweep else None


def _is_done(stage: StageWindow) -> bool:
    skipped = stage.measure_from is None and stage.ended_by == "skip"
    return skipped or (stage.hold_until is not None and stage.ended_by is not None)


def _stage(under_way: RunUnderWay | None) -> Document | None:
    stage = under_way and under_way.sweep.stage
    if not under_way or not stage:
        return None
    spec, window, phase = stage.spec, stage.window, _phase(under_way, stage)
    settled = window.settle_from or window.started_at
    began = {"settle": window.started_at, "measure": stage.look_from, "hold": window.measure_until or settled}.get(
        phase
    )
    progress, left_s = _progress(stage, phase, under_way.run.clock.now() - settled)
    return {
        "stage": spec.stage,
        "place": len(under_way.run.manifest.stages) - len(stage.windows) + 1,
        "target": _together(w.target for w in stage.windows),
        "payload": _together(w.payload for w in stage.windows),
        "users": spec.users,
        "rate": spec.rate,
        "due": due_in(stage),
        "repeat": spec.repeat,
        "phase": phase,
        "phase_began_at": began,
        "progress": progress,
        "left_s": left_s,
        "at_most_s": stage.look_at_most_s,
    }


@functools.lru_cache(1)  # once a stage: it goes through all lines of its payloads
def due_in(stage: Stage) -> str | None:
    """What is due at its rate, of a mix by any of its parts; None in the closed loop."""
    if stage.spec.rate is None:
        return None
    payloads = stage.run.inputs.payloads
    return due(line for window in stage.windows for line in payloads[window.payload])


def _together(names: typing.Iterable[str]) -> str:
    """Of a mix `chat + batch`."""
    return " + ".join(dict.fromkeys(names))


def _phase(under_way: RunUnderWay, stage: Stage) -> str:
    """drain: nothing is sent, between two groups, or while the run ends."""
    spec = under_way.sweep.control.spec
    return under_way.sweep.control.phase if spec and spec.stage == stage.spec.stage else "drain"


def _progress(stage: Stage, phase: str, settled_s: float) -> tuple[float | None, float | None]:
    """(share of the stage that is over, seconds that are left at most); what nobody can tell is None."""
    until, at_most_s = stage.load.until, stage.look_at_most_s
    settle_s = 0.0 if stage.trace else stage.load.settle_s
    in_all = settle_s + at_most_s
    if phase == "settle":
        over_s = min(settle_s, settled_s)
        # after settle_s it lasts until its latencies are steady, which nobody knows
        return over_s / in_all, in_all - over_s if settled_s < settle_s else None
    if phase != "measure":
        return 1.0, None if phase == "hold" else 0.0
    share = min(1.0, stage.measured_s / at_most_s)
    if until and until.requests and until.relative_ci is None:
        share = max(share, min(1.0, stage.tally.requests / until.requests))
    return (settle_s + share * at_most_s) / in_all, max(0.0, at_most_s - stage.measured_s)


def _users(master: Master, under_way: RunUnderWay | None, workers: list[Document]) -> Document:
    spec = under_way.sweep.control.spec if under_way else None
    counts = [worker["in_flight"] for worker in workers if worker["in_flight"] is not None]
    return {
        "planned": spec.users if spec else None,
        "running": master.runner.user_count,
        "in_flight": sum(counts) if counts else None,
    }


def _spend(run: RunRecorder) -> Document:
    budget, usd = run.inputs.scenario.budget_usd, run.spend.usd()
    if not math.isfinite(usd):
        return {"usd": None, "budget_usd": budget, "left_usd": None}
    return {"usd": usd, "budget_usd": budget, "left_usd": None if budget is None else max(0.0, budget - usd)}


def _workers(master: Master, under_way: RunUnderWay | None) -> list[Document]:
    runner, registry, found = master.runner, master.registry, []
    alive = set(registry.alive())
    for worker, entry in registry.members.items():
        client = runner.clients.get(worker) if isinstance(runner, MasterRunner) else None
        users = runner.user_count if isinstance(runner, LocalRunner) else client.user_count if client else 0
        lately = under_way.lately(worker) if under_way and worker in alive else {}
        found.append({
            "worker": worker,
            "host": entry.host,
            "users": users,
            "in_flight": int(lately["in_flight"]) if "in_flight" in lately else None,
            "cpu": lately.get("cpu"),
            "lag_ms": lately.get("lag_ms"),
            "heard_s_ago": registry.heard_s_ago(worker),
        })  # fmt: skip
    return found


def _ending(under_way: RunUnderWay) -> Document | None:
    if under_way.stopping:
        return {"now": True, "at_most_s": under_way.environment.stop_timeout}
    return {"after_stage": True} if under_way.sweep.ends_after_stage else None
