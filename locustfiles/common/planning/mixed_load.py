"""What the parts of a mix share that lies ahead: its users, its time, and the hours of a target that several parts ask."""

import typing

from locustfiles.common.planning.plan import Group


class Ahead(typing.Protocol):
    """One group that lies ahead."""

    users_share: float  # of the level's users, those that wait for this part's calls
    by_hour: bool  # whether its target's hours count here
    round_s: float  # a user's call and its pause
    turns: float  # requests that one draw brings: more than one of conversations

    @property
    def group(self) -> Group: ...


def share_out(groups: typing.Sequence[Ahead]) -> None:
    """Which part of a mix's users each of its parts has on average: by its weight, how many calls a draw brings, and how long they
    take. Of an hourly target that several parts ask, the hours count at the first."""
    for repeat in {g.group.repeat for g in groups if g.group.share is not None}:
        parts = [g for g in groups if g.group.share is not None and g.group.repeat == repeat]
        rounds = [(g.group.share or 0.0) * g.turns * g.round_s for g in parts]
        for n, part in enumerate(parts):
            part.users_share = rounds[n] / sum(rounds) if sum(rounds) else 0.0
            part.by_hour = part.group.target not in [other.group.target for other in parts[:n]]


def seconds_of(groups: typing.Iterable[tuple[Group, float]]) -> float:
    """Of groups one after the other, each with how long it takes; the parts of a mix take their time together."""
    mixes: dict[int, float] = {}
    seconds = 0.0
    for group, taken_s in groups:
        if group.share is None:
            seconds += taken_s
        else:
            mixes[group.repeat] = max(mixes.get(group.repeat, 0.0), taken_s)
    return seconds + sum(mixes.values())
