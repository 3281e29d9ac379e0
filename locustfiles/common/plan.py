"""Which stages a scenario has, and when a measured window ends: pure functions."""

import itertools
import typing

from locustfiles.common.inputs import Inputs
from locustfiles.common.run import Tally
from locustfiles.common.scenario import Load
from locustfiles.common.sender import Visit


class Group(typing.NamedTuple):
    """The ascending visits of one target with one payload."""

    target: str
    payload: str
    load: Load
    visits: list[Visit]


def plan(inputs: Inputs) -> list[Group]:
    """Every group of a scenario in the order they run; visits are numbered from 1."""
    number = itertools.count(1)
    groups = []
    for target in inputs.scenario.targets:
        load = inputs.scenario.load_of(target)
        for stem in inputs.stems_of(target.name):
            visits = [Visit(next(number), target.name, stem, users) for users in load.users]
            groups.append(Group(target.name, stem, load, visits))
    return groups


def window_ends(elapsed_s: float, load: Load, tally: Tally) -> str | None:
    """Why a window that has been open for `elapsed_s` ends now (abort, requests, time), or None."""
    abort = load.abort_stage
    if abort and tally.requests >= abort.after_requests and tally.failed > abort.error_rate * tally.requests:
        return "abort"
    if load.until and tally.requests >= load.until.requests:
        return "requests"
    return "time" if elapsed_s >= load.at_most_s else None
