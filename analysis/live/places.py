"""Where in requests.csv each stage's records stand: remembered while the file is followed, so that one stage can be read alone."""

import collections
import dataclasses
import typing

import pandas as pd

from locustfiles.contract.manifest import StageWindow

STRETCH = 1 << 20  # bytes that are told apart
CLOCKS_S = 10.0  # by so much times may still be corrected when a worker's clock is known better


@dataclasses.dataclass(slots=True)
class Stretch:
    """Bytes [lo, hi) of the file, the stages of their records, and between which times (s from the run's start) these were under way."""

    lo: int
    hi: int
    stages: set[int]
    first: float
    last: float


class Places:
    """Of all that has been read."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []
        self.counts: collections.Counter[int] = collections.Counter()  # records of each stage

    def add(self, lo: int, hi: int, records: pd.DataFrame) -> None:
        """Dated records of these bytes; without any these are only known to be there."""
        first = float(records["sent"].min()) if len(records) else float("inf")
        last = float(records["ended"].max()) if len(records) else float("-inf")
        counts = collections.Counter[int](records["stage"].tolist() if len(records) else ())
        self.counts.update(counts)
        stages = set(counts)
        before = self._stretches[-1] if self._stretches else None
        if before and before.hi == lo and hi - before.lo <= STRETCH:
            before.hi, before.first, before.last = hi, min(before.first, first), max(before.last, last)
            before.stages |= stages
        else:
            self._stretches.append(Stretch(lo, hi, stages, first, last))

    def of(self, stages: set[int], window: tuple[float, float] | None) -> list[tuple[int, int]]:
        """(lo, hi) that hold every record of these stages, and every other one that was under way in their window."""
        found: list[tuple[int, int]] = []
        for one in self._stretches:
            beside = window and one.first < window[1] + CLOCKS_S and one.last > window[0] - CLOCKS_S
            if not stages & one.stages and not beside:
                continue
            if found and found[-1][1] == one.lo:
                found[-1] = (found[-1][0], one.hi)
            else:
                found.append((one.lo, one.hi))
        return found


def near(records: pd.DataFrame, stages: set[int], window: tuple[float, float] | None) -> pd.DataFrame:
    """The records of these stages, and those of others that were under way in their window."""
    wanted = records["stage"].isin(stages)
    if window:
        wanted |= (records["sent"] < window[1]) & (records["ended"] > window[0])
    return records[wanted]


def loaded_with(visit: StageWindow) -> set[int]:
    """The numbers of the stages that were sent to at the same time: of a mix all its parts."""
    return set(visit.mix or [visit.stage])


Slices = typing.Sequence[tuple[int, int]]
