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

from locustfiles.common.record import FIELDS, RequestRecord, whole_lines
from locustfiles.common.yaml_file import BadInput

SCHEMA = 2


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
    """One visit of (target, payload, users or rate): Unix seconds by the master's clock, None if not reached."""

    stage: int
    repeat: int
    target: str
    payload: str
    users: int | None  # closed loop
    rate: float | None  # requests/s, open loop
    started_at: float  # users were asked for
    settle_from: float | None = None  # all users were there
    measure_from: float | None = None  # a: the measured window is [a, b)
    measure_until: float | None = None  # b
    hold_until: float | None = None  # every request begun in the window had ended
    ended_by: str | None = None  # time, requests, precision, abort (its error rate), budget, stop (Ctrl-C, SIGTERM, UI)
    steady: bool | None = None  # whether its latencies drifted no more when the window began; None: not looked at
    whole: bool = False  # every record of it has arrived, and every worker that began it was there at its end
    workers: list[WorkerLoad] = dataclasses.field(default_factory=list)  # those that were there at its end


@dataclasses.dataclass(slots=True)
class Finding:
    """What a search for the highest level that keeps the limits found."""

    target: str
    payload: str
    of: str  # users or rate
    answer: float | None  # the highest level that kept them; None: none did
    fails_at: float | None  # the lowest that did not; None: none was reached
    confirmed: bool  # the boundary was measured twice and said the same
    why: str  # what bounds it
    outcomes: dict  # level as text -> ["met" | "missed" | "undecided", …] in the order measured
    stages: list[int]

    @property
    def text(self) -> str:
        """`2 users keep the limits, 3 do not: above it the limits are missed`"""
        unit = "users" if self.of == "users" else "requests/s"
        if self.answer is None and not any("missed" in outcomes for outcomes in self.outcomes.values()):
            return f"not known which level keeps the limits: {self.why}"
        kept = "no level keeps the limits" if self.answer is None else f"{self.answer:g} {unit} keep the limits"
        fails = "" if self.fails_at is None else f", {self.fails_at:g} {'do' if self.answer is not None else 'does'} not"
        return f"{kept}{fails}{'' if self.confirmed else ' (not confirmed)'}: {self.why}"


@dataclasses.dataclass(slots=True)
class Problem:
    """Why numbers cannot be trusted: a sentence, and the stages that it concerns (None: all of the run)."""

    text: str
    stages: list[int] | None = None


@dataclasses.dataclass(slots=True)
class Part:
    """One process's share of a run; a resumed run has several. Unix seconds."""

    run_id: str
    started_at: float
    ended_at: float | None
    status: str


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
    abandoned: list[StageWindow] = dataclasses.field(default_factory=list)  # cut short, and measured again after --resume
    findings: list[Finding] = dataclasses.field(default_factory=list)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    parts: list[Part] = dataclasses.field(default_factory=list)
    content: str = ""  # hash of scenario, payloads, tokenizers and traces
    schema: int = SCHEMA


class RunFolder:
    """Paths of one run's files."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = pathlib.Path(path)
        self.manifest = self.path / "manifest.json"
        self.requests = self.path / "requests.csv"
        self.report = self.path / "report"

    def locust_prefix(self, part: int) -> pathlib.Path:
        """What the names of a part's Locust files begin with; parts count from 1."""
        return self.path / ("locust" if part == 1 else f"locust-{part}")

    def create(self, overwrite: bool = False) -> None:
        """Make the folder. Raises FolderUsed if it holds a run and `overwrite` is false."""
        used = [f for f in (self.manifest, self.requests) if f.exists()]
        if used and not overwrite:
            raise FolderUsed(f"{self.path} already holds a run; choose another --run-dir, or add --resume or --overwrite")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for old in [*used, *self.path.glob("locust*_*.csv")]:
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
            if data["schema"] != SCHEMA:
                raise NotARun(f"{self.manifest} has schema {data['schema']}; this version reads {SCHEMA}")
            data["workers"] = [WorkerEntry(**w) for w in data["workers"]]
            for name in ("stages", "abandoned"):
                data[name] = [StageWindow(**(s | {"workers": [WorkerLoad(**w) for w in s["workers"]]})) for s in data[name]]
            for name, kind in (("findings", Finding), ("problems", Problem), ("parts", Part)):
                data[name] = [kind(**row) for row in data[name]]
            manifest = Manifest(**data)
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise NotARun(f"{self.manifest} cannot be read ({e}); it is damaged or of another version") from None
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

    def __init__(self, path: pathlib.Path, append: bool = False) -> None:
        """append: go on after the last whole line of a file that is there."""
        self._file: typing.BinaryIO = open(path, "r+b" if append else "wb", buffering=0)
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._unwritten = b""
        self.rows = 0
        if append:
            text = self._file.read()
            self._file.seek(text.rfind(b"\n") + 1)
            self._file.truncate()
        else:
            self._writer.writerow(FIELDS)
            self.flush()

    def add(self, record: RequestRecord) -> None:
        self.add_row(record.row())

    def add_row(self, row: typing.Sequence[str]) -> None:
        self._writer.writerow(whole_lines(row))
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
