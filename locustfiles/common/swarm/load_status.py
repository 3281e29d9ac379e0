"""How the load stands, as the live page, the terminal and the metrics show it: worked out from what is in memory, twice a second."""

import typing

from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.stages.stage import Stage
from locustfiles.common.swarm.run_under_way import RunUnderWay

if typing.TYPE_CHECKING:
    from locustfiles.common.recording.run_recorder import RunRecorder
    from locustfiles.common.swarm.master import Master

Document = dict[str, typing.Any]


def load_status(master: "Master") -> Document:
    """The `load` of the live document (analysis/README.md, `watch`). Times are Unix seconds of the master's clock."""
    run, under_way = master.run, master.under_way
    told = master.told()
    return {
        "at": master.clock.now(),
        "state": _state(master, run, under_way),
        "scenario": {"file": master.options.scenario, "name": master.inputs.scenario.name},
        "run": run and _run(master, run, under_way),
        "stage": _stage(under_way),
        "users": _users(master, under_way),
        "spend": run and _spend(run),
        "workers": _workers(master, under_way),
        "asks": master.asks(),
        "told": {"refused": told.refused, "mind": told.mind},
        "ending": under_way and _ending(under_way),
    }


def _state(master: "Master", run: "RunRecorder | None", under_way: RunUnderWay | None) -> str:
    if under_way is None:
        return "idle" if run is None else "ended"
    if under_way.stopping:
        return "stopping"
    if master.asks():
        return "confirming"
    return "running" if under_way.sweep.stage else "checking"


def _run(master: "Master", run: "RunRecorder", under_way: RunUnderWay | None) -> Document:
    manifest, sweep = run.manifest, under_way.sweep if under_way else None
    searches = sweep is None or not sweep.planned
    planned_s = None if sweep is None or searches else sweep.planned_s
    return {
        "name": run.folder.path.name,
        "folder": str(run.folder.path),
        "id": run.run_id,
        "status": manifest.status,
        "started_at": manifest.parts[-1].started_at,
        "ended_at": manifest.ended_at,
        "elapsed_s": (manifest.ended_at or master.clock.now()) - manifest.parts[-1].started_at,
        "left_s": None if planned_s is None or sweep is None else max(0.0, planned_s - sweep.done_s()),
        "planned_s": planned_s,
        "stages_planned": None if sweep is None or searches else sweep.planned,
        "stages_done": sum(stage.hold_until is not None for stage in manifest.stages),
        "requests": run.requests.rows,
        "failed": run.failed,
        "exit_code": None if under_way else master.exit_code,
    }


def _stage(under_way: RunUnderWay | None) -> Document | None:
    stage = under_way and under_way.sweep.stage
    if not under_way or not stage:
        return None
    control, spec, window = under_way.sweep.control, stage.spec, stage.window
    phase = control.phase if control.spec else "drain"
    began = {"settle": window.started_at, "measure": window.measure_from, "hold": window.measure_until}.get(phase)
    progress, left_s = _progress(under_way, stage, phase)
    return {
        "stage": spec.stage,
        "place": len(under_way.run.manifest.stages),
        "target": spec.target,
        "payload": spec.payload,
        "users": spec.users,
        "rate": spec.rate,
        "repeat": spec.repeat,
        "phase": phase,
        "phase_began_at": began,
        "progress": progress,
        "left_s": left_s,
        "at_most_s": stage.at_most_s,
    }


def _progress(under_way: RunUnderWay, stage: Stage, phase: str) -> tuple[float | None, float | None]:
    """(share of the stage that is over, seconds that are left at most); what nobody can tell is None."""
    window, now, until = stage.window, under_way.run.clock.now(), stage.load.until
    settle_s = 0.0 if stage.trace else stage.load.settle_s
    in_all = settle_s + stage.at_most_s
    if phase in ("hold", "drain"):
        return 1.0, None if phase == "hold" else 0.0
    if phase == "settle":
        settled_s = min(settle_s, now - (window.settle_from or now))
        return settled_s / in_all, in_all - settled_s
    measured_s = now - (window.measure_from or now)
    share = min(1.0, measured_s / stage.at_most_s)
    if until and until.requests and until.relative_ci is None:
        share = max(share, min(1.0, stage.tally.requests / until.requests))
    return (settle_s + share * stage.at_most_s) / in_all, max(0.0, stage.at_most_s - measured_s)


def _users(master: "Master", under_way: RunUnderWay | None) -> Document:
    spec = under_way.sweep.control.spec if under_way else None
    counts = [lately["in_flight"] for lately in _lately(master, under_way).values() if "in_flight" in lately]
    return {
        "planned": spec.users if spec else None,
        "running": master.runner.user_count,
        "in_flight": int(sum(counts)) if counts else None,
    }


def _spend(run: "RunRecorder") -> Document:
    budget, usd = run.inputs.scenario.budget_usd, run.spend.usd()
    return {"usd": usd, "budget_usd": budget, "left_usd": None if budget is None else max(0.0, budget - usd)}


def _lately(master: "Master", under_way: RunUnderWay | None) -> dict[str, dict[str, float]]:
    """Worker -> how its process does; of those that are silent nothing."""
    if master.worker_side:
        return {"local": master.worker_side.sender.probe.lately()}
    alive = set(master.registry.alive())
    return {worker: told for worker, told in (under_way.lately if under_way else {}).items() if worker in alive}


def _workers(master: "Master", under_way: RunUnderWay | None) -> list[Document]:
    runner, lately = master.runner, _lately(master, under_way)
    now, found = master.clock.now(), []
    for worker, entry in master.registry.members.items():
        client = runner.clients.get(worker) if isinstance(runner, MasterRunner) else None
        users = runner.user_count if isinstance(runner, LocalRunner) else client.user_count if client else 0
        own = lately.get(worker, {})
        in_flight = own.get("in_flight")
        found.append({
            "worker": worker,
            "host": entry.host,
            "users": users,
            "in_flight": None if in_flight is None else int(in_flight),
            "cpu": own.get("cpu"),
            "lag_ms": own.get("lag_ms"),
            "heard_s_ago": max(0.0, now - master.registry.heard_at(worker)),
        })  # fmt: skip
    return found


def _ending(under_way: RunUnderWay) -> Document | None:
    if under_way.stopping:
        return {"now": True, "at_most_s": under_way.environment.stop_timeout}
    return {"after_stage": True} if under_way.sweep.ends_after_stage else None
