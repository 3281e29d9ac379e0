"""How the workers kept up: CPU and event-loop lag of each in every stage's measured window."""

import typing

import pandas as pd

from locustfiles.contract.manifest import Manifest, StageWindow

COLUMNS = ["run", "stage", "target", "payload", "users", "rate", "worker", "host", "cpu", "lag_ms"]


def worker_columns(visit: StageWindow) -> dict[str, float | None]:
    """The worst of a stage's workers; None where none handed in its load."""
    return {
        "worker_cpu_max": max((w.cpu for w in visit.workers), default=None),
        "worker_lag_ms_max": max((w.lag_ms for w in visit.workers), default=None),
    }


def workers_table(runs: dict[str, Manifest]) -> pd.DataFrame:
    """A row a stage and worker; `cpu` is the share of one core."""
    rows: list[list[typing.Any]] = []
    for name, manifest in runs.items():
        hosts = {w.id: w.host for w in manifest.workers}
        for s in manifest.stages:
            who = [name, s.stage, s.target, s.payload, s.users, s.rate if s.users is None else None]
            rows += [[*who, w.worker, hosts.get(w.worker), w.cpu, w.lag_ms] for w in s.workers]
    return pd.DataFrame(rows, columns=COLUMNS)
