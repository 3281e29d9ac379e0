"""Steps of the load from the CSV files that any Locust run leaves: PREFIX_stats.csv and PREFIX_stats_history.csv.

The history has about one row a second with *cumulative* counts; its Requests/s is a sliding mean that freezes when
nothing completes, so a step's figures come from differences of the cumulative columns between two of its rows.
"""

import csv
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.locust_csv.steps import (
    EVERYTHING,
    PERCENTILES,
    SETTLE_S,
    SHORTEST_STEP_S,
    TOTAL,
    Counts,
    Dropped,
    Snapshot,
    figures,
    history_steps,
)
from locustfiles.contract.bad_input import BadInput

KEY = ["Type", "Name"]
HISTORY_COLUMNS = ["Timestamp", "User Count", *KEY, *PERCENTILES.values()]
HISTORY_COLUMNS += ["Total Request Count", "Total Failure Count", "Total Average Response Time"]
TEXT_AND_COUNTS = {"type", "name", "basis", "successes", "failures"}  # all other columns of a step are floats
STATS_COLUMNS = [*KEY, "Request Count", "Failure Count", "Average Response Time", "Requests/s", *PERCENTILES.values()]


class BadLocustCsv(BadInput):
    """The files are missing or not Locust's; the text is one line that names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class LocustRun:
    """What the files of one run hold: see `read_run`."""

    prefix: str
    steps: pd.DataFrame
    notes: list[str]
    dropped: list[Dropped]
    by_name: set[str]  # request names in the history


def read_run(prefix: str | Path, settle_s: float = SETTLE_S) -> LocustRun:
    """The steps of one Locust run, notes on what was left out, levels too short for a step, and every request name.

    One row per step and request name; name "Aggregated", type "", is the sum. Columns: run, step (number of the visit,
    empty for a whole run), users, type, name, seconds, successes, failures, error_rate (share of requests),
    successes_per_s, failures_per_s, latency_mean_s (failures included, as Locust counts them), p50_s, p95_s, p99_s
    (rounded to two digits by Locust, over its last ~10 s of the step; empty without --csv-full-history or in a step
    shorter than 20 s), start_at, end_at (Unix seconds), basis. Without a history: one row per name over the whole run.
    Raises BadLocustCsv.
    """
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
        rows, notes, dropped = history_steps(snapshots, settle_s)
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
                    raise BadLocustCsv(f"{path}:{torn}: fewer cells than the header; the file is damaged, give another")
                if None in row.values():
                    torn = reader.line_num
                else:
                    yield reader.line_num, row
    except (OSError, csv.Error) as error:
        raise BadLocustCsv(f"{path}: cannot be read ({error}); give the files that Locust wrote") from None


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
            raise BadLocustCsv(
                f"{path}:{line}: not a number where Locust writes one ({error}); give the file that Locust wrote"
            ) from None
    return snapshots


def _percentile(cell: str) -> float | None:
    # Locust writes N/A before the first request, and 0 when nothing completed lately.
    return None if cell == "N/A" or float(cell) == 0 else float(cell)


def _whole_run(path: Path) -> list[dict]:
    steps = []
    for line, row in _rows(path, STATS_COLUMNS):
        try:
            requests, rate = int(row["Request Count"]), float(row["Requests/s"])
            seconds = requests / rate if rate else None
            step: dict[str, typing.Any] = {"step": None, "users": None, "type": row["Type"], "name": row["Name"]}
            step |= figures(requests, int(row["Failure Count"]), seconds)
            step["latency_mean_s"] = float(row["Average Response Time"]) / 1000 if requests else None
            for name, column in PERCENTILES.items():
                value = _percentile(row[column])
                step[name] = value and value / 1000
            steps.append(step | {"start_at": None, "end_at": None, "basis": "whole run"})
        except ValueError as error:
            raise BadLocustCsv(
                f"{path}:{line}: not a number where Locust writes one ({error}); give the file that Locust wrote"
            ) from None
    return sorted(steps, key=lambda step: (step["type"], step["name"]) != EVERYTHING)
