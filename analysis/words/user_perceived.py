"""Which column says what a user perceives: of a request, of a call with its retries, or from when it was due."""

import typing

from analysis.words import format as show
from analysis.words.level import is_open

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
