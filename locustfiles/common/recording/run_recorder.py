"""The life of one run on the master (or in the only process): its folder from first row to last."""

import datetime
import logging
import os
import pathlib
import platform
import typing
import uuid

import locust.env

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.arrived import Arrived, Row
from locustfiles.common.recording.delivery import Inbox
from locustfiles.common.recording.locust_csv_writer import LocustCsv
from locustfiles.common.recording.resume import check_resumable, resumed, sound
from locustfiles.common.recording.spend import Spend
from locustfiles.common.recording.stage_tally import Tally
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK, STOPPED
from locustfiles.contract.manifest import LeftOut, Manifest, Part, Problem, StageWindow, WorkerEntry
from locustfiles.contract.run_folder import RequestsFile, RunFolder
from locustfiles.contract.spool import hold, missing
from locustfiles.contract.version import git_revision, versions

OWN_PRICES = "each target's own price"
log = logging.getLogger("swarmledger")


def default_path(inputs: Inputs) -> pathlib.Path:
    """runs/<UTC time>-<scenario>"""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return pathlib.Path("runs") / f"{stamp}-{inputs.scenario.name}"


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
        self.manifest = self._manifest()
        self._held = hold(path) if path.is_dir() else None
        try:
            self._begin(overwrite, resume)
        except (BadInput, OSError):
            self._let_go()
            raise

    def _begin(self, overwrite: bool, resume: bool) -> None:
        if resume:
            old = self.folder.read_manifest()
            check_resumable(old, self.inputs)
            self.manifest = resumed(old, self.manifest)
        else:
            self.folder.create(overwrite)
        if self._held is None:
            self._held = hold(self.folder.path)
        part = len(self.manifest.parts)
        self.requests = RequestsFile(self.folder.requests, append=resume)
        self.csv = LocustCsv(self.environment, self.folder.locust_prefix(part))
        self.inbox = Inbox(self.run_id, self._take)
        self.tallies: dict[int, Tally] = {}
        self.spend = Spend(self.inputs, self.clock)
        self.members: dict[str, WorkerEntry] = {}
        self._earlier = list(self.manifest.workers)  # those of the parts before
        self.untrusted = False  # this part has had a problem
        self.failure: str | None = None  # why it ended with exit code 1
        self.over_budget = False
        self.failed = 0
        self.broken: set[int] = set()  # stages with requests of class internal
        self.closed = False
        self.save()

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)

    def _manifest(self) -> Manifest:
        scenario, book = self.inputs.scenario, self.inputs.book
        run_id, now = uuid.uuid4().hex, self.clock.now()
        return Manifest(
            name=scenario.name,
            run_id=run_id,
            status="running",
            started_at=now,
            parts=[Part(run_id, now, None, "running")],
            ended_at=None,
            scenario_file=str(self.inputs.scenario_file),
            scenario=scenario.model_dump(mode="json"),
            seed=scenario.seed,
            versions=versions(),
            git_revision=git_revision(),
            host=platform.node(),
            price_book={
                "file": scenario.pricing,
                "region": book and book.region,
                "as_of": book and book.as_of.isoformat(),
                "source": book.source if book else OWN_PRICES,
            },
            prices=self.inputs.prices_as_json,
            payloads=self.inputs.payload_files,
            content=self.inputs.content,
            most_tokens={t.name: self.inputs.most_tokens(t) for t in scenario.targets},
        )

    @property
    def run_id(self) -> str:
        """Of this part."""
        return self.manifest.parts[-1].run_id

    def save(self) -> None:
        """With what is known of the workers by now: a killed master leaves their clock offsets."""
        for worker, account in self.inbox.accounts.items():
            self._entry(worker).received = account.received
        self.manifest.workers = [*self._earlier, *self.members.values()]
        self.folder.write_manifest(self.manifest)

    def _entry(self, worker: str) -> WorkerEntry:
        return self.members.setdefault(worker, WorkerEntry(worker, "", None, None, 0, None))

    def _take(self, rows: typing.Sequence[Row], records: typing.Sequence[Arrived]) -> None:
        self.requests.add_rows(rows)
        for record in records:
            if record.error:
                self.failed += record.error != ErrorClass.CANCELLED
                if record.error == ErrorClass.INTERNAL:
                    self.broken.add(record.stage)
            if tally := self.tallies.get(record.stage):
                tally.take(record)
            self.spend.take(record)

    def tick(self) -> None:
        """Once a second: what has arrived goes to the disk. Raises OSError when the disk is full."""
        self.requests.flush()
        self.csv.history()

    def stage_begins(self, window: StageWindow) -> None:
        """Raises DiskFailed."""
        self.manifest.stages.append(window)
        self._write(self.save)

    def stage_ends(self) -> None:
        """Records first: once the manifest says that all of it is here, this process may be killed. Raises DiskFailed."""
        self._write(self.requests.flush, self.csv.totals, self.save)

    def _write(self, *writes: typing.Callable[[], None]) -> None:
        try:
            for write in writes:
                write()
        except OSError as e:
            raise DiskFailed(e.errno, e.strerror) from e

    def disk_failed(self, e: OSError) -> None:
        self.problem(
            f"{self.folder.path} cannot be written: {e.strerror}; the run stops, what it holds is kept",
            self.unfinished(),
        )

    def problem(self, sentence: str, stages: list[int] | None = None) -> None:
        """Something that makes these stages, or all of the run, untrustworthy: kept in the manifest, exit code 2. What is
        known already is not said again; further stages are added to it."""
        self.untrusted = True
        known = next((p for p in self.manifest.problems if p.text == sentence), None)
        if known is None:
            self.manifest.problems.append(Problem(sentence, stages))
        elif known.stages is None or (stages is not None and set(stages) <= set(known.stages)):
            return
        else:
            known.stages = None if stages is None else sorted({*known.stages, *stages})
        log.error(sentence)

    def is_sound(self, stage: StageWindow) -> bool:
        """Whether all of it is here and nothing that is known by now speaks against it."""
        return stage in sound(self.manifest) and stage.stage not in self.broken

    def unfinished(self) -> list[int]:
        """Stages of which records may still be missing."""
        return [stage.stage for stage in self.manifest.stages if not stage.whole]

    def fail(self, sentence: str) -> None:
        """The user's input stops the run: exit code 1."""
        self.failure = sentence
        log.error(sentence)

    @property
    def complaint(self) -> str | None:
        """What the exit code 1 is for."""
        left = [f"{one.what} is left out: {one.text}; {one.remedy}" for one in self.manifest.left_out]
        return self.failure or (left[0] if left else None)

    def leave_out(self, one: LeftOut) -> None:
        """A target, or one of its payloads, is not measured; the others are: exit code 1 at the end."""
        self.manifest.left_out.append(one)
        log.error("%s is left out: %s; %s", one.what, one.text, one.remedy)

    def _settle_accounts(self) -> None:
        for worker, account in self.inbox.accounts.items():
            entry = self._entry(worker)
            entry.received, entry.produced = account.received, account.produced
            entry.lost = None if account.produced is None else max(0, account.produced - account.received)
            if sentence := missing(worker, account.received, account.produced):
                self.problem(sentence, self.unfinished())
        if self.broken:
            self.problem("requests failed inside Swarmledger (class internal): see requests.csv", sorted(self.broken))

    def close(self, status: str) -> None:
        """Write everything that is still held, once."""
        if self.closed:
            return
        self.closed = True
        self.spend.load_ends()
        self._settle_accounts()
        manifest, part = self.manifest, self.manifest.parts[-1]
        manifest.status = part.status = "failed" if self.failure else status
        manifest.ended_at = part.ended_at = self.clock.now()
        for write in (self.requests.close, self.csv.close, self.save):
            try:
                write()
            except OSError as e:
                lost = f"{self.folder.path}: {e.strerror}: not everything could be written; free space, then --resume"
                self.problem(lost, self.unfinished())
        self._let_go()
        log.info("Run folder: %s (%d requests)", self.folder.path, self.requests.rows)

    def exit_code(self) -> int:
        if self.failure:
            return BAD_INPUT
        if self.untrusted:
            return NOT_TRUSTED
        if self.manifest.left_out:
            return BAD_INPUT
        if self.over_budget:
            return GATE_MISSED
        return STOPPED if self.manifest.status == "stopped" else OK
