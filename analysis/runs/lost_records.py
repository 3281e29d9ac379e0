"""Whether all records of a run are there: what its manifest counts against requests.csv, and what never arrived."""

import collections
import collections.abc
import math

import numpy as np
import pandas as pd

from analysis.runs.texts import codes_of, counted
from locustfiles.contract.manifest import Manifest, Problem, WorkerEntry
from locustfiles.contract.row_counts import NO_STAGE, rows_gone
from locustfiles.contract.spool import missing


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
        said = missing(worker.id, worker.received, worker.produced)
        told = said and any(problem.text.startswith(said) for problem in manifest.problems)
        if told or (worker.run_id, worker.id) in kept:  # a problem of the run says where they are
            continue
        if worker.lost:
            lost.append(f"{worker.lost} records of worker {worker.id} on {worker.host} were lost{_merge(worker)}.")
        elif worker.produced is None and manifest.status != "running":
            lost.append(
                f"worker {worker.id} on {worker.host} never handed in its last count (it was killed or cut off){_merge(worker)}."
            )
        elif worker.produced is not None and worker.received < worker.produced:
            short = worker.produced - worker.received
            lost.append(f"{short} records of worker {worker.id} on {worker.host} never arrived{_merge(worker)}.")
    return lost


def _merge(worker: WorkerEntry) -> str:
    """The remedy, of a worker that may have kept them."""
    if not worker.run_id or worker.id == "local":
        return ""
    file = f"swarmledger-spool-{worker.run_id}-{worker.id}.csv"
    return f"; if it has left {file} in its working folder, add that with `python -m analysis merge`"


def doubled_in(records: pd.DataFrame) -> list[str]:
    """A sentence where the same request stands more than once."""
    doubled = _doubled(codes_of(records["worker"])[0], records["call"].to_numpy(), records["attempt"].to_numpy())
    return (
        [f"{doubled} records stand more than once in requests.csv (same worker, call and attempt)."] if doubled else []
    )


def _doubled(worker: np.ndarray, call: np.ndarray, attempt: np.ndarray) -> int:
    """How many stand there that stood there before."""
    n = len(worker)
    sizes = [int(each.max()) + 1 for each in (worker, call, attempt)] if n else [0]
    room = math.prod(sizes)
    if room > 64 * n:  # calls that are not numbered one by one
        return int(pd.DataFrame({"worker": worker, "call": call, "attempt": attempt}).duplicated().sum())
    there = np.zeros(room, dtype=bool)
    there[(worker.astype(np.int64) * sizes[1] + call) * sizes[2] + attempt if n else []] = True
    return n - int(np.count_nonzero(there))


def rows_by_worker(records: pd.DataFrame) -> dict[str, int]:
    return {str(worker): int(n) for worker, n in counted(records["worker"]).items()}
