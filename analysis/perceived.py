"""Times and failures as a user perceives them: of calls where requests are retried, from when a request was due in the open loop.

A user who asks while the generator is late waits from then on; a time that ran from the send would leave that out
(coordinated omission).
"""

import typing

import pandas as pd

from analysis import format as show
from analysis.calls import TIMES
from analysis.level import is_open

Row = typing.Mapping[str, typing.Any]


def perceived(row: Row, column: str) -> typing.Any:
    """A column of the steps table as a user perceives it: latency_p95_s, ttft_mean_s, error_rate."""
    if is_open(row) and f"intended_{column}" in row:
        return row[f"intended_{column}"]
    return row[f"call_{column}"] if show.known(row["calls"]) else row[column]


def whose(row: Row) -> str:
    """What belongs behind `latency` in words: nothing, ` of a call, …`, ` from when it was due`."""
    calls = " of a call, retries included," if show.known(row["calls"]) else ""
    return calls + (" from when it was due" if is_open(row) else "")


def perceived_steps(steps: pd.DataFrame) -> pd.DataFrame:
    """The steps table with latency, TTFT and error rate as a user perceives them."""
    changed = {}
    for prefix, concerned in (("call_", steps["calls"].notna()), ("intended_", steps["rate"].notna())):
        for c in steps.columns if concerned.any() else ():
            if f"{prefix}{c}" in steps.columns:
                changed[c] = steps[f"{prefix}{c}"].where(concerned, changed.get(c, steps[c]))
    return steps.assign(**changed) if changed else steps


def from_due(records: pd.DataFrame) -> pd.DataFrame:
    """Records or calls with their times from when they were due; those of the closed loop as they are."""
    delay = records["schedule_delay_ms"].fillna(0.0).to_numpy()
    return records.assign(**{c: records[c].to_numpy() + delay for c in TIMES}) if delay.any() else records
