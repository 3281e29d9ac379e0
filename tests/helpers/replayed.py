"""A finished run's folder written again bit by bit, as the run itself wrote it, and what the load says meanwhile."""

import copy
import dataclasses
import pathlib
import typing

from locustfiles.contract.manifest import Manifest, StageWindow
from locustfiles.contract.record import FIELDS
from locustfiles.contract.run_folder import RunFolder

REPORTED_S = 1.0  # from a request's end to its line
STARTED, LATENCY, STAGE = (FIELDS.index(name) for name in ("started_at", "latency_ms", "stage"))


class Replay:
    """`until(t)` writes what was there t s after the run's start; files are written in time, a stage's lines before its end."""

    def __init__(self, finished: pathlib.Path, into: pathlib.Path) -> None:
        self.whole = RunFolder(finished).read_manifest()
        self.folder = RunFolder(into)
        self.folder.make()
        text = RunFolder(finished).requests_text()[0]
        header, *self._lines = text.splitlines(keepends=True)
        self._ends = [self._end(line) for line in self._lines]
        self._written = 0
        self.folder.requests.write_bytes(header)
        self.until(0.0)

    def _end(self, line: bytes) -> float:
        cells = line.decode().split(",")
        return float(cells[STARTED]) + float(cells[LATENCY]) / 1000 - self.whole.started_at

    @property
    def length_s(self) -> float:
        return max(self._ends) + 2 * REPORTED_S

    def until(self, t: float) -> None:
        with open(self.folder.requests, "ab") as file:
            while self._written < len(self._lines) and self._ends[self._written] + REPORTED_S <= t:
                file.write(self._lines[self._written])
                self._written += 1
        self.folder.write_manifest(self.manifest_at(t))

    def manifest_at(self, t: float) -> Manifest:
        """Of the run that goes on."""
        now = copy.copy(self.whole)
        now.status, now.ended_at, now.findings = "running", None, []
        now.parts = [
            *now.parts[:-1],
            *(dataclasses.replace(p, status="running", ended_at=None) for p in now.parts[-1:]),
        ]
        at = t + self.whole.started_at
        now.stages = [seen for v in self.whole.stages if (seen := self._seen(v, at))]
        return now

    def _seen(self, visit: StageWindow, at: float) -> StageWindow | None:
        """A stage as the manifest has it then."""
        if visit.started_at > at:
            return None
        mine = self.whole.started_at + self._last_of(visit.stage) + 2 * REPORTED_S
        if max(mine, visit.hold_until or 0.0) <= at:
            return visit
        begun = {"measure_from": None, "measure_until": None, "hold_until": None, "settle_from": None, "workers": []}
        return dataclasses.replace(visit, ended_by=None, steady=None, whole=False, records=None, outcome=None, **begun)

    def _last_of(self, stage: int) -> float:
        if not hasattr(self, "_last"):
            self._last: dict[int, float] = {}
            for line, end in zip(self._lines, self._ends, strict=True):
                number = int(line.split(b",")[STAGE])
                self._last[number] = max(self._last.get(number, 0.0), end)
        return self._last.get(stage, 0.0)

    def load(self, t: float) -> dict[str, typing.Any]:
        """What the process that sends says."""
        at = self.whole.started_at + t
        part = self.whole.parts[-1].run_id if self.whole.parts else self.whole.run_id
        return {"at": at, "state": "running", "run": {"id": part, "folder": str(self.folder.path), "status": "running"}}

    def end(self) -> None:
        """The run ends."""
        self.until(self.length_s)
        self.folder.write_manifest(self.whole)
