"""Where a run's records are kept: in its folder, and where that fails elsewhere, so that none is lost without a word.

A disk that takes no more: what it does not take goes to spools in a temporary folder, which `--resume` and `merge` add
again. A folder or a file that somebody removed, replaced or moved: all that can still be given is put where it was, else
beside it, else into a temporary folder, as a run folder that can be read and gone on with.
"""

import collections
import collections.abc
import contextlib
import os
import pathlib
import shutil

import gevent
import gevent.lock

from locustfiles.common.recording.delivery import Account
from locustfiles.common.recording.locust_csv_writer import LocustCsv
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Kept, Manifest
from locustfiles.contract.merging import run_ids
from locustfiles.contract.requests_file import STAGE, Displaced, RequestsFile, path_of
from locustfiles.contract.run_folder import FolderUsed, NotARun, RunFolder
from locustfiles.contract.spool import Spool, hold, keep_somewhere, places, working_folder

ENDING = "-kept"  # of the spools' names: a worker may keep its own in the same folder


def _fsync(fd: int) -> None:
    """In a thread: the loop goes on meanwhile. Raises OSError here and not there, where gevent would print it."""
    if failed := gevent.get_hub().threadpool.apply(_fsynced, (fd,)):
        raise failed


def _fsynced(fd: int) -> OSError | None:
    try:
        os.fsync(fd)
    except OSError as e:
        return e
    return None


class Safekeeping:
    """The folder of one part, open and locked. `held` is its lock."""

    def __init__(self, folder: RunFolder, run_id: str, held: int, append: bool) -> None:
        self.folder, self.run_id, self._held = folder, run_id, held
        self.requests = RequestsFile(folder.requests, append=append)
        self.kept: list[Kept] = []
        self.doubted: set[int] = set()  # stages that are whole but for what could not be written
        self._syncing = gevent.lock.RLock()
        self._spooled: dict[str, tuple[int, int | None]] = {}  # worker -> what its spool has

    def flush(self) -> None:
        """Raises OSError, as does `sync`."""
        self.requests.flush()
        if self.requests.holds_much:
            self.sync()

    def sync(self) -> None:
        with self._syncing:
            self.requests.sync(_fsync)

    # a disk that takes no more
    def unwritten(self) -> dict[int, int]:
        """stage -> how many of its records are not in requests.csv."""
        counts: collections.Counter[int] = collections.Counter()
        for rows in self.requests.pending().values():
            counts.update(int(row[STAGE]) for row in rows)
        return counts

    def keep(self, accounts: collections.abc.Mapping[str, Account]) -> None:
        """Write what requests.csv does not have to spools, or remove them when it has everything. Raises OSError where nothing
        takes them."""
        pending = self.requests.pending()
        for worker, rows in pending.items():
            account = accounts.get(worker) or Account(len(rows))
            now = (account.received, account.produced)
            if self._spooled.get(worker) == now:
                continue
            first = account.received - len(rows)
            spool = Spool(self.run_id, worker, first, account.produced, rows, ending=ENDING)
            file = keep_somewhere(spool, [*places(), *working_folder()])
            self._spooled[worker] = now
            self.kept = [k for k in self.kept if k.worker != worker] + [Kept(worker, account.received, str(file))]
        for done in [k for k in self.kept if k.worker not in pending]:
            pathlib.Path(done.file).unlink(missing_ok=True)
            self.kept.remove(done)
            del self._spooled[done.worker]

    # a folder that is not there any more
    def settle(self, why: Displaced) -> str:
        """Go on in a folder that holds all that can still be given; what there is to say."""
        was, failed, happened = (
            self.folder.requests,
            "",
            f"{self.folder.requests} {why.strerror} while the run wrote to it",
        )
        for home in self._homes():
            try:
                cut = self._move_in(RunFolder(home))
            except (OSError, BadInput) as e:
                failed = failed or str(getattr(e, "strerror", e))
                continue
            there = "is there again" if home == was.parent else f"is in {home}"
            gone = f", but for {cut:,} bytes that were cut off" if cut else ""
            return f"{happened}: the run stops, all that it had {there}{gone}"
        return f"{happened}, and nothing else takes its records ({failed}): the run stops, they are lost"

    def _homes(self) -> collections.abc.Iterator[pathlib.Path]:
        """Folders to go on in, the best first."""
        moved = path_of(self._held)
        if moved and (file := self.requests.whereabouts()) and file.parent == moved:
            yield moved
        path = self.folder.path
        yield path
        yield path.with_name(f"{path.name}-kept-{self.run_id[:8]}")
        for place in places():
            yield place / f"swarmledger-run-{self.run_id}"

    def _move_in(self, folder: RunFolder) -> int:
        """How many bytes cannot be given any more. Raises OSError, or BadInput where another run lives there."""
        folder.make()
        ours = os.path.samestat(os.fstat(self._held), folder.path.stat())
        held = self._held if ours else hold(folder.path)
        try:
            runs = _runs_of(folder) if folder.manifest.exists() else []
            if self.run_id not in runs and (runs or (folder.manifest.exists() and not ours)):
                raise FolderUsed(f"{folder.path}: holds another run")
            if folder.requests.exists() and not self.requests.is_at(folder.requests):
                folder.requests.rename(_free_name(folder.requests))
            cut = self.requests.settle(folder.requests)
        except (OSError, BadInput):
            if held != self._held:
                os.close(held)
            raise
        if held != self._held:
            os.close(self._held)
        self.folder, self._held = folder, held
        return cut

    def close(self) -> None:
        """Raises nothing: what was not synced is kept."""
        self.requests.let_go()
        os.close(self._held)


def bring_back(csv: LocustCsv, folder: RunFolder) -> None:
    """Locust's own files into a folder that lacks them, where the system lets one read what was removed. Raises OSError."""
    csv.totals()
    for handle in (
        csv.requests_csv_filehandle,
        csv.stats_history_csv_filehandle,
        csv.failures_csv_filehandle,
        csv.exceptions_csv_filehandle,
    ):
        file = folder.path / pathlib.Path(handle.name).name
        if not file.exists():
            handle.flush()
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"/proc/self/fd/{handle.fileno()}", file)


def _runs_of(folder: RunFolder) -> list[str]:
    try:
        manifest: Manifest = folder.read_manifest()
    except NotARun:
        return []
    return run_ids(manifest)


def _free_name(path: pathlib.Path) -> pathlib.Path:
    """For a file that is in the way of ours and not ours."""
    number = 1
    while (free := path.with_name(f"{path.stem}.not-of-this-run-{number}{path.suffix}")).exists():
        number += 1
    return free
