"""A limit at one stage: met, missed, undecided or unknown."""

import dataclasses
import typing

from analysis.verdicts.slo_criteria import Criterion
from analysis.words.stage_figures import Limits

State = typing.Literal["met", "missed", "undecided", "unknown"]
MARKS: dict[State, str] = {"met": "✓", "missed": "✗", "undecided": "?", "unknown": "?"}


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """A criterion at one stage."""

    criterion: Criterion
    value: float | None
    state: State
    why: str | None = None  # why it is undecided or unknown, or missed although the successes keep it
    n: int | None = None  # of how many values it is; None where nothing was counted
    beyond: bool = False  # undecided or unknown: its own figure, failures counted as above the limit, is beyond it

    @property
    def cell(self) -> str:
        """`1.21 s ✓`, `0.50 s, with 900 failures above it ✗`, `all 240 failed ✗`, `? why the value is not known`."""
        if self.state == "unknown":
            return f"{MARKS[self.state]} {self.why}"
        why = self.why if self.state == "missed" else None
        value = None if why and self.value is None else self.criterion.show(self.value)
        return f"{', '.join(filter(None, (value, why)))} {MARKS[self.state]}"

    @property
    def open_text(self) -> str:
        """`latency p95 ≤ 2 s (too few samples: 60, 0 of them above; 12 more, none above, would show that it is met)`"""
        return f"{self.criterion.text} ({self.why})"


def plain(criterion: Criterion, value: float | None, why_unknown: str, n: int | None) -> Check:
    """By plain comparison. n: of how many values it is."""
    if value is None:
        return Check(criterion, None, "unknown", why_unknown, n)
    return Check(criterion, value, "met" if criterion.kept(value) else "missed", None, n)


def overall(checks: list[Check]) -> Limits:
    """All limits together."""
    order: tuple[State, ...] = ("missed", "unknown", "undecided", "met")
    states = [c.state for c in checks]
    return Limits(
        slo=next((s for s in order if s in states), "none"),
        slo_failed=", ".join(c.criterion.name for c in checks if c.state == "missed"),
        slo_open="; ".join(c.open_text for c in open_checks(checks)),
    )


def open_checks(checks: list[Check]) -> list[Check]:
    """The limits that are neither met nor missed."""
    return [c for c in checks if c.state in ("undecided", "unknown")]
