"""The knee: the lowest level whose throughput no later level beats by more than 5 %."""

import pandas as pd

from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import kind_of, level_text, value_of

GAIN = 0.05
COLUMNS = ["run", "target", "payload", "users", "rate", "state", "throughput_per_s", "text"]


def knee_of(levels: list[tuple[float, float]]) -> float | None:
    """(level, throughput) pairs -> the level at the knee; None if it is the top level: not reached."""
    ordered = sorted(levels)
    for i, (level, rate) in enumerate(ordered[:-1]):
        if max(later for _, later in ordered[i + 1 :]) <= (1 + GAIN) * rate:
            return level
    return None


def knees(candidates: list[Result]) -> pd.DataFrame:
    """A row per (run, target, payload) with two levels or more and a success; `state`: reached, not reached, quota-limited.

    Repetitions of a level are one; INVALID stages are left out. Where calls were throttled at the knee or above it (at the
    top level, if there is none), a quota was measured and not the endpoint.
    """
    groups: dict[tuple, list[Result]] = {}
    for c in candidates:
        if c.trusted and c.row["throughput_per_s"] is not None:
            groups.setdefault((*c.place, c.row["payload"], kind_of(c.row)), []).append(c)
    rows = [_row(*who, sorted(group, key=lambda c: value_of(c.row))) for who, group in groups.items() if _enough(group)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"users": "Int64", "rate": "float64"})


def _enough(group: list[Result]) -> bool:
    """Whether a knee can be asked for: of two levels or more, not all of which are without success."""
    return len(group) > 1 and any(c.per_minute for c in group)


def _row(run: str, target: str, payload: str, kind: str, levels: list[Result]) -> list:
    """One group's knee; its levels ascend."""
    level = knee_of([(value_of(c.row), c.row["throughput_per_s"]) for c in levels])
    at = levels[-1] if level is None else next(c for c in levels if value_of(c.row) == level)
    limited = any("throttled" in c.row["errors"] for c in levels[levels.index(at) :])
    state = "quota-limited" if limited else "not reached" if level is None else "reached"
    what, per_minute = f"{at.who} on `{payload}`", f"{show.number(at.per_minute)} transactions per minute"
    if level is None:
        text = f"{what}: no knee up to {level_text(at.row)} ({per_minute} there)"
    else:
        text = f"{what}: the knee is at {level_text(at.row)} ({per_minute}; no later level brings 5 % more)"
    text += ", quota-limited: calls were throttled." if limited else "."
    found = (level, None) if kind == "users" else (None, level)
    return [run, target, payload, *found, state, at.row["throughput_per_s"], text]
