"""A stage's level: users in the closed loop, planned requests/s in the open loop. The two are never compared as numbers.

A row is any mapping with `users` and `rate`, one of which is known.
"""

import typing

from analysis.words import format as show

Row = typing.Mapping[str, typing.Any]


def is_open(row: Row) -> bool:
    """Whether requests were sent when they were due (open loop), whatever became of those before."""
    return not show.known(row["users"]) and show.known(row["rate"])


def value_of(row: Row) -> float:
    """The number alone: users or requests/s."""
    return row["rate"] if is_open(row) else row["users"]


def kind_of(row: Row) -> str:
    """users or rate."""
    return "rate" if is_open(row) else "users"


def level_text(row: Row) -> str:
    """`1 user`, `5 users` or `2.5 requests/s`."""
    if is_open(row):
        return f"{row['rate']:g} request{'' if row['rate'] == 1 else 's'}/s"
    return f"{show.count(row['users'])} user" + ("" if row["users"] == 1 else "s")


def short_level(row: Row) -> str:
    """`5` or `2.5/s`."""
    return f"{row['rate']:g}/s" if is_open(row) else show.count(row["users"])
