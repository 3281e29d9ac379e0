"""All that is known of a run while it is under way, as one document that is worked out anew each time it is asked for."""

import collections
import time
import typing

import numpy as np
import pandas as pd

from analysis.live.batch import Batch, batch_of
from analysis.live.ended import Ended
from analysis.live.finished import Finished
from analysis.live.follow import Anew, Follower, Piece
from analysis.live.from_folder import load_of
from analysis.live.judged import Judged
from analysis.live.places import Places
from analysis.live.run_now import ManifestFile, RunNow, going_on
from analysis.live.series import Series
from analysis.live.so_far import SoFar
from analysis.live.tally import Tally
from analysis.live.told_now import NOTHING as NOT_JUDGED
from analysis.runs.lost_records import lost_in_file, rows_by_worker
from analysis.runs.run_reader import check_targets, damaged_text, dated
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.scenario.scenario import Scenario

Document = dict[str, typing.Any]
READ_S = 1.0  # what has been written is read for so long at a time
NOTHING: Document = {"at": None, "run": None, "stage": None, "stages": [], "series": None, "ended": None}
NO_RECORDS = pd.DataFrame()


class Watched:
    """One run folder, followed."""

    def __init__(self, path: str, clock: typing.Callable[[], float] = time.time) -> None:
        self.folder, self._clock = RunFolder(path), clock
        self._manifest = ManifestFile(self.folder)
        self._follower: Follower | None = None
        self._begin()

    def _begin(self) -> None:
        """Nothing is known yet."""
        if self._follower is not None:
            self.close()
        self._follower = Follower(self.folder)
        self._places = Places()
        self._finished = Finished(self.folder, self._follower, self._places)
        self._ended = Ended(self.folder)
        self._series: Series | None = None
        self.tally = Tally()
        self.scenario: Scenario | None = None
        self._stage: tuple[SoFar, Judged] | None = None
        self._damaged: list[tuple[int, str]] = []
        self._damaged_in_all = 0
        self._by_worker: collections.Counter[str] = collections.Counter()
        self._first_part: str | None = None
        self._behind = False
        self.records = NO_RECORDS  # that have come since the last time

    def close(self) -> None:
        assert self._follower
        self._follower.close()
        self._finished.end()
        self._ended.end()

    @property
    def behind(self) -> bool:
        """Whether there are records that have been written and not read."""
        return self._behind

    @property
    def busy(self) -> bool:
        """Whether more will be known even if nothing more is written."""
        return self._behind or self._finished.busy or self._ended.busy

    def load(self, figures: Document) -> Document:
        """How the load stands, as far as the folder tells."""
        return load_of(self._manifest.read(), self.folder, figures)

    def look(self, load: Document) -> Document:
        """The figures by now. load: how the load stands, as the process that sends it says; {}: nobody says.

        Raises NotARun, OSError, Failed: what is odd in the folder.
        """
        self.records = NO_RECORDS
        now = self._manifest.read()
        if now is None or not _meant(now, load):
            return NOTHING
        self.scenario = now.scenario
        began = now.manifest.parts[0].run_id if now.manifest.parts else now.manifest.run_id
        if self._first_part not in (None, began):
            self._begin()
        self._first_part = began
        at = self._clock()
        try:
            self._read(now)
        except Anew:
            self._begin()
            return NOTHING
        alive = going_on(now, self.folder, load)
        if self._behind and self._series is not None:
            at = min(at, now.manifest.started_at + self._series.last)
        return {"at": at, "run": now.part, **self._document(now, load, alive, at)}

    def _document(self, now: RunNow, load: Document, alive: bool, at: float) -> Document:
        manifest = now.manifest
        since = at - manifest.started_at
        visit = _under_way(now) if alive else None
        stage = None if visit is None else self._stage_so_far(now, load, visit, since)
        ended, rows = None, None
        if alive:
            self._ended.forget()
            if not self._behind:
                self._finished.look(now, self._lost(now))
        else:
            self._finished.end()
            if not self._behind and self._ended.look():
                ended, rows = self._ended.said, self._ended.rows
        if rows is None:
            rows = self._finished.rows(manifest)
        series = self._series and self._series.document(manifest, since if alive else None, self._begun())
        return {"stage": stage, "stages": rows, "series": series, "ended": ended}

    def _read(self, now: RunNow) -> None:
        """What has come, for READ_S at most. Raises Anew, NotARun, OSError."""
        assert self._follower
        until, new = time.monotonic() + READ_S, []
        while piece := self._follower.next():
            new.append(self._take(now, piece))
            if time.monotonic() > until:
                break
        self._behind = piece is not None
        self.records = pd.concat(new, ignore_index=True) if len(new) > 1 else new[0] if new else NO_RECORDS

    def _take(self, now: RunNow, piece: Piece) -> pd.DataFrame:
        records = piece.records
        self._damaged += piece.damaged[: 6 - len(self._damaged)]
        self._damaged_in_all += len(piece.damaged)
        check_targets(self.folder, now.scenario, records)
        dated(now.manifest, records)
        self._places.add(piece.lo, piece.hi, records)
        if len(records):
            batch = batch_of(records, now.prices)
            self.tally.add(records, batch, now.prices)
            self._by_worker.update(rows_by_worker(records))
            self._series = self._series or Series(now.prices)
            self._series.add(batch, [p.started_at - now.manifest.started_at for p in now.manifest.parts[1:]])
            ended = {v.stage for v in (*now.manifest.stages, *now.manifest.abandoned) if v.ended_by is not None}
            for stage, parts in _under_load(now, set(batch.stage.tolist()) - {0, *ended}).items():
                self._of(stage, np.isin(batch.stage, parts), records, batch)
        return records

    def _of(self, stage: int, here: np.ndarray, records: pd.DataFrame, batch: Batch) -> None:
        """Records of a stage that may be under way; one with a higher number has begun later."""
        if self._stage is None or self._stage[0].stage < stage:
            self._stage = SoFar(stage), Judged(stage)
        so_far, judged = self._stage
        if so_far.stage == stage:
            so_far.take(batch.where(here))
            judged.take(records if here.all() else records[here])

    def _lost(self, now: RunNow) -> list[str]:
        damaged = [damaged_text(self._damaged_in_all, self._damaged)] if self._damaged_in_all else []
        return damaged + lost_in_file(now.manifest, self._by_worker)

    def _begun(self) -> tuple[int, float | None] | None:
        return (self._stage[0].stage, self._stage[0].began) if self._stage else None

    def _stage_so_far(self, now: RunNow, load: Document, visit: StageWindow, since: float) -> Document:
        if self._stage is None or self._stage[0].stage < visit.stage:
            self._stage = SoFar(visit.stage), Judged(visit.stage)
        so_far, judged = self._stage
        if so_far.stage != visit.stage:  # its records are there before the manifest's next state was read
            return SoFar(visit.stage).figures(since, None) | NOT_JUDGED | _asked(visit)
        told = load.get("stage") or {}
        phase = told.get("phase") if told.get("stage") == visit.stage else None
        phase_began = told.get("phase_began_at")
        phase_began = None if phase_began is None else phase_began - now.manifest.started_at
        if phase == "measure" and phase_began is not None:
            so_far.begins(phase_began)
            judged.kept_up(load.get("workers") or ())
            judged.planned_s = told.get("at_most_s")
        over = phase_began if phase in ("hold", "drain") else None
        until = since if over is None else over
        measured_s = None if so_far.began is None or phase is None else max(0.0, until - so_far.began)
        parts = [s for s in now.manifest.stages if s.stage in (visit.mix or [visit.stage])]
        found = judged.look(now, self.folder, parts, so_far.began, since, over)
        return so_far.figures(since, measured_s) | found | _asked(visit)


def _meant(now: RunNow, load: Document) -> bool:
    """Whether the folder holds the run that the load is of; before it has begun an earlier one may be there."""
    told = (load.get("run") or {}).get("id")
    return told is None or told in {now.part, now.manifest.run_id, *(p.run_id for p in now.manifest.parts)}


def _under_way(now: RunNow) -> StageWindow | None:
    latest = now.manifest.stages[-1] if now.manifest.stages else None
    if latest is None or latest.ended_by is not None:
        return None
    return next(s for s in now.manifest.stages if s.stage == latest.mix[0]) if latest.mix else latest


def _asked(visit: StageWindow) -> Document:
    """What its `prefix:` asks of a prompt cache; of a mix each part has its own."""
    asked = None if visit.mix or visit.cache_asked is None else visit.cache_asked.share
    return {"cache_asked_share": asked}


def _under_load(now: RunNow, stages: set[int]) -> dict[int, list[int]]:
    """These stages, each with all that are sent to at the same time, by the first of them: of a mix its parts, which are
    numbered one after the other. In order."""
    parts = max(1, len(now.scenario.mix or ()))
    known = {s.stage: s.mix[0] for s in now.manifest.stages if s.mix}
    firsts = sorted({known.get(stage, stage - (stage - 1) % parts) for stage in stages})
    return {first: list(range(first, first + parts)) for first in firsts}
