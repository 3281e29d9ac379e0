"""The knee: the lowest level whose throughput no later level beats by more than 5 %."""

import pandas as pd

from analysis import format as show
from analysis.results import Result

GAIN = 0.05
COLUMNS = ["run", "target", "payload", "users", "state", "throughput_per_s", "text"]


def knee_of(levels: list[tuple[int, float]]) -> int | None:
    """(users, throughput) pairs -> users at the knee; None if it is the top level: not reached."""
    ordered = sorted(levels)
    for i, (users, rate) in enumerate(ordered[:-1]):
        if max(later for _, later in ordered[i + 1 :]) <= (1 + GAIN) * rate:
            return users
    return None


def knees(results: list[Result]) -> pd.DataFrame:
    """A row per (run, target, payload) with two levels or more; `state`: reached, not reached, quota-limited.

    Repetitions of a level are averaged; INVALID stages are left out. Where calls were throttled at the knee
    or above it (at the top level, if there is none), a quota was measured and not the endpoint.
    """
    groups: dict[tuple, list[Result]] = {}
    for r in results:
        if r.trusted and r.rate:
            groups.setdefault((*r.place, r.row["payload"]), []).append(r)
    rows = []
    for (run, target, payload), group in groups.items():
        means = pd.Series([r.rate / 60 for r in group], index=[r.row["users"] for r in group]).groupby(level=0).mean()
        if len(means) < 2:
            continue
        users = knee_of(list(means.items()))
        top = int(means.index.max())
        limited = any("throttled" in r.row["errors"] for r in group if r.row["users"] >= (users or top))
        state = "quota-limited" if limited else "reached" if users else "not reached"
        rate = float(means.get(users or top))
        rows.append([run, target, payload, users, state, rate, _text(target, payload, users, top, rate, limited)])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"users": "Int64"})


def _text(target: str, payload: str, users: int | None, top: int, rate: float, limited: bool) -> str:
    what, per_minute = f"`{target}` on `{payload}`", f"{show.number(60 * rate)} transactions per minute"
    if users is None:
        text = f"{what}: no knee up to {top} users ({per_minute} there)"
    else:
        text = f"{what}: the knee is at {users} users ({per_minute}; no later level brings 5 % more)"
    return text + (", quota-limited: calls were throttled." if limited else ".")
