"""Records that a worker could not hand in: a file in its working folder, until the master is back or for `python -m analysis merge`.
So are those that the process that writes the run cannot write to requests.csv, in a temporary folder.

run,<run id>
worker,<id>
first,<number of the first row; the master had every one below>
produced,<records of this worker in all; empty: it was still sending>
<the header of requests.csv>
<rows>
"""

import contextlib
import csv
import dataclasses
import errno
import fcntl
import io
import logging
import os
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.record import FIELDS, KINDS, whole_lines

FACTS = ("run", "worker", "first", "produced")
log = logging.getLogger("swarmledger")


class NotASpool(BadInput):
    """A file that holds no worker's records; the text says what is wrong with it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spool:
    """A worker's records of one run that its master has not acknowledged."""

    run_id: str
    worker: str
    first: int
    produced: int | None
    rows: typing.Sequence[typing.Sequence[str]]
    skipped: int = 0  # a torn last line and all that follows a damaged one
    ending: str = ""  # of its name

    @property
    def name(self) -> str:
        return f"swarmledger-spool-{self.run_id}-{self.worker}{self.ending}.csv"

    @property
    def known(self) -> int:
        """How many of the worker's records are known with these: all below the first, and these."""
        return self.first + len(self.rows)


def missing(worker: str, received: int, produced: int | None) -> str | None:
    """What a run's manifest says of a worker whose records are not all there; None where they are."""
    if produced is None:
        return f"worker {worker} never handed in its last records (killed or cut off): some are lost"
    if received < produced:
        return f"{produced - received} records of worker {worker} were lost on the way to the master"
    return None


def missing_remedy(run_id: str, worker: str, run_folder: pathlib.Path, of_stages: bool) -> str:
    """What follows `missing`. of_stages: records of a stage may be among them."""
    file = f"swarmledger-spool-{run_id}-{worker}.csv"
    again = "; --resume measures their stages again" if of_stages else "; every stage has all of its own"
    return f"; if it has left {file}: python -m analysis merge {run_folder} {file}{again}"


def places() -> list[pathlib.Path]:
    """Folders where a file may be kept that its own place does not take: the temporary ones, the home, and memory."""
    named = [
        *(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")),
        "/tmp",
        "/var/tmp",
        os.environ.get("HOME"),
        "/dev/shm",
    ]
    return list(dict.fromkeys(pathlib.Path(folder) for folder in named if folder))


def working_folder() -> list[pathlib.Path]:
    """None where it has been removed."""
    try:
        return [pathlib.Path.cwd()]
    except OSError:
        return []


def keep_somewhere(spool: Spool, folders: typing.Iterable[pathlib.Path]) -> pathlib.Path:
    """Write it to the first of them that takes it. Raises the first one's OSError where none does."""
    failed: OSError | None = None
    for folder in folders:
        try:
            return write_spool(folder, spool)
        except OSError as e:
            failed = failed or e
    raise failed or FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def write_spool(folder: pathlib.Path, spool: Spool) -> pathlib.Path:
    """Write or replace the file, in one step. Raises OSError (a full disk), leaving what was there."""
    path = folder / spool.name
    draft = path.with_suffix(".tmp")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    produced = "" if spool.produced is None else spool.produced
    writer.writerows(zip(FACTS, (spool.run_id, spool.worker, spool.first, produced), strict=True))
    writer.writerow(FIELDS)
    writer.writerows(whole_lines(row) for row in spool.rows)
    try:
        with open(draft, "w", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    return path


def read_spool(path: str | os.PathLike[str]) -> Spool:
    """Raises NotASpool. A damaged line ends it: rows after it could not be numbered."""
    try:
        text = pathlib.Path(path).read_bytes()
    except OSError as e:
        raise NotASpool(
            f"{path}: cannot be read ({e.strerror}); give the swarmledger-spool-*.csv that a worker left"
        ) from None
    whole = text[: text.rfind(b"\n") + 1].decode("utf-8", errors="replace").split("\n")[:-1]
    lines = [next(csv.reader([line]), []) for line in whole]
    head, header, rows = lines[: len(FACTS)], lines[len(FACTS) : len(FACTS) + 1], lines[len(FACTS) + 1 :]
    facts = {line[0]: line[1] for line in head if len(line) == 2}
    if tuple(facts) != FACTS or not facts["first"].isdigit() or not (facts["produced"] or "0").isdigit():
        raise NotASpool(f"{path}: no spool; give the swarmledger-spool-*.csv that a worker left")
    if header != [list(FIELDS)]:
        raise NotASpool(f"{path}: its header is not that of this version; merge it with the version that wrote it")
    good = next((n for n, row in enumerate(rows) if not _is_row(row, facts["worker"])), len(rows))
    skipped = len(rows) - good + int(not text.endswith(b"\n"))
    produced = int(facts["produced"]) if facts["produced"] else None
    return Spool(facts["run"], facts["worker"], int(facts["first"]), produced, rows[:good], skipped)


def _is_row(row: list[str], worker: str) -> bool:
    try:
        values = {name: KINDS[name](cell) for name, cell in zip(FIELDS, row, strict=True) if cell}
    except ValueError:
        return False
    return values.get("worker") == worker and {"stage", "call", "attempt"} <= values.keys()


def hold(folder: pathlib.Path) -> int:
    """Keep other masters and merges from writing to this run folder, until the descriptor that it returns is closed or the
    process is gone. Raises BadInput where another one holds it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise BadInput(f"{folder}: being written by a run that still goes on; wait until it has ended") from None
    except OSError:
        pass  # a file system without locks
    return held


class SpoolFile:
    """A worker's spool of one run: written when it may be needed, removed when it is not."""

    def __init__(self, run_folder: str) -> None:
        """run_folder: what the master writes to, for the line that tells the command."""
        self._run_folder = run_folder
        self._path: pathlib.Path | None = None  # the latest
        self._paths: set[pathlib.Path] = set()
        self._holds: tuple[int, int, int | None] | None = None
        self._full = False

    def keep(self, spool: Spool) -> None:
        """Never raises: a worker that cannot spool goes on."""
        holds = (spool.first, len(spool.rows), spool.produced)
        if holds == self._holds:
            return
        try:
            path = keep_somewhere(spool, [*working_folder(), *places()])
        except OSError as e:
            if not self._full:
                log.error(
                    "%d records cannot be kept in %s (%s), nor elsewhere: they are lost unless the master comes back",
                    *(len(spool.rows), *(working_folder() or places())[:1], e.strerror),
                )
            self._full = True
            return
        if path != self._path:
            log.warning(
                "The master has not acknowledged %s; unless it comes back, add them: python -m analysis merge %s %s",
                *(f"{len(spool.rows)} records" if spool.rows else "the number of the records", self._run_folder, path),
            )
        self._path, self._holds = path, holds
        self._paths.add(path)

    def remove(self) -> None:
        """The master has them all."""
        if self._path is None:
            return
        for path in self._paths:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        self._paths.clear()
        log.info("The master has acknowledged every record; %s is removed", self._path.name)
        self._path = self._holds = None
