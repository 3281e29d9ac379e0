"""Levels of the load in a history: stretches at one number of users, and in a Swarmledger run the stages within them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analysis.locust_csv.counts import History, Key

STRAGGLERS = 3  # a stage with fewer seconds in which answers came is another's late calls
APART_S = 5.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Target and level of requests named `TARGET PAYLOAD @LEVEL`; users are empty in the open loop."""

    target: str
    level: str
    users: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """Rows from `first` to `last`, at one number of users, of one stage where there are stages."""

    first: int
    last: int
    users: int
    stage: Stage | None = None


def stage_of(key: Key, targets: Iterable[str]) -> Stage | None:
    """None for a warm-up, and for requests that are not named so."""
    found = re.search(r" @([0-9.]+)(/s)?$", key.name)
    target = next((name for name in targets if key.name.startswith(f"{name} ")), None)
    if not found or target is None:
        return None
    return Stage(target, found[0].strip(), None if found[2] else float(found[1]))


def levels_of(history: History, stages: dict[Stage, list[Key]]) -> list[Level]:
    """In the order of time. Users go and counters fall back: each begins a new level; so does another stage."""
    levels = list(_at_one_number(history))
    if not stages:
        return levels
    visits = _visits(history, stages)
    found = []
    for level in levels:
        for first, last, stage in visits:
            a, b = max(first, level.first), min(last, level.last)
            if a < b and stage.users in (None, level.users):
                found.append(Level(a, b, level.users, stage))
    return found


def _at_one_number(history: History) -> Iterator[Level]:
    seconds, first = history.seconds, 0
    for i, second in enumerate(seconds):
        after = seconds[i + 1] if i + 1 < len(seconds) else None
        if after is None or (after.users, after.resets) != (second.users, second.resets):
            if second.users > 0:
                yield Level(first, i, second.users)
            first = i + 1


def _visits(history: History, stages: dict[Stage, list[Key]]) -> list[tuple[int, int, Stage]]:
    """First and last row of each stage: from its first answer to the row before the next stage's first.

    Users and names do not say when a stage ended: its late answers come during the next, and are not another visit.
    """
    moves = {stage: history.moves(key for key in keys if key in history.series) for stage, keys in stages.items()}
    begun: list[tuple[int, Stage]] = []
    for stage, own in moves.items():
        others = sorted(row for other, rows in moves.items() if other != stage for row in rows)
        visit: list[int] = []
        for row in own:
            if visit and _another_between(others, visit[-1], row, history):
                begun += [(visit[0], stage)] if len(visit) >= STRAGGLERS else []
                visit = []
            visit.append(row)
        begun += [(visit[0], stage)] if len(visit) >= STRAGGLERS else []
    begun.sort(key=lambda entry: entry[0])
    ends = [first - 1 for first, _ in begun[1:]] + [len(history.seconds) - 1] * bool(begun)
    return [(first, end, stage) for (first, stage), end in zip(begun, ends, strict=True)]


def _another_between(others: list[int], a: int, b: int, history: History) -> bool:
    between = [row for row in others if a < row < b]
    return len(between) >= STRAGGLERS and history.seconds[b].at - history.seconds[a].at > APART_S
