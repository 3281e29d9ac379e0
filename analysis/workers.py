"""How the workers kept up: CPU and event-loop lag of each in every stage's measured window."""

import typing

import pandas as pd

from analysis import format as show
from analysis.level import level_text
from locustfiles.common.manifest import Manifest, StageWindow

COLUMNS = ["run", "stage", "target", "payload", "users", "rate", "worker", "host", "cpu", "lag_ms"]


def worker_columns(visit: StageWindow) -> dict[str, float | None]:
    """The worst of a stage's workers; None where none handed in its load."""
    return {
        "worker_cpu_max": max((w.cpu for w in visit.workers), default=None),
        "worker_lag_ms_max": max((w.lag_ms for w in visit.workers), default=None),
    }


def overloaded(visit: StageWindow, limit: float) -> str | None:
    """Why a stage's workers are short of CPU, with the remedy; None where they are not."""
    full = sorted((w for w in visit.workers if w.cpu > limit), key=lambda w: -w.cpu)
    if not full:
        return None
    named = ", ".join(f"{w.worker} ({show.percent(w.cpu)})" for w in full[:5]) + (", …" if len(full) > 5 else "")
    what = "worker used" if len(full) == 1 else "workers used"
    return f"{what} more than {show.percent(limit)} of a core in the window: {named}: add a worker"


def workers_table(runs: dict[str, Manifest]) -> pd.DataFrame:
    """A row a stage and worker; `cpu` is the share of one core."""
    rows: list[list[typing.Any]] = []
    for name, manifest in runs.items():
        hosts = {w.id: w.host for w in manifest.workers}
        for s in manifest.stages:
            who = [name, s.stage, s.target, s.payload, s.users, s.rate if s.users is None else None]
            rows += [[*who, w.worker, hosts.get(w.worker), w.cpu, w.lag_ms] for w in s.workers]
    return pd.DataFrame(rows, columns=COLUMNS)


def shown_workers(workers: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """The same as text cells."""
    shown = pd.DataFrame(
        {
            "Run": workers["run"],
            "Stage": workers["stage"].map(show.count),
            "Target": workers["target"],
            "Dataset": workers["payload"],
            "Level": [level_text(row) for _, row in workers.iterrows()],
            "Worker": workers["worker"],
            "Host": workers["host"],
            "CPU, of one core": workers["cpu"].map(show.percent),
            "Event-loop lag in the window, most": workers["lag_ms"].map(show.milliseconds),
        }
    )
    return shown if several_runs else shown.drop(columns="Run")
