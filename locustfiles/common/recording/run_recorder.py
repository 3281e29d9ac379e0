"""The life of one run on the master (or in the only process): its folder from first row to last."""

import collections
import logging
import os
import pathlib
import typing

import locust.env

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.arrived import Arrived
from locustfiles.common.recording.begun_manifest import begun_manifest
from locustfiles.common.recording.bookkeeping import add_problem, book, cut_short, kept_elsewhere, lacking, unfinished
from locustfiles.common.recording.delivery import Inbox
from locustfiles.common.recording.ending import exit_code
from locustfiles.common.recording.locust_csv_writer import LocustCsv
from locustfiles.common.recording.resume import pick_up, resumed, sound
from locustfiles.common.recording.safekeeping import Safekeeping, bring_back
from locustfiles.common.recording.spend import Spend
from locustfiles.common.recording.stage_tally import Tally
from locustfiles.common.recording.take_up import forget_manifest, keep_manifest
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import FAILED_INSIDE, LeftOut, Problem, StageWindow, WorkerEntry
from locustfiles.contract.requests_file import Displaced, RequestsFile
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.spool import hold

log = logging.getLogger("swarmledger")


class DiskFailed(OSError):
    """The run folder cannot be written."""


class RunRecorder:
    """One run folder being written. Raises FolderUsed, NotARun or BadInput when it cannot be made or resumed."""

    def __init__(
        self,
        environment: locust.env.Environment,
        inputs: Inputs,
        path: pathlib.Path,
        clock: Clock,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        self.environment, self.inputs, self.clock = environment, inputs, clock
        self.folder = RunFolder(path)
        self.manifest = begun_manifest(inputs, self.clock.now())
        if resume:
            self.folder.read_manifest()
        else:
            self.folder.make()
        held = hold(path)
        try:
            self._begin(held, overwrite, resume)
        except (BadInput, OSError):
            os.close(held)
            raise

    def _begin(self, held: int, overwrite: bool, resume: bool) -> None:
        gone: list[Problem] = []
        if resume:
            old, gone = pick_up(self.folder, self.inputs)
            self.manifest = resumed(old, self.manifest)
        else:
            self.folder.create(overwrite)
        self.files = Safekeeping(self.folder, self.run_id, held, append=resume)
        self.csv = LocustCsv(self.environment, self.folder.locust_prefix(len(self.manifest.parts)))
        self.inbox = Inbox(self.run_id, self._take)
        self.tallies: dict[int, Tally] = {}
        self.spend = Spend(self.inputs, self.clock)
        self.members: dict[str, WorkerEntry] = {}
        self._earlier = list(self.manifest.workers)  # those of the parts before
        self._records: collections.Counter[int] = collections.Counter()  # of each stage, in this part
        self.untrusted = False  # this part has had a problem
        self.failure: str | None = None  # why it ended with exit code 1
        self.over_budget = self.closed = False
        self.broken_off = False  # its folder could not be written
        self.failed = 0
        self.broken: set[int] = set()  # stages with requests of class internal
        for problem in gone:  # the stages that it concerns are measured again
            self.problem("".join(f"stage {n}: " for n in problem.stages or ()) + problem.text, [])
        self.save()

    @property
    def run_id(self) -> str:
        """Of this part."""
        return self.manifest.parts[-1].run_id

    @property
    def requests(self) -> RequestsFile:
        return self.files.requests

    def save(self) -> None:
        """With what is known of the workers by now: a killed master leaves their clock offsets, and what it has written."""
        book(self.manifest, self.members, self.inbox.accounts, self.files, self._records)
        self.manifest.workers = [*self._earlier, *self.members.values()]
        self.folder.write_manifest(self.manifest)

    def _take(self, lines: bytes, records: typing.Sequence[Arrived]) -> None:
        self.requests.add_lines(lines, len(records))
        self._records.update(record.stage for record in records)
        for record in records:
            if record.error:
                self.failed += record.error != ErrorClass.CANCELLED
                if record.error == ErrorClass.INTERNAL:
                    self.broken.add(record.stage)
            if tally := self.tallies.get(record.stage):
                tally.take(record)
            self.spend.take(record)

    def tick(self) -> None:
        """Once a second: what has arrived goes to the disk, and what it does not take elsewhere."""
        try:
            self.files.flush()
            self.csv.history()
            if self.files.kept:  # there is room again
                self._keep()
            if not self.folder.manifest.exists():
                self.save()
        except OSError as e:
            self.disk_failed(e)

    def stage_begins(self, window: StageWindow) -> None:
        """Raises DiskFailed."""
        self.manifest.stages.append(window)
        self._write(self.files.flush, self.save)

    def stage_ends(self) -> None:
        """Records first: once the manifest says that all of it is here, this process may be killed. Raises DiskFailed."""
        self._write(self.files.sync, self.csv.totals, self.save)

    def _write(self, *writes: typing.Callable[[], None]) -> None:
        try:
            for write in writes:
                write()
        except OSError as e:
            raise DiskFailed(e.errno, e.strerror) from e

    def disk_failed(self, e: OSError) -> None:
        """Say it once, and keep what is here."""
        why = e.__cause__ if isinstance(e.__cause__, Displaced) else e
        if isinstance(why, Displaced):
            said = self.files.settle(why)
            self.folder = self.files.folder
            self.problem(said, self.unfinished())
        elif not self.broken_off:
            then = f"{'' if self.closed else 'the run stops, '}what it holds is kept; see to the disk, then --resume"
            cut = [stage.stage for stage in cut_short(self.manifest)]
            self.problem(f"{self.folder.path} cannot be written: {e.strerror}; {then}", cut)
        self.broken_off = True
        self._keep()

    def _keep(self) -> None:
        """What requests.csv does not have goes elsewhere, and the manifest says where."""
        known = [p for p in self.manifest.problems if p.kept_of == self.run_id]
        self.manifest.problems = [p for p in self.manifest.problems if p not in known]
        try:
            self.files.keep(self.inbox.accounts)
        except OSError as e:
            count = sum(self.files.unwritten().values())
            self.problem(f"{count} records can be kept nowhere ({e.strerror}): they are lost", self.unfinished())
        book(self.manifest, self.members, self.inbox.accounts, self.files, self._records)
        if now := kept_elsewhere(self.manifest, self.files):
            self.manifest.problems.append(now)
            self.untrusted = True
            if now not in known:
                log.error(now.text)
        try:
            self.save()
        except OSError as e:
            keep_manifest(self.folder, self.manifest, e)

    def problem(self, sentence: str, stages: list[int] | None = None) -> None:
        """Something that makes these stages, or all of the run, untrustworthy: kept in the manifest, exit code 2. What is
        known already is not said again; further stages are added to it."""
        self.untrusted = True
        if add_problem(self.manifest, sentence, stages):
            log.error(sentence)

    def is_sound(self, stage: StageWindow) -> bool:
        """Whether all of it is here and nothing that is known by now speaks against it."""
        return stage in sound(self.manifest) and stage.stage not in self.broken

    def unfinished(self) -> list[int]:
        """Stages of which records may still be missing."""
        return unfinished(self.manifest)

    def fail(self, sentence: str) -> None:
        """The user's input stops the run: exit code 1."""
        self.failure = sentence
        log.error(sentence)

    def leave_out(self, one: LeftOut) -> None:
        """A target, or one of its payloads, is not measured; the others are: exit code 1 at the end."""
        self.manifest.left_out.append(one)
        log.error("%s is left out: %s", one.what, one.why)

    def _settle_accounts(self) -> None:
        for worker, account in self.inbox.accounts.items():
            entry = self.members[worker]
            entry.produced = account.produced
            entry.lost = None if account.produced is None else max(0, account.produced - entry.received)
        for problem in lacking(self.manifest, self.inbox.accounts, self.files):
            self.problem(problem.text, problem.stages)
        if self.broken:
            self.problem(FAILED_INSIDE, sorted(self.broken))

    def close(self, status: str) -> None:
        """Write everything that is still held, once."""
        if self.closed:
            return
        self.closed = True
        self.spend.load_ends()
        for _ in range(2):  # a file that is gone is settled first
            try:
                self.files.sync()
                break
            except OSError as e:
                self.disk_failed(e)
        manifest, part = self.manifest, self.manifest.parts[-1]
        manifest.status = part.status = "failed" if self.failure else status
        manifest.ended_at = part.ended_at = self.clock.now()
        self._keep()
        self._settle_accounts()
        try:
            if self.broken_off:
                bring_back(self.csv, self.folder)
            self.csv.close()
        except OSError as e:
            self.problem(f"Locust's own CSV files are not whole ({e.strerror}): use requests.csv", [])
        self._save_at_last()
        self.files.close()
        log.info("Run folder: %s (%d requests)", self.folder.path, part.rows)

    def _save_at_last(self) -> None:
        try:
            self.save()
            if self.broken_off:
                forget_manifest(self.run_id)
        except OSError as e:
            self.untrusted = True
            log.error(keep_manifest(self.folder, self.manifest, e))

    def exit_code(self) -> int:
        return exit_code(self.failure, self.untrusted, self.over_budget, self.manifest)
