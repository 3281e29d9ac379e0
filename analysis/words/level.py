"""A stage's level: users in the closed loop; in the open loop planned requests/s, of conversations those that are begun a second. They
are never compared as numbers.
"""

import typing

from analysis.words import format as show

LevelKind = typing.Literal["users", "rate"]
LoadKind = typing.Literal[
    "users", "rate", "conversations", "users of a mix", "rate of a mix", "conversations of a mix", "ramp"
]


class Level(typing.Protocol):
    """Whatever has `users` and `rate`, one of which is known: the figures of a stage, a stage of the manifest, a row of a table."""

    @property
    def users(self) -> float | None: ...

    @property
    def rate(self) -> float | None: ...


def is_open(level: Level) -> bool:
    """Whether requests were sent when they were due (open loop), whatever became of those before."""
    return level.users is None and level.rate is not None


def value_of(level: Level) -> float:
    """The number alone: users or requests/s."""
    value = level.rate if level.users is None else level.users
    if value is None:
        raise ValueError("neither users nor a rate")
    return value


def kind_of(level: Level) -> LevelKind:
    """users or rate."""
    return "rate" if is_open(level) else "users"


def load_kind(level: Level) -> LoadKind:
    """What else may be compared by `value_of`: a part of a mix has the others beside it, a ramp is at no level, and a conversation that
    is begun is no request."""
    if getattr(level, "ramp", None):
        return "ramp"
    kind = "conversations" if is_open(level) and getattr(level, "of_conversations", False) else kind_of(level)
    return kind if getattr(level, "mix_share", None) is None else typing.cast(LoadKind, f"{kind} of a mix")


def level_text(level: Level) -> str:
    """`1 user`, `5 users`, `2.5 requests/s` or `2.5 conversations/s`; of a part of a mix `25 % of a mix of 5 users`."""
    share = getattr(level, "mix_share", None)
    return load_text(level) if share is None else f"{show.percent(share)} of a mix of {load_text(level)}"


def ramp_text(ramp: typing.Sequence[float]) -> str:
    """`1 to 20`"""
    return f"{ramp[0]:g} to {ramp[1]:g}"


def load_text(level: Level) -> str:
    """The same of all parts of a mix together."""
    what = "conversation" if getattr(level, "of_conversations", False) else "request"
    if ramp := getattr(level, "ramp", None):
        return f"a ramp from {ramp if isinstance(ramp, str) else ramp_text(ramp)} {what}s/s"
    if is_open(level):
        return f"{level.rate:g} {what}{'' if level.rate == 1 else 's'}/s"
    return f"{show.count(level.users)} user" + ("" if level.users == 1 else "s")


def short_level(level: Level) -> str:
    """`5` or `2.5/s`; of a part of a mix `5 mixed`."""
    mixed = "" if getattr(level, "mix_share", None) is None else " mixed"
    if ramp := getattr(level, "ramp", None):
        return f"{ramp if isinstance(ramp, str) else ramp_text(ramp)}/s{mixed}"
    return (f"{level.rate:g}/s" if is_open(level) else show.count(level.users)) + mixed
