"""How the workers kept up: CPU and event-loop lag of each in every stage's measured window."""

import typing

from locustfiles.contract.manifest import Manifest


class WorkerInStage(typing.NamedTuple):
    """One worker in one stage's window; `cpu` is the share of one core."""

    run: str
    stage: int
    target: str
    payload: str
    users: int | None
    rate: float | None
    worker: str
    host: str | None
    cpu: float
    lag_ms: float


def workers_in_stages(runs: dict[str, Manifest]) -> list[WorkerInStage]:
    """Every worker of every stage."""
    found = []
    for name, manifest in runs.items():
        hosts = {w.id: w.host for w in manifest.workers}
        for s in manifest.stages:
            rate = s.rate if s.users is None else None
            found += [
                WorkerInStage(
                    name, s.stage, s.target, s.payload, s.users, rate, w.worker, hosts.get(w.worker), w.cpu, w.lag_ms
                )
                for w in s.workers
            ]
    return found
