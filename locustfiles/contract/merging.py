"""Adding to a run the records that were kept elsewhere: what a worker could not hand in, or a full disk did not take."""

import collections
import collections.abc
import csv
import dataclasses
import os
import typing

from locustfiles.contract.manifest import Manifest, Part, Problem, StageWindow, WorkerEntry
from locustfiles.contract.record import FIELDS
from locustfiles.contract.requests_file import STAGE, RequestsFile
from locustfiles.contract.row_counts import rows_by_stage
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.spool import Spool, missing

KEY = tuple(FIELDS.index(name) for name in ("worker", "call", "attempt"))


@dataclasses.dataclass(frozen=True, slots=True)
class Merged:
    """What became of one spool."""

    spool: Spool
    added: int
    entry: WorkerEntry
    changed: bool

    def text(self, path: str | os.PathLike[str]) -> str:
        here = len(self.spool.rows) - self.added
        torn = f"; {self.spool.skipped} torn or damaged lines were skipped" if self.spool.skipped else ""
        if not self.changed:
            return f"{path}: nothing to add: all {here} records are in the run already{torn}"
        known = "an unknown number" if self.entry.produced is None else f"its {self.entry.produced}"
        return (
            f"{path}: {self.added} records of worker {self.entry.id} added, {here} were in the run already{torn}; "
            f"the run has {self.entry.received} of {known}"
        )


def run_ids(manifest: Manifest) -> list[str]:
    """Of its parts."""
    return list(dict.fromkeys([manifest.run_id, *(part.run_id for part in manifest.parts)]))


def merge(folder: RunFolder, spool: Spool) -> Merged:
    """Add one spool to a run that it belongs to. Raises NotARun or OSError."""
    manifest = folder.read_manifest()
    before = dataclasses.asdict(manifest)
    began, known = _rows(folder, spool.worker)
    new = {key: row for row in spool.rows if (key := tuple(row[i] for i in KEY)) not in known}
    if new:
        _add(folder, list(new.values()))
    for row in new.values():
        began[int(row[STAGE])].add(spool.worker)
    entry = _entry(manifest, spool)
    _account(manifest, entry, spool, began)
    _count(manifest, spool, list(new.values()), rows_by_stage(folder.requests))
    changed = bool(new) or dataclasses.asdict(manifest) != before
    if changed:
        folder.write_manifest(manifest)
    return Merged(spool, len(new), entry, changed)


def _add(folder: RunFolder, rows: list[typing.Sequence[str]]) -> None:
    file = RequestsFile(folder.requests, append=True)
    try:
        file.add_rows(rows)
    finally:
        file.close()


def _rows(folder: RunFolder, worker: str) -> tuple[dict[int, set[str]], set[tuple[str, ...]]]:
    """(stage -> workers with records of it, keys of this worker's records) of requests.csv."""
    began, known = collections.defaultdict(set), set()
    text, _ = folder.requests_text()
    lines = iter(text.decode("utf-8", errors="replace").split("\n"))
    next(lines)
    for row in csv.reader(lines):
        if len(row) == len(FIELDS) and row[STAGE].isdigit():
            began[int(row[STAGE])].add(row[KEY[0]])
            if row[KEY[0]] == worker:
                known.add(tuple(row[i] for i in KEY))
    return began, known


def _entry(manifest: Manifest, spool: Spool) -> WorkerEntry:
    """The worker's entry in the spool's part; in manifests that do not say whose part it is, of several the first but for the
    last part."""
    found = [w for w in manifest.workers if w.id == spool.worker]
    if own := [w for w in found if w.run_id == spool.run_id]:
        return own[0]
    if not found or any(w.run_id for w in found):
        found = [WorkerEntry(spool.worker, "", None, None, 0, None, spool.run_id if _part(manifest, spool) else "")]
        manifest.workers += found
    return found[-1] if spool.run_id == run_ids(manifest)[-1] else found[0]


def _part(manifest: Manifest, spool: Spool) -> Part | None:
    return next((part for part in manifest.parts if part.run_id == spool.run_id), None)


def _account(manifest: Manifest, entry: WorkerEntry, spool: Spool, began: dict[int, set[str]]) -> None:
    """Bring a worker's counts, the run's problems and its stages up to date."""
    said = missing(entry.id, entry.received, entry.produced)
    entry.received = max(entry.received, spool.known)
    if spool.produced is not None:
        entry.produced = max(entry.produced or 0, spool.produced)
    if entry.produced is not None:
        entry.lost = max(0, entry.produced - entry.received)
    _kept(manifest, entry, spool)
    now = missing(entry.id, entry.received, entry.produced)
    if now == said:
        return
    for problem in [p for p in manifest.problems if said and p.text.startswith(said)]:
        manifest.problems.remove(problem)
        stages = problem.stages if now else _left_before_end(manifest, entry.id, began)
        if now or stages:
            text = (
                now
                or f"worker {entry.id} was gone before the stage's end (its records were added later): the load was not as planned"
            )
            manifest.problems.append(Problem(text, stages))
    if all(w.received == w.produced for w in manifest.workers):
        for stage in manifest.stages:
            stage.whole = stage.whole or (stage.hold_until is not None and began[stage.stage] <= _at_end(stage))


def _kept(manifest: Manifest, entry: WorkerEntry, spool: Spool) -> None:
    """What the part has kept elsewhere and is here now is not told of any more."""
    part = _part(manifest, spool)
    if part is None or not part.kept:
        return
    part.kept = [k for k in part.kept if k.worker != entry.id or k.upto > entry.received]
    if not part.kept:
        manifest.problems = [p for p in manifest.problems if p.kept_of != part.run_id]


def _count(
    manifest: Manifest,
    spool: Spool,
    new: list[typing.Sequence[str]],
    by_stage: collections.abc.Mapping[int, int],
) -> None:
    """Count the new rows, and those that a merge has added which was killed before it said so: as many more as the file has.
    by_stage: of the file, with them."""
    mine, added = (collections.Counter(int(row[STAGE]) for row in rows) for rows in (spool.rows, new))
    part = _part(manifest, spool)
    if part is None or part.ended_at is None:  # of a part that was killed more may be there than it could count
        mine = collections.Counter()
    for stage in (*manifest.stages, *manifest.abandoned):
        if stage.records is not None:
            more = by_stage.get(stage.stage, 0) - stage.records
            stage.records += max(added[stage.stage], min(more, mine[stage.stage]))
    if part is None or part.rows is None:
        return
    uncounted = sum(by_stage.values()) - sum(p.rows or 0 for p in manifest.parts)
    part.rows += max(len(new), min(uncounted, mine.total()))
    part.received = max(part.received or 0, part.rows)
    workers = [w for w in manifest.workers if w.run_id == part.run_id]
    produced = [w.produced for w in workers if w.produced is not None]
    part.produced = sum(produced) if len(produced) == len(workers) else None


def _at_end(stage: StageWindow) -> set[str]:
    return {w.worker for w in stage.workers}


def _left_before_end(manifest: Manifest, worker: str, began: dict[int, set[str]]) -> list[int]:
    """Stages that the worker began and did not see to their end: all its records may be here, the load was not as planned."""
    return [s.stage for s in manifest.stages if s.hold_until is not None and worker in began[s.stage] - _at_end(s)]
