"""The knee: the lowest level whose throughput no later level beats by more than 5 %."""

import math
import typing

from analysis.verdicts.place import Place
from analysis.verdicts.pooled_repeats import who_of
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import LevelKind, kind_of, level_text, value_of

GAIN = 0.05


class Knee(typing.NamedTuple):
    """Of one target on one payload: users or rate of the knee, neither where it was not reached; throughput there, else at the top."""

    run: str
    target: str
    payload: str
    users: float | None
    rate: float | None
    state: typing.Literal["reached", "not reached", "quota-limited"]
    throughput_per_s: float | None
    text: str


def knee_of(levels: list[tuple[float, float]]) -> float | None:
    """(level, throughput) pairs -> the level at the knee; None if it is the top level: not reached."""
    ordered, best = sorted(levels), -math.inf  # of the later levels
    found = None
    for (level, rate), (_, later) in zip(ordered[-2::-1], ordered[:0:-1], strict=True):
        best = max(best, later)
        if best <= (1 + GAIN) * rate:
            found = level
    return found


def knees(candidates: list[Result]) -> list[Knee]:
    """Of each place and payload with two levels or more and a success.

    Repetitions of a level are one; INVALID stages are left out. Where calls were throttled at the knee or above it (at the
    top level, if there is none), a quota was measured and not the endpoint.
    """
    groups: dict[tuple[Place, str, LevelKind], list[Result]] = {}
    for c in candidates:
        if c.trusted and c.figures.throughput.throughput_per_s is not None:
            groups.setdefault((c.place, c.payload, kind_of(c.figures)), []).append(c)
    return [
        _knee(*group[0].seat, payload, kind, sorted(group, key=lambda c: value_of(c.figures)))
        for (_, payload, kind), group in groups.items()
        if _enough(group)
    ]


def _enough(group: list[Result]) -> bool:
    """Whether a knee can be asked for: of two levels or more, not all of which are without success."""
    return len(group) > 1 and any(c.per_minute for c in group)


def _knee(run: str, target: str, payload: str, kind: LevelKind, levels: list[Result]) -> Knee:
    """One group's; its levels ascend."""
    level = knee_of([(value_of(c.figures), c.figures.throughput.throughput_per_s or 0.0) for c in levels])
    at = levels[-1] if level is None else next(c for c in levels if value_of(c.figures) == level)
    limited = any("throttled" in (c.figures.outcome.errors or "") for c in levels[levels.index(at) :])
    what, per_minute = f"{who_of(levels)} on `{payload}`", f"{show.number(at.per_minute)} transactions per minute"
    if level is None:
        text = f"{what}: no knee up to {level_text(at.figures)} ({per_minute} there)"
    else:
        text = f"{what}: the knee is at {level_text(at.figures)} ({per_minute}; no later level brings 5 % more)"
    text += ", quota-limited: calls were throttled." if limited else "."
    users, rate = (level, None) if kind == "users" else (None, level)
    state: typing.Literal["reached", "not reached", "quota-limited"] = "not reached" if level is None else "reached"
    if limited:
        state = "quota-limited"
    return Knee(run, target, payload, users, rate, state, at.figures.throughput.throughput_per_s, text)
