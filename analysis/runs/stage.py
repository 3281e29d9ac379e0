"""One stage of a run: its records, its window, and its calls where requests are retried."""

import dataclasses
import functools
import typing

import numpy as np
import pandas as pd

from analysis.runs.due_times import from_due
from analysis.runs.retried_calls import Calls, calls_of, joined_calls
from analysis.runs.rows import Rows, near
from analysis.runs.rows import joined as rows_joined
from analysis.runs.run_reader import Run
from analysis.runs.texts import codes_of
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.prices.price import Price
from locustfiles.contract.scenario.targets import Target

Window = tuple[float, float]  # [a, b), s from the run's epoch


@dataclasses.dataclass
class Stage:
    """One stage's records, or those of the repetitions of one level together (pool.py). `window` is [a, b) in seconds from
    the run's epoch, None if it never came."""

    run: Run
    visit: StageWindow
    target: Target
    price: Price
    window: Window | None
    records: Rows  # of every phase
    measured: Rows  # those that began in the window
    good: Rows  # its successes
    calls: Calls | None  # None where the scenario has no `retry:`, and a call is a request

    @property
    def known_window(self) -> Window:
        """Of a stage that has one."""
        if self.window is None:
            raise ValueError(f"stage {self.visit.stage} has no window")
        return self.window

    @property
    def why_no_window(self) -> str:
        """Where `window` is None: how that came."""
        visit, n = self.visit, len(self.measured)
        if visit.measure_from is None or visit.measure_until is not None:
            return "it was skipped while it settled" if visit.ended_by == "skip" else "it never got its measured window"
        end = (
            "was killed, its disk was full, or it is still running,"
            if self.run.manifest.status == "running"
            else "broke off"
        )
        so_far = "1 request was" if n == 1 else f"{n} requests were"
        return f"the run {end} during its measured window, which so has no end ({so_far} measured so far)"

    @functools.cached_property
    def failures(self) -> pd.Series:
        """The classes of those that failed, without what our own stop ended."""
        errors = self.measured["error"]
        return errors[errors.notna() & (errors != ErrorClass.CANCELLED)]

    @functools.cached_property
    def perceived(self) -> Rows:
        """The successes as a user perceives them: with retries calls, timed from their first attempt's send; in the open
        loop from when they were due."""
        return from_due(self.good if self.calls is None else self.calls.good)

    @functools.cached_property
    def loaded(self) -> "Stage":
        """What its users or rate are of: of a part of a mix all its parts together, else itself."""
        if not self.visit.mix:
            return self
        records = Rows(self.run.records)[self.run.records["stage"].isin(self.visit.mix)]
        measured = records[records["phase"] == "measure"]
        good = measured[measured["error"].isna()]
        calls = None if self.calls is None else calls_of(records)
        return dataclasses.replace(self, records=records, measured=measured, good=good, calls=calls)

    @property
    def open_loop(self) -> bool:
        return self.visit.users is None


def stages_of(run: Run, prices: dict[str, Price]) -> typing.Iterator[Stage]:
    """The run's stages in the order of its manifest."""
    positions = run.records.groupby("stage").indices
    for visit in run.manifest.stages:
        yield stage_of(run, [visit], prices[visit.target], positions)


def stage_of(
    run: Run, visits: list[StageWindow], price: Price, positions: typing.Mapping[typing.Any, typing.Any]
) -> Stage:
    """The records of these visits as one stage, the first one's. positions: where each stage's records stand."""
    rows = [positions.get(visit.stage, np.array([], dtype=int)) for visit in visits]
    records, first = Rows(run.records, near(np.concatenate(rows))), visits[0]
    measured = records[records["phase"] == "measure"]
    return Stage(
        run=run,
        visit=first,
        target=run.target(first.target),
        price=price,
        window=run.window(first),
        records=records,
        measured=measured,
        good=measured[measured["error"].isna()],
        calls=None if run.scenario.retry is None else calls_of(records),
    )


def joined(stages: list[Stage]) -> Stage:
    """Stages of several runs as one, the first one's, one run behind the other: what their clocks say of each other is not known."""
    records: list[Rows] = []
    calls: list[Calls] = []
    end = 0.0
    for stage in stages:
        later = end - float(stage.records["sent"].min()) if len(stage.records) else 0.0
        records.append(_moved(stage.records, later, stage.run.name))
        end = float(records[-1]["ended"].max()) if len(stage.records) else end
        if stage.calls is not None:
            calls.append(Calls(_moved(stage.calls.table, later, stage.run.name), stage.calls.pauses + later))
    whole = Rows(rows_joined(records))
    measured = whole[whole["phase"] == "measure"]
    return dataclasses.replace(
        stages[0],
        records=whole,
        measured=measured,
        good=measured[measured["error"].isna()],
        calls=joined_calls(calls) if calls else None,
    )


def _moved(table: Rows, later: float, run: str) -> Rows:
    """Workers of one name in two runs are two."""
    times = {name: table[name] + later for name in ("sent", "ended", "own_sent") if name in table}
    codes, workers = codes_of(table["worker"])
    named = pd.Categorical.from_codes(codes, pd.Index([f"{run}/{worker}" for worker in workers], dtype="str"))
    return table.assign(worker=named, **times)
