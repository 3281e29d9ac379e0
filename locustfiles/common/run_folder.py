"""A run's folder: its file names, its manifest, and how requests.csv is written and read.

    runs/<name>/manifest.json   what the run was: scenario, prices, versions, workers, stage windows
                requests.csv    one RequestRecord a row
                locust_*.csv    Locust's own
                report/         written by the analysis alone

The manifest is an allow-list: only the fields below are written; no environment, no argv.
"""

import csv
import dataclasses
import io
import json
import os
import pathlib
import shutil
import typing

from locustfiles.common.record import FIELDS, RequestRecord
from locustfiles.common.yaml_file import BadInput

SCHEMA = 1


class NotARun(BadInput):
    """A folder that holds no readable run; the text says what is missing."""


class FolderUsed(BadInput):
    """A folder that already holds a run."""


@dataclasses.dataclass(slots=True)
class WorkerEntry:
    """One process that sent requests, and whether all it recorded arrived."""

    id: str  # as in RequestRecord.worker
    host: str
    clock_offset_ms: float | None  # worker clock minus master clock; the analysis subtracts it from started_at
    produced: int | None  # None: it never handed in its last count (a killed worker)
    received: int
    lost: int | None


@dataclasses.dataclass(slots=True)
class WorkerLoad:
    """How one worker kept up in a stage's measured window."""

    worker: str
    cpu: float  # its share of one core, 0..1 (threads may take it above)
    lag_ms: float  # the event loop's worst lag


@dataclasses.dataclass(slots=True)
class StageWindow:
    """One visit of (target, payload, users): Unix seconds by the master's clock, None if not reached."""

    stage: int
    repeat: int
    target: str
    payload: str
    users: int
    started_at: float  # users were asked for
    settle_from: float | None = None  # all users were there
    measure_from: float | None = None  # a: the measured window is [a, b)
    measure_until: float | None = None  # b
    hold_until: float | None = None  # every request begun in the window had ended
    ended_by: str | None = None  # time, requests, abort (its error rate), budget, stop (Ctrl-C, SIGTERM, UI)
    workers: list[WorkerLoad] = dataclasses.field(default_factory=list)  # those that were there at its end


@dataclasses.dataclass(slots=True)
class Manifest:
    name: str  # the scenario's
    run_id: str
    status: str  # running, complete, stopped (early, by a person, a signal or the budget), failed
    started_at: float  # Unix seconds, the master's clock
    ended_at: float | None
    scenario_file: str
    scenario: dict  # the scenario as validated (Scenario.model_validate(manifest.scenario) gives it back)
    seed: int
    versions: dict  # swarmledger, locust, boto3, botocore, python
    git_revision: str | None
    host: str
    price_book: dict  # file, region, as_of, source
    prices: dict  # target -> {"usd_per_hour", "instance_count"} or {"input", "output", "cache_read", "cache_write"} (USD per 1,000 tokens)
    payloads: dict  # stem -> {"file", "sha256", "prompts"}
    workers: list[WorkerEntry] = dataclasses.field(default_factory=list)
    stages: list[StageWindow] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)  # why the run cannot be trusted, a sentence each
    schema: int = SCHEMA


class RunFolder:
    """Paths of one run's files."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = pathlib.Path(path)
        self.manifest = self.path / "manifest.json"
        self.requests = self.path / "requests.csv"
        self.locust_prefix = self.path / "locust"
        self.report = self.path / "report"

    def create(self, overwrite: bool = False) -> None:
        """Make the folder. Raises FolderUsed if it holds a run and `overwrite` is false."""
        used = [f for f in (self.manifest, self.requests) if f.exists()]
        if used and not overwrite:
            raise FolderUsed(f"{self.path} already holds a run; choose another --run-dir, or add --overwrite")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for old in [*used, *self.path.glob("locust_*.csv")]:
                old.unlink()
            if used and self.report.exists():  # beside the new records it would be taken for theirs
                shutil.rmtree(self.report)
        except OSError as e:
            raise BadInput(f"{self.path} cannot be written ({e.strerror}); choose another --run-dir") from None

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace manifest.json in one step, so that a crash leaves the old or the new one."""
        draft = self.manifest.with_suffix(".tmp")
        draft.write_text(json.dumps(dataclasses.asdict(manifest), indent=1) + "\n", encoding="utf-8")
        draft.replace(self.manifest)

    def read_manifest(self) -> Manifest:
        """Raises NotARun if there is none or it cannot be read."""
        if not self.manifest.is_file():
            raise NotARun(f"{self.path} is no run folder: it has no manifest.json; give the folder named by --run-dir")
        try:
            data = json.loads(self.manifest.read_text(encoding="utf-8"))
            data["workers"] = [WorkerEntry(**w) for w in data["workers"]]
            data["stages"] = [
                StageWindow(**(s | {"workers": [WorkerLoad(**w) for w in s["workers"]]})) for s in data["stages"]
            ]
            manifest = Manifest(**data)
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise NotARun(f"{self.manifest} cannot be read ({e}); it is damaged or of another version") from None
        if manifest.schema != SCHEMA:
            raise NotARun(f"{self.manifest} has schema {manifest.schema}; this version reads {SCHEMA}")
        return manifest

    def requests_text(self) -> tuple[bytes, int]:
        """requests.csv without a torn last line, and the number of lines so skipped (0 or 1).

        Raises NotARun if the file is missing or its header is not a record's.
        """
        if not self.requests.is_file():
            raise NotARun(f"{self.path} has no requests.csv; was the run ended before its first request?")
        text = self.requests.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        header = whole.split(b"\n", 1)[0].decode(errors="replace").strip()
        if header != ",".join(FIELDS):
            raise NotARun(f"{self.requests}: its header is not that of this version; analyse it with the one that wrote it")
        return whole, int(len(whole) < len(text))


class RequestsFile:
    """requests.csv, append only; `add` rows, `flush` them in one write."""

    def __init__(self, path: pathlib.Path) -> None:
        self._file: typing.BinaryIO = open(path, "wb", buffering=0)
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(FIELDS)
        self._unwritten = b""
        self.rows = 0
        self.flush()

    def add(self, record: RequestRecord) -> None:
        self.add_row(record.row())

    def add_row(self, row: typing.Sequence[str]) -> None:
        # a line break inside a cell would make a torn line look whole
        self._writer.writerow([cell.replace("\n", " ").replace("\r", " ") for cell in row])
        self.rows += 1

    def flush(self) -> None:
        """Hand the buffered rows to the system. Raises OSError (a full disk), keeping what was not written."""
        self._unwritten += self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        while self._unwritten:
            self._unwritten = self._unwritten[self._file.write(self._unwritten) :]

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._file.close()
