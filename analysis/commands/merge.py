"""`python -m analysis merge`: adds the records that workers kept when they had lost their master."""

import argparse
import collections
import csv
import dataclasses
import os

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.manifest import Manifest, Problem, StageWindow, WorkerEntry
from locustfiles.contract.record import FIELDS
from locustfiles.contract.run_folder import RequestsFile, RunFolder
from locustfiles.contract.spool import Spool, hold, missing, read_spool

EXAMPLE = """examples:
  python -m analysis merge runs/study swarmledger-spool-4c1f-host_9a.csv
  python -m analysis merge runs/study swarmledger-spool-*.csv

A worker that cannot hand in its records writes them to swarmledger-spool-<run id>-<worker>.csv in its working folder.
A record that the run has already is not added again; then make the report anew.

exit code: 0 fine, 1 bad input."""
KEY = tuple(FIELDS.index(name) for name in ("worker", "call", "attempt"))
STAGE = FIELDS.index("stage")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `merge`."""
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run that the records belong to")
    parser.add_argument("files", nargs="+", metavar="FILE", help="what its workers left: swarmledger-spool-*.csv")


def run(args: argparse.Namespace) -> int:
    """Merge every file and say what each added. Raises BadInput, before anything is written, if one does not fit."""
    folder = RunFolder(args.run_folder)
    spools = {path: read_spool(path) for path in args.files}
    runs = _run_ids(folder.read_manifest())
    for path, spool in spools.items():
        if spool.run_id not in runs:
            raise BadInput(
                f"{path}: holds records of run {spool.run_id}, not of {folder.path} ({', '.join(runs)}); name its own run folder"
            )
    held = hold(folder.path)
    try:
        for path, spool in spools.items():
            print(merge(folder, spool).text(path))
    except OSError as e:
        raise BadInput(f"{folder.path}: cannot be written ({e.strerror}); mend that and merge again") from None
    finally:
        os.close(held)
    return OK


def _run_ids(manifest: Manifest) -> list[str]:
    return list(dict.fromkeys([manifest.run_id, *(part.run_id for part in manifest.parts)]))


@dataclasses.dataclass(frozen=True, slots=True)
class Merged:
    """What became of one spool."""

    spool: Spool
    added: int
    entry: WorkerEntry
    changed: bool

    def text(self, path: str) -> str:
        here = len(self.spool.rows) - self.added
        torn = f"; {self.spool.skipped} torn or damaged lines were skipped" if self.spool.skipped else ""
        if not self.changed:
            return f"{path}: nothing to add: all {here} records are in the run already{torn}"
        known = "an unknown number" if self.entry.produced is None else self.entry.produced
        return (
            f"{path}: {self.added} records of worker {self.entry.id} added, {here} were in the run already{torn}; "
            f"the run has {self.entry.received} of its {known}"
        )


def merge(folder: RunFolder, spool: Spool) -> Merged:
    """Add one spool to a run that it belongs to. Raises NotARun or OSError."""
    manifest = folder.read_manifest()
    before = dataclasses.asdict(manifest)
    began, known = _rows(folder, spool.worker)
    new = {key: row for row in spool.rows if (key := tuple(row[i] for i in KEY)) not in known}
    if new:
        file = RequestsFile(folder.requests, append=True)
        try:
            for row in new.values():
                file.add_row(row)
                began[int(row[STAGE])].add(spool.worker)
        finally:
            file.close()
    entry = _entry(manifest, spool)
    _account(manifest, entry, spool, began)
    changed = bool(new) or dataclasses.asdict(manifest) != before
    if changed:
        folder.write_manifest(manifest)
    return Merged(spool, len(new), entry, changed)


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
    """The worker's entry; of one that served several parts of the run, the first but for the last part."""
    found = [w for w in manifest.workers if w.id == spool.worker]
    if not found:
        found = [WorkerEntry(spool.worker, "", None, None, 0, None)]
        manifest.workers += found
    return found[-1] if spool.run_id == _run_ids(manifest)[-1] else found[0]


def _account(manifest: Manifest, entry: WorkerEntry, spool: Spool, began: dict[int, set[str]]) -> None:
    """Bring a worker's counts, the run's problems and its stages up to date."""
    said = missing(entry.id, entry.received, entry.produced)
    entry.received = max(entry.received, spool.known)
    if spool.produced is not None:
        entry.produced = max(entry.produced or 0, spool.produced)
        entry.lost = max(0, entry.produced - entry.received)
    now = missing(entry.id, entry.received, entry.produced)
    if now == said:
        return
    for problem in [p for p in manifest.problems if p.text == said]:
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
            if stage.hold_until is not None and not any(stage.stage in (p.stages or ()) for p in manifest.problems):
                stage.whole = stage.whole or began[stage.stage] <= _at_end(stage)


def _at_end(stage: StageWindow) -> set[str]:
    return {w.worker for w in stage.workers}


def _left_before_end(manifest: Manifest, worker: str, began: dict[int, set[str]]) -> list[int]:
    """Stages that the worker began and did not see to their end: all its records may be here, the load was not as planned."""
    return [s.stage for s in manifest.stages if s.hold_until is not None and worker in began[s.stage] - _at_end(s)]
