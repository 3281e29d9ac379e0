"""The verdict of the stage under way, by the report's own rules on the records that are there.

They are looked at over a window of their own: from its beginning (of a stage of very many records from where the last of them
begin) to a moment before which no request began that is still under way, as far as can be told: as long ago as the longest has
taken, of times with few very long ones as p99 of them. What the report would say of a run that was cut off is not said of one
that goes on.
"""

import dataclasses
import time
import typing

import numpy as np
import pandas as pd

from analysis.live.finished import of_stages
from analysis.live.run_now import RunNow
from analysis.live.so_far import LATE_S
from analysis.live.told_now import NOTHING, Told, told, told_of_mix
from analysis.verdicts.caution import Caution
from analysis.verdicts.generator_cautions import NOISE
from analysis.verdicts.stage_results import Result, results_of
from analysis.verdicts.thresholds import THRESHOLDS
from locustfiles.contract.manifest import StageWindow, WorkerLoad
from locustfiles.contract.run_folder import RunFolder

MOST = 20_000  # records that are looked at
EVERY_S, SHARE = 1.0, 0.03  # how often, and so much of the time at most
FAR = 3.0  # times p99: a request that takes longer is one of few


class Judged:
    """Of one stage; of a mix of all its parts, by the first."""

    def __init__(self, stage: int) -> None:
        self.stage = stage
        self._frames: list[pd.DataFrame] = []
        self._since = float("-inf")  # every record that ended later is there
        self._loads: dict[str, tuple[int, float, float]] = {}  # worker -> n, sum of CPU, worst lag
        self._not_before = 0.0
        self.planned_s: float | None = None  # how long its window is to be, at most
        self.told = NOTHING

    def take(self, records: pd.DataFrame) -> None:
        self._frames.append(records)
        if sum(map(len, self._frames)) > 2 * MOST:
            self._records()

    def _records(self) -> pd.DataFrame:
        """The last MOST of them."""
        records = pd.concat(self._frames, ignore_index=True) if len(self._frames) > 1 else self._frames[0]
        if len(records) > MOST:
            self._since = max(self._since, float(records["ended"].iloc[:-MOST].max()))
            records = records.iloc[-MOST:].reset_index(drop=True)
        self._frames = [records]
        return records

    def kept_up(self, workers: typing.Iterable[dict[str, typing.Any]]) -> None:
        """How the workers did in a second of the window."""
        for one in workers:
            n, cpu, lag_ms = self._loads.get(one["worker"], (0, 0.0, 0.0))
            if one.get("cpu") is not None:
                n, cpu = n + 1, cpu + one["cpu"]
            self._loads[one["worker"]] = n, cpu, max(lag_ms, one.get("lag_ms") or 0.0)

    def look(
        self,
        now: RunNow,
        folder: RunFolder,
        visits: list[StageWindow],
        began: float | None,
        at: float,
        until: float | None,
    ) -> Told:
        """What is known by `at`, s from the run's start, as all times here: at most 1 s old where that takes little time.
        visits: the stage, or the parts of a mix; until: the end of its window, if that is told."""
        if began is None or not self._frames or at < self._not_before:
            return self.told
        took = time.process_time()
        records = self._records()
        a = max(began, self._since)
        b = all_ended(records, at, a if self._since > began else None)
        b = b if until is None else min(b, until)
        if b > a:
            self.told = self._judge(now, folder, visits, records, (a, b)) or self.told
        self._not_before = at + max(EVERY_S, (time.process_time() - took) / SHARE)
        return self.told

    def _judge(
        self,
        now: RunNow,
        folder: RunFolder,
        visits: list[StageWindow],
        records: pd.DataFrame,
        window: tuple[float, float],
    ) -> Told | None:
        (a, b), epoch = window, now.manifest.started_at
        measured = records["phase"] == "measure"
        phase = records["phase"].mask(measured & (records["sent"] < a), "settle")
        phase = phase.mask(measured & (records["sent"] >= b), "hold")
        if not (phase == "measure").any():
            return None
        loads = [WorkerLoad(w, cpu / n, lag_ms) for w, (n, cpu, lag_ms) in self._loads.items() if n]
        seen = [
            dataclasses.replace(
                visit, measure_from=epoch + a, measure_until=epoch + b, hold_until=epoch + b, ended_by="time", whole=True, workers=loads
            )
            for visit in visits
        ]  # fmt: skip
        results = results_of(of_stages(now, folder, seen, records.assign(phase=phase)), now.prices)
        waiting = waiting_users(records, (a, b), now.scenario.longest_call_s)
        each = [(r, [c for c in r.cautions if not self._explained(c, r, waiting)]) for r in results]
        whole = a > self._since
        return told(*each[0], whole) if visits[0].mix is None else told_of_mix(each, now.prices, whole)

    def _explained(self, one: Caution, result: Result, waiting: float) -> bool:
        """Whether it comes only of so little being there yet: so many users wait, or pause by chance, that none is missing; a
        stop of a worker is long beside the part of the window that is looked at, and not beside all of it."""
        if one.kind == "users_missing":
            own, due = (float(typing.cast(float, one.figures[name])) for name in ("own", "due"))
            users, n = result.figures.users or due, result.figures.outcome.requests or 1
            by_chance = NOISE * due * max(0.0, 1 - due / users) / n**0.5
            return own + waiting + by_chance >= (1 - THRESHOLDS["users_missing"].limit) * due
        if one.kind == "stood_still" and self.planned_s is not None:
            paused_ms = typing.cast("tuple[float, ...]", one.figures["paused_ms"])
            return max(paused_ms) <= THRESHOLDS["stall"].limit * 1000 * self.planned_s
        return False


def all_ended(records: pd.DataFrame, at: float, since: float | None) -> float:
    """What began earlier has ended and is there. since: of records of which those before are not kept; half of the time since
    then is looked at in any case."""
    there = max(float(records.groupby("worker")["ended"].max().min()), at - LATE_S)
    latency_s = records["latency_ms"].to_numpy() / 1000
    longest, usual = float(latency_s.max()), float(np.quantile(latency_s, 0.99))
    lag = longest if longest <= FAR * usual else usual
    return there - (lag if since is None else min(lag, (there - since) / 2))


def waiting_users(records: pd.DataFrame, window: tuple[float, float], longest_call_s: float) -> float:
    """Mean number of users of whom nothing was heard at the end of the window, since their last request: they wait for one
    that takes longer than any before. After longest_call_s a user is no more believed to."""
    a, b = window
    heard = records.groupby(["worker", "user"])["ended"].max().to_numpy()
    silent_s = b - np.maximum(heard, a)
    return float(silent_s[(silent_s > 0) & (b - heard <= longest_call_s)].sum() / (b - a))
