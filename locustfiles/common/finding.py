"""Runs a search for the highest level that keeps the limits, stage by stage, and says what it found."""

import math
import time
import typing

from locustfiles.common.loads import Level
from locustfiles.common.plan import Group
from locustfiles.common.run_folder import Finding
from locustfiles.common.search import Search
from locustfiles.common.slo import Slo
from locustfiles.common.stage import Stage

if typing.TYPE_CHECKING:
    from locustfiles.common.stages import Sweep


def find(sweep: "Sweep", group: Group) -> Finding:
    """Measure the levels that the search asks for, each after a drain, until it is over or its time is."""
    asked, scenario = group.load.find, sweep.run.inputs.scenario
    slo = asked.slo or scenario.slo
    search, numbers = Search(asked.up_to, asked.of), []
    over = time.monotonic() + asked.at_most_s
    in_time = True
    while (value := search.next()) is not None:
        in_time = time.monotonic() + sweep.run.inputs.stage_s(group.load) <= over
        if not in_time:
            break
        level = Level(int(value), None) if asked.of == "users" else Level(None, value)
        stage = sweep.measure(group, level, slo)
        sweep.drain()
        search.note(value, _outcome(stage, slo))
        numbers.append(stage.visit.stage)
    return Finding(
        target=group.target,
        payload=group.payload,
        of=asked.of,
        answer=search.low,
        fails_at=search.high,
        confirmed=search.confirmed and in_time,
        why=_why(search, in_time, asked.at_most_s),
        outcomes={f"{level:g}": outcomes for level, outcomes in sorted(search.outcomes.items())},
        stages=numbers,
    )


def _outcome(stage: Stage, slo: Slo) -> str:
    """met, missed or undecided; missed, too, where the stage was aborted or fewer requests were sent than were due."""
    if stage.window.ended_by == "abort":
        return "missed"
    if stage.open_loop:
        due = stage.level.rate * (stage.window.measure_until - stage.window.measure_from)
        if stage.tally.requests + 2 * math.sqrt(due) < 0.95 * due:
            return "missed"
    return stage.tally.keeps(slo)


def _why(search: Search, in_time: bool, at_most_s: float) -> str:
    if not in_time:
        return f"the search's {at_most_s:g} s were too few; raise `find.at_most_s`"
    if search.low is None and search.high is not None and "missed" not in search.outcomes[search.high]:
        return "the samples were too few to decide; measure longer"
    if search.low is None:
        return "the lowest level did not keep the limits"
    if search.high is None:
        return f"the limits hold up to the highest level asked for ({search.up_to:g})"
    if not search.confirmed:
        return "the boundary said different things when measured twice; measure longer"
    if "undecided" in search.outcomes[search.high]:
        return "above it the samples were too few to decide; measure longer"
    return "above it the limits are missed"
