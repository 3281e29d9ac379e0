"""Which stages a scenario has, and when a measured window ends: pure functions."""

import typing

from locustfiles.common.planning.inputs import Inputs
from locustfiles.contract.scenario.loads import Level, Load
from locustfiles.contract.scenario.mixes import Part

USERS_A_SECOND = 100  # start; Locust warns above
STOP_S = 2  # Locust waits so much longer than a request for users to stop
START_S = 2.0  # users of the closed loop send their first requests within so long, each at a moment of its own


class Group(typing.NamedTuple):
    """The ascending levels of one target with one payload; none of a search, which finds its own. Of a mix those of all its
    parts together, named by the first, or, as `alone` makes them, of one part."""

    target: str
    payload: str
    load: Load
    levels: list[Level]
    repeat: int = 1
    parts: tuple[Part, ...] = ()
    share: float | None = None  # of a mix's requests, those of this part

    @property
    def stages(self) -> int:
        """How many are known beforehand: every part of a mix is one."""
        return len(self.levels) * max(1, len(self.parts))


def alone(groups: typing.Sequence[Group]) -> list[Group]:
    """With a group for each part of a mix."""
    found: list[Group] = []
    for group in groups:
        each = [group._replace(target=t, payload=p, parts=(), share=share) for t, p, share in group.parts]
        found += each or [group]
    return found


def call_seconds(group: Group, groups: typing.Sequence[Group], latencies_s: typing.Mapping[str, float]) -> float:
    """Mean latency of the calls that its users make: of a mix's part those of all its parts. groups: of single parts;
    latencies_s: of calls of targets, this group's among them."""
    beside = [g for g in groups if g.share is not None and g.repeat == group.repeat and g.target in latencies_s]
    if group.share is None or not beside:
        return latencies_s[group.target]
    return sum((g.share or 0.0) * latencies_s[g.target] for g in beside) / sum(g.share or 0.0 for g in beside)


def needs_statistics(load: Load) -> bool:
    """Whether a rule of its windows works out intervals."""
    return load.find is not None or bool(load.until and load.until.relative_ci)


def plan(inputs: Inputs) -> list[Group]:
    """Every group of a scenario in the order they run. A repetition comes after all others of the one before, so that
    what changes in time shows between them."""
    groups: list[Group] = []
    if parts := tuple(inputs.scenario.parts):
        whole, first = inputs.scenario.load, parts[0]
        levels = inputs.levels_of(whole)
        return [Group(first.target, first.payload, whole, levels, n + 1, parts) for n in range(whole.repeat)]
    loads = [(target, inputs.scenario.load_of(target)) for target in inputs.scenario.targets]
    for repeat in range(1, max(load.repeat for _, load in loads) + 1):
        for target, load in loads:
            if repeat <= load.repeat:
                levels = inputs.levels_of(load)
                groups += [Group(target.name, stem, load, levels, repeat) for stem in inputs.stems_of(target.name)]
    return groups
