"""Runs a search for the highest level that keeps the limits, stage by stage, and says what it found."""

import time
import typing

from locustfiles.common.planning.bisection import Search
from locustfiles.common.planning.plan import Group
from locustfiles.common.planning.sample_sizes import strictest_percentile
from locustfiles.common.recording.resume import measured
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.stages.stage import Stage
from locustfiles.contract.manifest import Finding, StageWindow
from locustfiles.contract.scenario.loads import Find, Level
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.statistics.binomial import LEVELS, fewest, written


def find(
    run: RunRecorder,
    group: Group,
    asked: Find,
    measure: typing.Callable[[Group, Level, Slo], Stage],
    drain: typing.Callable[[], None],
) -> Finding:
    """Measure the levels that the search asks for, each after a drain, until it is over or its time is. What a part of the
    run before has measured of it counts, with the time that it took."""
    scenario = run.inputs.scenario
    slo = scenario.slo_of(scenario.target(group.target))
    search = Search(asked.up_to, asked.of)
    numbers, spent_s = _measured_before(run, group, search)
    over = time.monotonic() + asked.at_most_s - spent_s
    in_time = True
    while (value := search.next()) is not None:
        in_time = time.monotonic() + run.inputs.stage_s(group.load) <= over
        if not in_time:
            break
        level = Level(int(value), None) if asked.of == "users" else Level(None, value)
        stage = measure(group, level, slo)
        drain()
        search.note(value, stage.window.outcome or "undecided")
        numbers.append(stage.spec.stage)
    visits = measured(run.manifest, group)
    skipped = [w.stage for w in visits if w.ended_by == "skip" and _level(w) == search.high]
    # some of it may have shown since
    unsound = [w.stage for w in visits if not run.is_sound(w) and not (w.ended_by == "skip" and w.measure_from is None)]
    return Finding(
        target=group.target,
        payload=group.payload,
        of=asked.of,
        answer=search.low,
        fails_at=search.high,
        confirmed=search.confirmed and in_time and not unsound and not skipped,
        why=_skipped(skipped)
        or _why(search, in_time, asked.at_most_s, unsound, _too_few(strictest_percentile(scenario, group.target))),
        outcomes={f"{level:g}": outcomes for level, outcomes in sorted(search.outcomes.items())},
        stages=numbers,
    )


def _measured_before(run: RunRecorder, group: Group, search: Search) -> tuple[list[int], float]:
    """Note what was measured before the run was interrupted: the stages, and the seconds that they took."""
    numbers, spent_s = [], 0.0
    for window in measured(run.manifest, group):
        level = _level(window)
        if level is not None and window.outcome and window.hold_until:  # `resumed` has kept no others
            search.note(level, window.outcome)
            numbers.append(window.stage)
            spent_s += window.hold_until - window.started_at
    return numbers, spent_s


def _level(window: StageWindow) -> float | None:
    return window.rate if window.users is None else window.users


def _skipped(stages: list[int]) -> str:
    """Of the lowest level that does not count as one that keeps the limits: whoever skipped may have chosen the moment."""
    named = (
        f"stage{'s' if len(stages) > 1 else ''} {', '.join(map(str, stages))} {'were' if len(stages) > 1 else 'was'}"
    )
    return f"{named} skipped: nobody knows whether that level keeps the limits; search again" if stages else ""


def _too_few(percentile: str | None) -> str:
    needs = f" ({written(percentile)} needs at least {fewest(LEVELS[percentile]):,})" if percentile else ""
    return f"the samples were too few to decide{needs}; measure longer"


def _why(search: Search, in_time: bool, at_most_s: float, unsound: list[int], too_few: str) -> str:
    if unsound:
        return f"stage {', '.join(map(str, unsound))} cannot be trusted (see the run's problems); --resume measures it again"
    if not in_time:
        return f"the search's {at_most_s:g} s were too few; raise `find.at_most_s`"
    if search.low is None and search.high is not None and "missed" not in search.outcomes[search.high]:
        return too_few
    if search.low is None:
        return "the lowest level did not keep the limits"
    if search.high is None:
        return f"the limits hold up to the highest level asked for ({search.up_to:g})"
    if not search.confirmed:
        return "the boundary said different things when measured twice; measure longer"
    if "undecided" in search.outcomes[search.high]:
        return f"above it {too_few}"
    return "above it the limits are missed"
