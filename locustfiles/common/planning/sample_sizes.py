"""Which targets' stages will have too few answers to decide their limits, told before a run from one recorded call of each.

A percentile needs so many answers that it is met if all of them are inside the limit. The smallest level has the fewest; its
calls are taken to be as quick as the first one.
"""

import math

from locustfiles.common.planning.bisection import LOOKS, Search
from locustfiles.common.planning.first_call import Call
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import Group, alone, call_seconds
from locustfiles.common.planning.turns_ahead import turns_of
from locustfiles.contract.scenario.loads import Level
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.slo import Limits
from locustfiles.contract.statistics.binomial import LEVELS, fewest, written

SPARE = 1.1  # on a window's length: calls are not all as quick as the first


def too_small_samples(inputs: Inputs, groups: list[Group], calls: dict[str, Call]) -> list[str]:
    """A line for each target in `calls` with too few answers at its smallest level; groups: those that are still to come."""
    groups, latencies_s = alone(groups), {name: call.latency_s for name, call in calls.items()}
    lowest: dict[str, tuple[Level, Group]] = {}
    for group in groups:
        level = _lowest(group)
        least = lowest.get(group.target)
        if group.target in calls and (not least or (level, group.share or 1) < (least[0], least[1].share or 1)):
            lowest[group.target] = level, group
    lines = (_line(inputs, g, level, call_seconds(g, groups, latencies_s)) for level, g in lowest.values())
    return [line for line in lines if line]


def _lowest(group: Group) -> Level:
    if not group.load.find:
        return group.levels[0]
    first = Search(group.load.find.up_to, group.load.find.of).first
    return Level(int(first), None) if group.load.find.of == "users" else Level(None, first)


#: limits that a search goes by, and that a report judges besides
_SEARCHED, _JUDGED = ("latency_s", "ttft_s"), ("latency_s", "ttft_s", "ttft_visible_s", "tpot_ms")


def strictest_percentile(scenario: Scenario, name: str, keys: tuple[str, ...] = _JUDGED) -> str | None:
    """The highest percentile that a target's limits name: it needs the most answers."""
    target, slo = scenario.target(name), scenario.slo_of(scenario.target(name))
    limits = [getattr(slo, key) for key in keys if target.stream or key == "latency_s"]
    named = [level for level in LEVELS if any(getattr(limit, level, None) is not None for limit in limits)]
    return max(named, key=LEVELS.__getitem__, default=None)


def search_decides(scenario: Scenario, name: str, level: Level, call_s: float) -> bool:
    """Whether a searched level has answers enough for its limits by the last look, with calls as quick as that."""
    percentile, load = strictest_percentile(scenario, name, _SEARCHED), scenario.load_of(scenario.target(name))
    answers = LOOKS[-1] * load.at_most_s / level.apart_s(call_s + load.pause_s)
    return percentile is None or answers >= fewest(LEVELS[percentile])


def beyond_limits(scenario: Scenario, name: str, call: Call) -> bool:
    """Whether a call without load takes longer than any limit allows: no level will keep it."""
    slo, target = scenario.slo_of(scenario.target(name)), scenario.target(name)
    timed = [(slo.latency_s, call.latency_s), (slo.ttft_s if target.stream else None, call.ttft_s)]
    return any(took is not None and limits is not None and _below(limits, took) for limits, took in timed)


def _below(limits: Limits, took_s: float) -> bool:
    return any(limit is not None and limit < took_s for limit in limits.model_dump().values())


def _line(inputs: Inputs, group: Group, level: Level, call_s: float) -> str | None:
    percentile, load = strictest_percentile(inputs.scenario, group.target), group.load
    if percentile is None:
        return None
    needed = fewest(LEVELS[percentile])
    each_s = level.apart_s(call_s + load.pause_s) / (group.share or 1.0)
    each_s /= turns_of(inputs.payloads[group.payload], most=False) if load.open_loop else 1
    times = LOOKS[-1] if load.find else 1
    answers: float
    if load.replay:
        answers, window = len(inputs.traces[load.replay]), "the replay"
        remedy = "replay more arrivals"
    else:
        answers, span = (
            times * load.at_most_s / each_s,
            f"{load.at_most_s:g}" if times == 1 else f"{times} x {load.at_most_s:g}",
        )
        window, seconds = f"measure_s {span}", SPARE * needed * each_s
        enough = math.ceil(needed / (group.share or 1.0))
        remedy = f"until: {{requests: {enough}, at_most_s: {math.ceil(2 * seconds)}}}"
        if not load.until:
            remedy = f"measure_s: {math.ceil(seconds / times)}, or {remedy}"
        elif load.until.requests is not None and load.until.requests * (group.share or 1.0) < answers:
            answers, window = load.until.requests * (group.share or 1.0), f"until.requests {load.until.requests}"
        else:
            window = f"until.at_most_s {span}"
        remedy = f"set {remedy}"
    if answers >= needed:
        return None
    count = f"about {math.floor(answers)} answers in {window}"
    needs = f"{written(percentile)} needs {needed:,}, all of them inside its limit"
    part = f" (a part of {100 * group.share:.3g} % of the mix)" if group.share is not None else ""
    return f"target `{group.target}`{part} at {level.text}: {count}; {needs}: {remedy}"
