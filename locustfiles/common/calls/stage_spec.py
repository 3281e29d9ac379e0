"""Which stage a request belongs to."""

import dataclasses


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
