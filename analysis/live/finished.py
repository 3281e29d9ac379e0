"""Stages that have ended while their run goes on: the report's own figures of them, from their own part of the file.

They are worked out in a child process, a batch at a time, and again when the manifest says something else of a stage.
"""

import copy
import dataclasses
import json
import time
import typing

import pandas as pd

from analysis.live.follow import Follower, slice_text
from analysis.live.forked import Failed, Forked
from analysis.live.places import Places, Slices, loaded_with, near
from analysis.live.run_now import RunNow
from analysis.live.stage_rows import row
from analysis.runs.lost_records import doubled_in, rows_gone_from
from analysis.runs.records_file import read_records
from analysis.runs.run_reader import Run, check_targets, dated, run_of_some
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.manifest import Manifest, StageWindow
from locustfiles.contract.run_folder import RunFolder

Row = dict[str, typing.Any]
BATCH = 8  # stages that a child works out
AGAIN_S = 5.0  # after one that failed


class Finished:
    """The rows of finished stages, as far as they are known."""

    def __init__(self, folder: RunFolder, follower: Follower, places: Places) -> None:
        self._folder, self._follower, self._places = folder, follower, places
        self._rows: dict[int, tuple[str, Row]] = {}  # stage -> what its figures go by, and they
        self._under_way: tuple[dict[int, str], Forked] | None = None
        self._not_before = 0.0

    def rows(self, manifest: Manifest) -> list[Row]:
        """Those that are known, in the order measured."""
        return [self._rows[v.stage][1] for v in ended_in(manifest) if v.stage in self._rows]

    def look(self, now: RunNow, lost: list[str]) -> None:
        """Take what has been worked out, and begin with what is not. lost: what is wrong with the file, so that no stage can be
        trusted. Raises Failed."""
        self._take()
        if self._under_way or time.monotonic() < self._not_before:
            return
        ended = ended_in(now.manifest)
        # requests that began in its hold may end, and be told in its reasons, when the next stage has begun
        keys = {v.stage: f"{key_of(now.manifest, v, lost)} {self._places.counts[v.stage]}" for v in ended}
        new = [v for v in ended if v.stage not in self._rows or self._rows[v.stage][0] != keys[v.stage]][:BATCH]
        if new:
            self._begin(now, new, lost, {v.stage: keys[v.stage] for v in new})

    @property
    def busy(self) -> bool:
        return self._under_way is not None

    def end(self) -> None:
        if self._under_way:
            self._under_way[1].end()
            self._under_way = None

    def _begin(self, now: RunNow, visits: list[StageWindow], lost: list[str], keys: dict[int, str]) -> None:
        slices = {v.stage: self._places.of(loaded_with(v), window_of(now.manifest, v)) for v in visits}

        def work() -> list[Row]:
            return [stage_row(self._folder, self._follower, now, v, slices[v.stage], lost) for v in visits]

        self._under_way = keys, Forked(work)

    def _take(self) -> None:
        if self._under_way is None:
            return
        keys, child = self._under_way
        try:
            found = child.answer()
        except Failed:
            self._under_way, self._not_before = None, time.monotonic() + AGAIN_S
            raise
        if found is None:
            return
        self._rows |= {each["stage"]: (keys[each["stage"]], each) for each in found}
        self._under_way = None


def ended_in(manifest: Manifest) -> list[StageWindow]:
    return [v for v in manifest.stages if v.ended_by is not None]


def window_of(manifest: Manifest, visit: StageWindow) -> tuple[float, float] | None:
    if visit.measure_from is None or visit.measure_until is None:
        return None
    return visit.measure_from - manifest.started_at, visit.measure_until - manifest.started_at


def key_of(manifest: Manifest, visit: StageWindow, lost: list[str]) -> str:
    """All that the figures of an ended stage go by beside its records."""
    problems = [p.text for p in manifest.problems if p.stages is None or visit.stage in p.stages]
    clocks = {w.id: w.clock_offset_ms for w in manifest.workers}
    gone = [] if visit.whole else [(w.id, w.produced, w.received, w.lost) for w in manifest.workers]
    return json.dumps([dataclasses.asdict(visit), problems, clocks, gone, lost])


def of_stages(now: RunNow, folder: RunFolder, visits: list[StageWindow], records: pd.DataFrame) -> Run:
    """The run with these stages alone, as it will be read once they have ended: that it goes on is no fault of theirs."""
    manifest = copy.copy(now.manifest)
    run = run_of_some(folder, manifest, now.scenario, records)  # a worker that still sends has lost nothing
    manifest.stages, manifest.problems, manifest.status = visits, list(manifest.problems), "complete"
    return run


def stage_row(
    folder: RunFolder, follower: Follower, now: RunNow, visit: StageWindow, slices: Slices, lost: list[str]
) -> Row:
    """As steps.csv will have it. Raises NotARun, OSError."""
    text = b"".join(follower.read(lo, hi) for lo, hi in slices)
    records, _ = read_records(slice_text(follower.header, text))
    check_targets(folder, now.scenario, records)
    doubled = doubled_in(records)
    dated(now.manifest, records)
    run = of_stages(now, folder, [visit], near(records, loaded_with(visit), window_of(now.manifest, visit)))
    run.lost = [*lost, *doubled]
    only = dataclasses.replace(run.manifest, parts=[], problems=[])
    run.manifest.problems += rows_gone_from(only, run.records, 0)
    (result,) = results_of(run, now.prices)
    return row(result)
