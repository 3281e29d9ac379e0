"""Steps of the load from the CSV files that any Locust run leaves: PREFIX_stats.csv and PREFIX_stats_history.csv.

The history has about one row a second with *cumulative* counts; its Requests/s is a sliding mean that freezes when
nothing completes, so a step's figures come from differences of the cumulative columns between two of its rows.
"""

import csv
import math
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

TOTAL = "Aggregated"
SETTLE_S = 5.0  # left out at a step's start: rows of a distributed run are up to 3 s old, and slow calls lag behind
SHORTEST_STEP_S = 5.0  # a level held for less belongs to a ramp
MOST_NAMED = 8  # levels of a ramp, in a note
PERCENTILES_AFTER_S = 20.0  # Locust's percentiles look back 10 s, at worst 19
REPORT_INTERVAL_S = 3  # workers report every 3 s: windows of whole multiples begin and end equally stale
PERCENTILES = {"p50_s": "50%", "p95_s": "95%", "p99_s": "99%"}
KEY = ["Type", "Name"]
HISTORY_COLUMNS = ["Timestamp", "User Count", *KEY, *PERCENTILES.values()]
HISTORY_COLUMNS += ["Total Request Count", "Total Failure Count", "Total Average Response Time"]
TEXT_AND_COUNTS = {"type", "name", "basis", "successes", "failures"}  # all other columns of a step are floats
STATS_COLUMNS = [*KEY, "Request Count", "Failure Count", "Average Response Time", "Requests/s", *PERCENTILES.values()]


class BadLocustCsv(Exception):
    """The files are missing or not Locust's; the text is one line that names the file and the remedy."""


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


@dataclass(frozen=True, slots=True)
class LocustRun:
    """What the files of one run hold: see `read_steps`."""

    prefix: str
    steps: pd.DataFrame
    notes: list[str]
    dropped: list[Dropped]
    by_name: set[str]  # request names in the history


NOTHING = Counts(0, 0, 0.0, (None,) * len(PERCENTILES))
EVERYTHING = ("", TOTAL)


def read_steps(prefix: str | Path, settle_s: float = SETTLE_S) -> tuple[pd.DataFrame, list[str]]:
    """The steps of one Locust run, and notes on what was left out.

    One row per step and request name; name "Aggregated", type "", is the sum. Columns: run, step (number of the visit,
    empty for a whole run), users, type, name, seconds, successes, failures, error_rate (share of requests),
    successes_per_s, failures_per_s, latency_mean_s (failures included, as Locust counts them), p50_s, p95_s, p99_s
    (rounded to two digits by Locust, over its last ~10 s of the step; empty without --csv-full-history or in a step
    shorter than 20 s), start_at, end_at (Unix seconds), basis. Without a history: one row per name over the whole run.
    Raises BadLocustCsv.
    """
    run = read_run(prefix, settle_s)
    return run.steps, run.notes


def read_run(prefix: str | Path, settle_s: float = SETTLE_S) -> LocustRun:
    """The same with what was left out: levels too short for a step, and every request name. Raises BadLocustCsv."""
    prefix = _prefix(prefix)
    history, stats = Path(f"{prefix}_stats_history.csv"), Path(f"{prefix}_stats.csv")
    if not history.exists() and not stats.exists():
        inside = sorted(Path(prefix).glob("*_stats.csv"))
        if inside:
            raise BadLocustCsv(f"{prefix}: is a folder; give the PREFIX of its files, such as {_prefix(inside[0])}")
        raise BadLocustCsv(f"{stats}: no such file, nor {history.name}; give the PREFIX of `locust --csv PREFIX`")
    rows: list[dict] = []
    notes: list[str] = []
    dropped: list[Dropped] = []
    snapshots = _snapshots(history) if history.exists() else []
    if snapshots:
        rows, notes, dropped = _history_steps(snapshots, settle_s)
    if not rows and stats.exists():
        why = "no step in the history" if history.exists() else f"no {history.name}"
        notes.append(f"{why}: one row over the whole run, start and end included")
        rows = _whole_run(stats)
    if not rows:
        raise BadLocustCsv(f"{history}: no level of users was held for {SHORTEST_STEP_S:g} s; run longer steps")
    table = pd.DataFrame(rows)
    table = table.astype({column: float for column in table if column not in TEXT_AND_COUNTS})
    table.insert(0, "run", prefix)
    by_name = {name for snapshot in snapshots for _, name in snapshot.counts} - {TOTAL}
    return LocustRun(prefix, table, notes, dropped, by_name)


def names_in_stats(prefix: str) -> set[str]:
    """Request names in PREFIX_stats.csv; none without one. Raises BadLocustCsv."""
    path = Path(f"{prefix}_stats.csv")
    return {row["Name"] for _, row in _rows(path, STATS_COLUMNS)} - {TOTAL} if path.exists() else set()


def _prefix(given: str | Path) -> str:
    # People paste the file's name as often as the prefix.
    for ending in ("_stats_history.csv", "_stats.csv"):
        if str(given).endswith(ending):
            return str(given).removesuffix(ending)
    return str(given)


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each whole row; a torn last line is passed over."""
    try:
        with open(path, newline="", encoding="utf-8", errors="replace") as file:
            reader = csv.DictReader(file)
            missing = [column for column in columns if column not in (reader.fieldnames or [])]
            if missing:
                raise BadLocustCsv(f"{path}:1: not written by Locust (no column `{missing[0]}`); give the run's PREFIX")
            torn = None
            for row in reader:
                if torn:
                    raise BadLocustCsv(f"{path}:{torn}: fewer cells than the header; the file is damaged")
                if None in row.values():
                    torn = reader.line_num
                else:
                    yield reader.line_num, row
    except (OSError, csv.Error) as error:
        raise BadLocustCsv(f"{path}: cannot be read ({error})") from None


def _snapshots(path: Path) -> list[Snapshot]:
    snapshots, counts = [], {}
    for line, row in _rows(path, HISTORY_COLUMNS):
        try:
            requests = int(row["Total Request Count"])
            total_ms = float(row["Total Average Response Time"]) * requests
            percentiles = tuple(_percentile(row[column]) for column in PERCENTILES.values())
            counts[row["Type"], row["Name"]] = Counts(requests, int(row["Total Failure Count"]), total_ms, percentiles)
            if (row["Type"], row["Name"]) == EVERYTHING:  # Locust writes it last of its second
                snapshots.append(Snapshot(int(row["Timestamp"]), int(row["User Count"]), counts))
                counts = {}
        except ValueError as error:
            raise BadLocustCsv(f"{path}:{line}: not a number where Locust writes one ({error})") from None
    return snapshots


def _percentile(cell: str) -> float | None:
    # Locust writes N/A before the first request, and 0 when nothing completed lately.
    return None if cell == "N/A" or float(cell) == 0 else float(cell)


def _history_steps(snapshots: list[Snapshot], settle_s: float) -> tuple[list[dict], list[str], list[Dropped]]:
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
        notes.append(f"too short to leave out {settle_s:g} s, so measured over about their second half: {', '.join(short)}")
    if dropped:
        notes.append(f"left out, held for less than {SHORTEST_STEP_S:g} s: {dropped_text(dropped)}")
    return rows, notes, dropped


def dropped_text(dropped: list[Dropped]) -> str:
    """`1 user (2 s), 2 users (2 s)`; of many the longest held, and how many more."""
    longest = sorted(dropped, key=lambda d: -d.held_s)[:MOST_NAMED]
    shown = [f"{_users(d.users)} ({d.held_s:.0f} s)" for d in dropped if d in longest][:MOST_NAMED]
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
            **_figures(requests, failures, seconds),
            "latency_mean_s": (after.total_ms - before.total_ms) / requests / 1000 if requests else None,
            **{name: value and value / 1000 for name, value in zip(PERCENTILES, percentiles)},
            "start_at": first.at,
            "end_at": last.at,
            "basis": "step of the history",
        }


def _figures(requests: int, failures: int, seconds: float | None) -> dict:
    return {
        "seconds": seconds,
        "successes": requests - failures,
        "failures": failures,
        "error_rate": failures / requests if requests else None,
        "successes_per_s": (requests - failures) / seconds if seconds else None,
        "failures_per_s": failures / seconds if seconds else None,
    }


def _whole_run(path: Path) -> list[dict]:
    steps = []
    for line, row in _rows(path, STATS_COLUMNS):
        try:
            requests, rate = int(row["Request Count"]), float(row["Requests/s"])
            seconds = requests / rate if rate else None
            step = {"step": None, "users": None, "type": row["Type"], "name": row["Name"]}
            step |= _figures(requests, int(row["Failure Count"]), seconds)
            step["latency_mean_s"] = float(row["Average Response Time"]) / 1000 if requests else None
            for name, column in PERCENTILES.items():
                value = _percentile(row[column])
                step[name] = value and value / 1000
            steps.append(step | {"start_at": None, "end_at": None, "basis": "whole run"})
        except ValueError as error:
            raise BadLocustCsv(f"{path}:{line}: not a number where Locust writes one ({error})") from None
    return sorted(steps, key=lambda step: (step["type"], step["name"]) != EVERYTHING)
