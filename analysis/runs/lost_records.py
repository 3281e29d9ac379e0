"""Whether all records of a run are there: what its manifest counts against requests.csv, and what never arrived."""

import collections
import collections.abc

import pandas as pd

from locustfiles.contract.manifest import Manifest, Problem, WorkerEntry
from locustfiles.contract.row_counts import NO_STAGE, rows_gone


def rows_gone_from(manifest: Manifest, records: pd.DataFrame, damaged: int) -> list[Problem]:
    """Rows that the manifest counts and requests.csv has no more, and those that the run did not write."""
    rows = records["stage"].value_counts()
    by_stage = dict(zip(rows.index.tolist(), rows.tolist(), strict=True))
    return rows_gone(manifest, by_stage | {NO_STAGE: damaged})


def lost_in_file(manifest: Manifest, rows: collections.abc.Mapping[str, int]) -> list[str]:
    """Of manifests that do not count the rows of their parts. A worker that served several parts has several entries. rows: of
    each worker, in requests.csv."""
    if all(part.rows is not None for part in manifest.parts) and manifest.parts:
        return []
    received: collections.Counter[str] = collections.Counter()
    for worker in manifest.workers:
        received[worker.id] += worker.received
    short = [(worker, n - int(rows.get(worker, 0))) for worker, n in received.items()]
    return [
        f"{n} records of worker {worker} were received but are not in requests.csv." for worker, n in short if n > 0
    ]


def lost_at_workers(manifest: Manifest) -> list[str]:
    lost, kept = [], {(part.run_id, k.worker) for part in manifest.parts for k in part.kept}
    for worker in manifest.workers:
        if (worker.run_id, worker.id) in kept:  # a problem of the run says where they are
            continue
        if worker.lost:
            lost.append(f"{worker.lost} records of worker {worker.id} on {worker.host} were lost{_merge(worker)}.")
        elif worker.produced is None and manifest.status != "running":
            lost.append(
                f"worker {worker.id} on {worker.host} never handed in its last count (it was killed or cut off){_merge(worker)}."
            )
        elif worker.produced is not None and worker.received < worker.produced:
            missing = worker.produced - worker.received
            lost.append(f"{missing} records of worker {worker.id} on {worker.host} never arrived{_merge(worker)}.")
    return lost


def _merge(worker: WorkerEntry) -> str:
    """The remedy, of a worker that may have kept them."""
    if not worker.run_id or worker.id == "local":
        return ""
    file = f"swarmledger-spool-{worker.run_id}-{worker.id}.csv"
    return f"; if it has left {file} in its working folder, add that with `python -m analysis merge`"
