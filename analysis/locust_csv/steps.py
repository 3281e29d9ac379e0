"""Steps of the load from the seconds of a Locust run's history.

A step is a level of users that was held; its figures are differences of the cumulative counts between two of its seconds.
"""

import math
import typing
from collections.abc import Iterator
from dataclasses import dataclass

TOTAL = "Aggregated"
SETTLE_S = 5.0  # left out at a step's start: rows of a distributed run are up to 3 s old, and slow calls lag behind
SHORTEST_STEP_S = 5.0  # a level held for less belongs to a ramp
MAX_NAMED = 8  # levels of a ramp, in a note
PERCENTILES_AFTER_S = 20.0  # Locust's percentiles look back 10 s, at worst 19
REPORT_INTERVAL_S = 3  # workers report every 3 s: windows of whole multiples begin and end equally stale
PERCENTILES = {"p50_s": "50%", "p95_s": "95%", "p99_s": "99%"}


@dataclass(frozen=True, slots=True)
class Counts:
    """Cumulative counts of one name; response times are milliseconds, over successes and failures."""

    requests: int
    failures: int
    total_ms: float
    percentiles_ms: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One second of the history; counts by (type, name), the total under ("", "Aggregated")."""

    at: int
    users: int
    counts: dict[tuple[str, str], Counts]


class Dropped(typing.NamedTuple):
    """A level of users that was held too briefly to be a step."""

    users: int
    held_s: float


NOTHING = Counts(0, 0, 0.0, (None,) * len(PERCENTILES))
EVERYTHING = ("", TOTAL)


def history_steps(snapshots: list[Snapshot], settle_s: float) -> tuple[list[dict], list[str], list[Dropped]]:
    """(rows of `locust_csv.read_run`'s table, notes on what was left out, levels held too briefly to be a step)."""
    if len(snapshots) < 2:
        return [], [], []
    interval = (snapshots[-1].at - snapshots[0].at) / (len(snapshots) - 1)
    rows, dropped, short, visit = [], [], [], 0
    for level in _levels(snapshots):
        # n rows stand for n intervals of a level, though only n - 1 lie between its first and its last row
        held_s = len(level) * interval
        if held_s < SHORTEST_STEP_S - interval / 4 or len(level) < 3:
            dropped.append(Dropped(level[0].users, held_s))
            continue
        visit += 1
        end = len(level) - 1
        wanted = math.ceil(settle_s / interval)
        skip = min(wanted, end // 2)  # at least half of a short step is measured
        if skip < wanted:
            short.append(f"{_users(level[0].users)} ({held_s:.0f} s, its first {skip * interval:.0f} s left out)")
        if interval < 1.5 and end - skip >= 2 * REPORT_INTERVAL_S:
            end -= (end - skip) % REPORT_INTERVAL_S
        rows += [{"step": visit, **row} for row in _step_rows(level[skip], level[end], end - skip, interval, end)]
    notes = [f"the first {settle_s:g} s of every step are left out"] if visit > len(short) and settle_s else []
    if short:
        notes.append(
            f"too short to leave out {settle_s:g} s, so measured over about their second half: {', '.join(short)}"
        )
    if dropped:
        notes.append(f"left out, held for less than {SHORTEST_STEP_S:g} s: {dropped_text(dropped)}")
    return rows, notes, dropped


def dropped_text(dropped: list[Dropped]) -> str:
    """`1 user (2 s), 2 users (2 s)`; of many the longest held, and how many more."""
    longest = sorted(dropped, key=lambda d: -d.held_s)[:MAX_NAMED]
    shown = [f"{_users(d.users)} ({d.held_s:.0f} s)" for d in dropped if d in longest][:MAX_NAMED]
    rest = len(dropped) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _users(users: int) -> str:
    return f"{users} user" + ("" if users == 1 else "s")


def _levels(snapshots: list[Snapshot]) -> Iterator[list[Snapshot]]:
    """Stretches at one level of users; counters that went back (a reset, a new run) begin a new stretch."""
    level: list[Snapshot] = []
    for snapshot in snapshots:
        if level:
            before = level[-1]
            reset = snapshot.counts[EVERYTHING].requests < before.counts[EVERYTHING].requests
            if snapshot.users != before.users or reset:
                yield level
                level = []
        if snapshot.users > 0:
            level.append(snapshot)
    if level:
        yield level


def _step_rows(first: Snapshot, last: Snapshot, rows: int, interval: float, rows_before_end: int) -> Iterator[dict]:
    # Timestamps are whole seconds: counting rows is closer, unless a stall of the writer makes the two disagree.
    by_stamp, by_rows = last.at - first.at, rows * interval
    seconds = by_rows if abs(by_stamp - by_rows) <= 1 else by_stamp
    full_history = len(last.counts) > 1
    names = sorted(last.counts, key=lambda key: (key != EVERYTHING, key))
    for key in names:
        before, after = first.counts.get(key, NOTHING), last.counts[key]
        requests, failures = after.requests - before.requests, after.failures - before.failures
        if requests == 0 and key != EVERYTHING:
            continue
        shown = full_history and requests > 0 and rows_before_end * interval >= PERCENTILES_AFTER_S
        percentiles = after.percentiles_ms if shown else NOTHING.percentiles_ms
        yield {
            "users": last.users,
            "type": key[0],
            "name": key[1],
            **figures(requests, failures, seconds),
            "latency_mean_s": (after.total_ms - before.total_ms) / requests / 1000 if requests else None,
            **{name: value and value / 1000 for name, value in zip(PERCENTILES, percentiles, strict=True)},
            "start_at": first.at,
            "end_at": last.at,
            "basis": "step of the history",
        }


def figures(requests: int, failures: int, seconds: float | None) -> dict:
    """What a step's counts say."""
    return {
        "seconds": seconds,
        "successes": requests - failures,
        "failures": failures,
        "error_rate": failures / requests if requests else None,
        "successes_per_s": (requests - failures) / seconds if seconds else None,
        "failures_per_s": failures / seconds if seconds else None,
    }
