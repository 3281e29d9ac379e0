"""Which stage a request belongs to."""

import dataclasses
import typing

from locustfiles.contract.scenario.mixes import Part


@dataclasses.dataclass(frozen=True, slots=True)
class StageSpec:
    """The stage under way: one visit of (target, payload, users or rate)."""

    stage: int
    target: str
    payload: str
    users: int | None
    rate: int | float | None = None  # a search's whole rates stay whole on their way to a record
    repeat: int = 1
    look: int = 0  # a search that looked at its limits so often found them undecided, and measures on
    part: int = 0  # of a mix: which of its parts, each of which is a stage of its own, numbered one after the other

    @property
    def first(self) -> int:
        """The stage that is under way: of a mix the number of its first part."""
        return self.stage - self.part

    def parts(self, mix: typing.Sequence[Part]) -> list["StageSpec"]:
        """Of a mix that is under way as this stage, its first: one for each part."""
        return [
            dataclasses.replace(self, stage=self.stage + n, target=part.target, payload=part.payload, part=n)
            for n, part in enumerate(mix)
        ]
