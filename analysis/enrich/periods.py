"""Which of CloudWatch's periods are a stage's: those whose requests are its own."""

import math
import typing

import numpy as np

from analysis.enrich.whose import Whose
from analysis.runs.run_reader import Run
from locustfiles.contract.manifest import StageWindow

OTHERS = 0.05  # of the requests of a period within a window, those of other stages at most
#: age in days from which metrics are kept in coarser periods alone -> s
KEPT = ((63, 3600), (15, 300), (0, 60))
FINE_KEPT_S = 3 * 3600  # for which periods under a minute are kept
_DAY = 86400


class Periods(typing.NamedTuple):
    """Begins of a stage's periods, Unix seconds. why_none: where there are none."""

    begins: tuple[int, ...]
    length: int
    basis: str  # inside or alone
    why_none: str = ""


def length_at(begin: float, now: float) -> int:
    """Of the shortest periods in which what began then is still kept."""
    return next(length for days, length in KEPT if now - begin >= days * _DAY or days == 0)


def periods_of(run: Run, visit: StageWindow, same: typing.Mapping[str, Whose], length: int) -> Periods:
    """same: of every target. A period is a stage's where it lies in the measured window and at most a twentieth of its requests
    are others'; of a window without a whole period where half of it lies there and no other stage sent to the same."""
    a, b = visit.measure_from, visit.measure_until
    if a is None or b is None or b <= a:
        return Periods((), length, "", "it has no measured window")
    sent, ended = (run.records[name].to_numpy(dtype=float) + run.epoch for name in ("sent", "ended"))
    near = np.flatnonzero((ended >= a - length) & (sent <= b + length))
    sent, ended = sent[near], ended[near]
    mine = run.records["stage"].to_numpy()[near] == visit.stage
    alike = [name for name, one in same.items() if set(one.places) & set(same[visit.target].places)]
    other = ~mine & run.records["target"].iloc[near].isin(alike).to_numpy(dtype=bool)
    whole = range(math.ceil(a / length) * length, math.floor(b / length) * length, length)
    inside = [begin for begin in whole if _share(ended, mine, other, begin, length) <= OTHERS]
    if inside:
        return Periods(tuple(inside), length, "inside")
    touched = range(math.floor(a / length) * length, math.ceil(b / length) * length, length)
    alone = [
        begin
        for begin in touched
        if min(b, begin + length) - max(a, begin) >= length / 2
        and not np.any(other & (sent < begin + length) & (ended > begin))
        and np.any(mine & (ended >= begin) & (ended < begin + length))
    ]
    if alone:
        return Periods(tuple(alone), length, "alone")
    return Periods((), length, "", _why_none(visit, a, b, length, bool(whole)))


def _share(ended: np.ndarray, mine: np.ndarray, other: np.ndarray, begin: int, length: int) -> float:
    """Of the requests that ended in a period, those of other stages."""
    there = (ended >= begin) & (ended < begin + length)
    all_of_them = np.count_nonzero(there & (mine | other))
    return np.count_nonzero(there & other) / all_of_them if all_of_them else 0.0


def _why_none(visit: StageWindow, a: float, b: float, length: int, whole: bool) -> str:
    if visit.mix:
        return "CloudWatch has one figure of all parts of a mix that are sent to the same endpoint or model"
    if whole:
        return f"another stage sent to the same in every period of {length} s within its window"
    return (
        f"its window of {b - a:.3g} s holds no whole period of {length} s in which it sent alone; "
        f"`measure_s: {2 * length}` always holds one"
    )


def fine_of(visit: StageWindow, length: int) -> tuple[int, ...]:
    """Begins of short periods, all within the measured window."""
    if visit.measure_from is None or visit.measure_until is None:
        return ()
    first = math.ceil(visit.measure_from / length) * length
    return tuple(range(first, math.floor(visit.measure_until / length) * length, length))
