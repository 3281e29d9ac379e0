"""Which stages a scenario has, and when a measured window ends: pure functions."""

import typing

from locustfiles.common.planning.inputs import Inputs
from locustfiles.contract.scenario.loads import Level, Load

USERS_A_SECOND = 100  # start; Locust warns above
STOP_S = 2  # Locust waits so much longer than a request for users to stop
START_S = 2.0  # users of the closed loop send their first requests within so long, each at a moment of its own


class Group(typing.NamedTuple):
    """The ascending levels of one target with one payload; none of a search, which finds its own."""

    target: str
    payload: str
    load: Load
    levels: list[Level]
    repeat: int = 1


def needs_statistics(load: Load) -> bool:
    """Whether a rule of its windows works out intervals."""
    return load.find is not None or bool(load.until and load.until.relative_ci)


def plan(inputs: Inputs) -> list[Group]:
    """Every group of a scenario in the order they run. A repetition comes after all others of the one before, so that
    what changes in time shows between them."""
    groups = []
    loads = [(target, inputs.scenario.load_of(target)) for target in inputs.scenario.targets]
    for repeat in range(1, max(load.repeat for _, load in loads) + 1):
        for target, load in loads:
            if repeat <= load.repeat:
                levels = inputs.levels_of(load)
                groups += [Group(target.name, stem, load, levels, repeat) for stem in inputs.stems_of(target.name)]
    return groups
