"""How the load stands, as far as a run's folder tells: for who watches it from elsewhere. The rest is not known."""

from analysis.live.round import Document
from analysis.live.run_now import RunNow
from locustfiles.contract.run_folder import RunFolder


def load_of(now: RunNow | None, folder: RunFolder, figures: Document) -> Document:
    """`load` of the live document; {} before there is a run."""
    if now is None or figures["run"] is None:
        return {}
    manifest, so_far = now.manifest, figures["stage"]
    part = manifest.parts[-1] if manifest.parts else None
    started_at = part.started_at if part else manifest.started_at
    run = {
        "name": folder.path.name,
        "folder": str(folder.path),
        "id": figures["run"],
        "status": manifest.status,
        "started_at": started_at,
        "ended_at": manifest.ended_at,
        "elapsed_s": (manifest.ended_at or figures["at"]) - started_at,
        "stages_done": len(figures["stages"]),
    }
    visit = next((v for v in manifest.stages if so_far and v.stage == so_far["stage"]), None)
    parts = [v for v in manifest.stages if visit and v.stage in (visit.mix or [visit.stage])]
    stage = visit and {
        "stage": visit.stage,
        "place": len(manifest.stages) - len(parts) + 1,
        "target": " + ".join(dict.fromkeys(v.target for v in parts)),
        "payload": " + ".join(dict.fromkeys(v.payload for v in parts)),
        "users": visit.users,
        "rate": visit.rate,
        "repeat": visit.repeat,
        "phase": "settle" if so_far["measured_s"] is None else "measure",
    }
    return {
        "at": figures["at"],
        "state": "ended" if figures["ended"] else "running",
        "scenario": {"file": manifest.scenario_file, "name": manifest.name},
        "run": run,
        "stage": stage,
        "users": {"planned": visit.users if visit else None},
    }
