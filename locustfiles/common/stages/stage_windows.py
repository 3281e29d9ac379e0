"""The manifest's entry of a stage under way, or those of all parts of a mix, which share one window."""

import typing

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.mixes import Part

_SHARED = ("settle_from", "measure_from", "measure_until", "hold_until", "ended_by", "steady", "whole", "workers")


def windows_of(spec: StageSpec, parts: typing.Sequence[Part], started_at: float, load: Load) -> list[StageWindow]:
    """parts: of a mix, else none."""
    ramp = [load.ramp.begin, load.ramp.end] if load.ramp else None
    specs = spec.parts(parts) if parts else [spec]
    return [
        StageWindow(
            one.stage, one.repeat, one.target, one.payload, one.users, one.rate, started_at,
            mix=[each.stage for each in specs] if parts else None,
            ramp=ramp,
            mix_share=parts[n].share if parts else None,
        )
        for n, one in enumerate(specs)
    ]  # fmt: skip


def share(windows: typing.Sequence[StageWindow]) -> None:
    """What is noted at the first window is so of all."""
    first, *others = windows
    for window in others:
        for name in _SHARED:
            setattr(window, name, getattr(first, name))
