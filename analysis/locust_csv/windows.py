"""Which rows of a level are measured. Nothing at a level's end is cut but rows in which nothing ended."""

import itertools
import math
import typing
from dataclasses import dataclass

from analysis.locust_csv.counts import TOTAL, History, Key
from analysis.locust_csv.levels import Level

SHORTEST_STEP_S = 5.0  # a level held for less belongs to a ramp
SETTLE_S = 5.0  # left out at a step's start: rows of a distributed run are up to 3 s old, and slow calls lag behind
REPORT_S = 3  # workers report every 3 s: windows of whole multiples begin and end equally stale
JUMP_S = 5.0  # from one row to the next: a busy writer is late by less
MOSTLY = 0.8  # with two workers a third of the rows brings nothing
DENSE = 0.6  # share of rows in which answers came; below it they come in batches

#: how counts come to the history: row by row, or with workers' reports, all at once or each at its own second; or too few
#: rows to tell, some of them without an answer
Reports = typing.Literal["none", "together", "apart", "perhaps"]


@dataclass(frozen=True, slots=True)
class Window:
    """First and last row: what was counted after the first up to the last is measured."""

    first: int
    last: int
    seconds: float
    edge_s: float  # to which its length and its counts fit each other
    settle_rows: int
    settled: bool  # all of the settle time was left out
    jumps_s: float = 0.0  # of the timestamps, while too little was counted for it: the clock's, or all stood still


def reports_of(history: History) -> Reports:
    """Told by the counts: those of a busy run that change like the ones 3 rows before come with workers' reports."""
    if not 0.8 <= history.interval <= 1.3:
        return "none"
    gains, users = [], []
    for row in range(1, len(history.seconds)):
        gains.append(history.at(row, [TOTAL]).requests - history.at(row - 1, [TOTAL]).requests)
        users.append((history.seconds[row].users, history.seconds[row].resets))
    busy = [gain for gain, (held, _) in zip(gains, users, strict=True) if held > 0]
    if not busy or sum(busy) < 2 * len(busy):
        return "none"
    changes, fewest = [], len(gains)
    for lag in (1, 2, REPORT_S):
        alike = [i for i in range(lag, len(gains)) if users[i] == users[i - lag] and users[i][0] > 0]
        changes.append(sum((gains[i] - gains[i - lag]) ** 2 for i in alike) / max(len(alike), 1))
        fewest = min(fewest, len(alike))
    if fewest < 2 * REPORT_S or changes[2] >= 0.5 * min(changes[:2]):
        some_without = sum(gain > 0 for gain in busy) < MOSTLY * len(busy)
        return "perhaps" if fewest < 4 * REPORT_S and some_without else "none"
    return "together" if sum(gain > 0 for gain in busy) < DENSE * len(busy) else "apart"


def window_of(
    history: History, level: Level, keys: list[Key], moves: list[int], settle_s: float, reports: Reports
) -> Window | None:
    """None where workers' reports do not let a level so short be measured."""
    interval, length = history.interval, level.last - level.first
    wanted = math.ceil(settle_s / interval)
    skip = min(wanted, length // 2)  # at least half of a short step is measured
    first, last = level.first + skip, level.last
    own = [row for row in moves if level.first <= row <= last]
    inside = [row for row in own if row >= first]
    edge = interval
    if reports == "apart" or len(inside) > DENSE * (last - first):
        of_workers = reports in ("apart", "together")
        long_enough = interval < 1.5 and last - first >= 2 * REPORT_S
        if long_enough:
            first += (last - first) % REPORT_S
        if of_workers and not (long_enough and _in_step(inside, first, last)):
            edge = float(REPORT_S)
        if of_workers and last - first < REPORT_S:
            return None
    elif reports == "together" and len(inside) < 2:
        first, last = (own[-2], own[-1]) if len(own) > 1 else (last, last)  # be it the first report of the level
        if last - first < REPORT_S - 1:
            return None
    else:
        first, last = _from_answer_to_answer(inside, own, first, last)
        if reports in ("none", "perhaps"):
            first = _whole_rounds(history, level, keys, inside, first, last)
    edge = float(REPORT_S) if reports == "perhaps" else edge
    seconds, jumps = _seconds(history, keys, first, last)
    if jumps:  # how long it really was lies between the two
        edge = max(edge, jumps / (seconds + jumps) * seconds)
    return Window(first, last, seconds, edge, first - level.first, skip == wanted, jumps)


def _in_step(moves: list[int], first: int, last: int) -> bool:
    """Whether reports come at the same rows of every three: one that slips by a row brings 3 s of a worker's counts more, or
    fewer, into the window."""
    rows = {row - first for row in moves if first < row <= last}
    begins = range(0, last - first - REPORT_S + 1, REPORT_S)
    return len({tuple(begin + n in rows for n in range(1, REPORT_S + 1)) for begin in begins}) <= 1


def _from_answer_to_answer(inside: list[int], own: list[int], first: int, last: int) -> tuple[int, int]:
    """Answers that come in batches are counted from one to another; a silence longer than those between them stays in."""
    gaps = [b - a for a, b in itertools.pairwise(own)]
    if len(inside) < 2 or inside[-1] - inside[0] < (last - first) / 2:
        return first, last
    usual = 1.5 * sorted(gaps)[len(gaps) // 2] + 1
    begin = inside[0] if inside[0] - first <= usual else first
    end = inside[-1] if last - inside[-1] <= usual else last
    return begin, end


def _whole_rounds(history: History, level: Level, keys: list[Key], inside: list[int], first: int, last: int) -> int:
    """Users that answer together may do so in two rows: a few rows later, every one of them has ended the same number of calls."""
    calls = history.at(last, keys).requests
    for row in inside:
        ended = calls - history.at(row, keys).requests
        if first <= row <= first + (last - first) / 4 and ended and ended % level.users == 0:
            return row
    return first


def _seconds(history: History, keys: list[Key], first: int, last: int) -> tuple[float, float]:
    """The length of a window without the jumps of its timestamps, and these."""
    # Timestamps are whole seconds: counting rows is closer, unless a stall of the writer makes the two disagree.
    by_stamp, by_rows = history.seconds[last].at - history.seconds[first].at, (last - first) * history.interval
    if abs(by_stamp - by_rows) <= max(1.0, history.interval / 2):
        return by_rows, 0.0
    usual = (history.at(last, keys) - history.at(first, keys)).requests / (last - first)
    seconds, jumps = float(by_stamp), 0.0
    for row in range(first, last):
        span = history.seconds[row + 1].at - history.seconds[row].at
        gained = (history.at(row + 1, keys) - history.at(row, keys)).requests
        if span < 0 or (span > max(JUMP_S, 3 * history.interval) and gained < usual * span / history.interval / 2):
            seconds -= span - history.interval
            jumps += max(span - history.interval, 0.0)  # that a clock went back is certain
    return seconds, jumps
