"""The life of one run on the master (or in the only process): its folder from first row to last."""

import dataclasses
import datetime
import importlib.metadata
import logging
import pathlib
import platform
import subprocess
import uuid

from locustfiles.common.clock import Clock
from locustfiles.common.collect import Inbox, Row, cell
from locustfiles.common.errors import ErrorClass
from locustfiles.common.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK
from locustfiles.common.inputs import Inputs
from locustfiles.common.locust_csv import LocustCsv
from locustfiles.common.run_folder import Manifest, RequestsFile, RunFolder, StageWindow, WorkerEntry
from locustfiles.common.spend import Spend

log = logging.getLogger("swarmledger")
LIBRARIES = ("locust", "boto3", "botocore", "gevent")


def default_path(inputs: Inputs) -> pathlib.Path:
    """runs/<UTC time>-<scenario>"""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return pathlib.Path("runs") / f"{stamp}-{inputs.scenario.name}"


def _git_revision() -> str | None:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


@dataclasses.dataclass(slots=True)
class Tally:
    """What has arrived of one stage's measured requests."""

    requests: int = 0
    failed: int = 0


class Run:
    """One run folder being written. Raises FolderUsed or BadInput when it cannot be made."""

    def __init__(self, environment, inputs: Inputs, path: pathlib.Path, overwrite: bool, clock: Clock) -> None:
        self.environment, self.inputs, self.clock = environment, inputs, clock
        self.folder = RunFolder(path)
        self.folder.create(overwrite)
        self.requests = RequestsFile(self.folder.requests)
        self.csv = LocustCsv(environment, self.folder.locust_prefix)
        self.manifest = self._manifest()
        self.inbox = Inbox(self.manifest.run_id, self._take)
        self.tallies: dict[int, Tally] = {}
        self.spend = Spend(inputs, clock)
        self.members: dict[str, WorkerEntry] = {}
        self.failure: str | None = None  # why it ended with exit code 1
        self.over_budget = False
        self.failed = 0
        self.internal = 0
        self.closed = False
        self.save()

    def _manifest(self) -> Manifest:
        scenario, book = self.inputs.scenario, self.inputs.book
        return Manifest(
            name=scenario.name,
            run_id=uuid.uuid4().hex,
            status="running",
            started_at=self.clock.now(),
            ended_at=None,
            scenario_file=str(self.inputs.scenario_file),
            scenario=scenario.model_dump(mode="json"),
            seed=scenario.seed,
            versions={"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in LIBRARIES},
            git_revision=_git_revision(),
            host=platform.node(),
            price_book={
                "file": scenario.pricing,
                "region": book.region,
                "as_of": book.as_of.isoformat(),
                "source": book.source,
            },
            prices={name: price.model_dump(mode="json") for name, price in self.inputs.prices.items()},
            payloads=self.inputs.payload_files,
        )

    @property
    def run_id(self) -> str:
        return self.manifest.run_id

    def save(self) -> None:
        self.folder.write_manifest(self.manifest)

    def _take(self, row: Row) -> None:
        self.requests.add_row(row)
        error = cell(row, "error")
        self.failed += bool(error) and error != ErrorClass.CANCELLED
        self.internal += error == ErrorClass.INTERNAL
        if cell(row, "phase") == "measure":
            tally = self.tallies.setdefault(int(cell(row, "stage")), Tally())
            if error != ErrorClass.CANCELLED:
                tally.requests += 1
                tally.failed += bool(error)
        self.spend.take(row)

    def tick(self) -> None:
        """Once a second: what has arrived goes to the disk. Raises OSError when the disk is full."""
        self.requests.flush()
        self.csv.history()

    def stage_begins(self, window: StageWindow) -> None:
        self.manifest.stages.append(window)
        self.save()

    def stage_ends(self) -> None:
        self.csv.totals()
        self.save()

    def problem(self, sentence: str) -> None:
        """Something that makes the run untrustworthy: said once, kept in the manifest, exit code 2."""
        if sentence not in self.manifest.problems:
            log.error(sentence)
            self.manifest.problems.append(sentence)

    def fail(self, sentence: str) -> None:
        """The user's input stops the run: exit code 1."""
        self.failure = sentence
        log.error(sentence)

    def _settle_accounts(self) -> None:
        for worker, account in self.inbox.accounts.items():
            entry = self.members.setdefault(worker, WorkerEntry(worker, "", None, None, 0, None))
            entry.received, entry.produced = account.received, account.produced
            if account.produced is None:
                self.problem(f"worker {worker} never handed in its last records (killed or cut off): some are lost")
            else:
                entry.lost = max(0, account.produced - account.received)
                if entry.lost:
                    self.problem(f"{entry.lost} records of worker {worker} were lost on the way to the master")
        if self.internal:
            self.problem(f"{self.internal} requests failed inside Swarmledger (class internal): see requests.csv")

    def close(self, status: str) -> None:
        """Write everything that is still held, once."""
        if self.closed:
            return
        self.closed = True
        self.spend.load_ends()
        self._settle_accounts()
        self.manifest.workers = list(self.members.values())
        self.manifest.status = "failed" if self.failure else status
        self.manifest.ended_at = self.clock.now()
        for write in (self.requests.close, self.csv.close, self.save):
            try:
                write()
            except OSError as e:
                self.problem(f"{self.folder.path}: {e.strerror}: not everything could be written; free space and repeat the run")
        log.info("Run folder: %s (%d requests)", self.folder.path, self.requests.rows)

    def exit_code(self) -> int:
        if self.failure:
            return BAD_INPUT
        if self.manifest.problems:
            return NOT_TRUSTED
        return GATE_MISSED if self.over_budget else OK
