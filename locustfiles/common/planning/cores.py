"""Which levels need more than one core to be sent, told before a run from a target's first calls.

What a call costs the sending process grows with its answer's pieces. Another processor than the measured one may be twice as quick
or as slow, so that a level is told only where it plainly needs more.
"""

import math
import os

from locustfiles.common.planning.first_call import Call
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import Group, alone, call_seconds
from locustfiles.common.planning.turns_ahead import turns_of
from locustfiles.contract.capacity import FULL, ROOM, call_ms
from locustfiles.contract.scenario.loads import Level


def cores_here() -> int:
    """That this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def too_few_processes(
    inputs: Inputs, groups: list[Group], calls: dict[str, Call], workers: int, distributed: bool, cores: int
) -> list[str]:
    """A line for each target in `calls` whose highest level needs more than the processes that send have, with what to type.
    distributed: they are workers of a master; cores: of this machine."""
    groups, latencies_s = alone(groups), {name: call.latency_s for name, call in calls.items()}
    highest: dict[str, tuple[Level, Group]] = {}
    for group in groups:
        if group.target in calls and group.levels:
            level = group.levels[-1]
            if group.target not in highest or level > highest[group.target][0]:
                highest[group.target] = level, group
    lines = []
    for name, (level, group) in highest.items():
        call_s = (call_seconds(group, groups, latencies_s) + group.load.pause_s) / (group.share or 1.0)
        each_ms = _call_ms(inputs, name, calls[name])
        turns = turns_of(inputs.payloads[group.payload], most=False) if group.load.open_loop else 1
        needed = each_ms / 1000 * turns / level.apart_s(call_s) if call_s > 0 else 0.0
        if needed > FULL * workers:
            some = "one process sends" if workers == 1 else f"{workers} processes send"
            need = f"target `{name}` at {level.text}: about {needed:.1f} cores to send it ({each_ms:.2f} ms a call), and {some}"
            lines.append(f"{need}: {_remedy(math.ceil(needed / ROOM), workers, distributed, cores)}")
    return lines


def _call_ms(inputs: Inputs, name: str, call: Call) -> float:
    tokens = call.answer_tokens if inputs.scenario.target(name).stream else None
    return call_ms(tokens, inputs.scenario.transport == "boto3")


def _remedy(wanted: int, workers: int, distributed: bool, cores: int) -> str:
    if distributed:
        more = wanted - workers
        return f"add {more} worker{'s' * (more != 1)} (--worker --master-host), on cores of their own, or its stages may be SUSPECT"
    if cores > 1:
        return f"start again with --processes {min(wanted, cores)}, or its stages may be SUSPECT"
    return f"this machine has one core for it: start it with --master and {wanted} workers on others, or its stages may be SUSPECT"
