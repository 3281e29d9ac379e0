"""What a comparison found: the one object that its terminal table, Markdown, page and JSON are written from."""

import dataclasses
import datetime
import typing

from analysis.comparison.figures import Said, said
from analysis.verdicts.difference import Difference
from analysis.verdicts.regressions import FAMILY_ERROR
from analysis.verdicts.stage_results import Result
from analysis.words.columns import Column
from locustfiles.contract.version import Build


@dataclasses.dataclass(slots=True)
class Compared:
    """One figure of one run beside the reference's: at a level, or over the `levels` together that have an interval.

    adjusted: p-value of no difference among all that this comparison asks (Holm).
    """

    column: Column
    one: float | None
    other: float | None
    difference: Difference | None
    levels: int = 1
    adjusted: float | None = None

    @property
    def said(self) -> Said:
        """By its own 95 % interval."""
        return said(self.column, self.difference)

    @property
    def sure(self) -> bool:
        """Whether the difference holds among all that is compared."""
        return self.adjusted is not None and self.adjusted <= FAMILY_ERROR


@dataclasses.dataclass(slots=True)
class Level:
    """One level of a target on a payload in the runs that measured it."""

    words: str  # 4 users, 2.5 requests/s
    results: dict[str, Result]  # by run, the reference's first
    compared: dict[str, list[Compared]]  # by other run


@dataclasses.dataclass(slots=True)
class Group:
    """A target on a payload, its levels in order."""

    who: str  # the reference's name of the target; with the others' where they call it otherwise
    payload: str
    levels: list[Level]
    together: dict[str, list[Compared]]  # by other run: over the levels that both measured
    whole: bool = False  # of mixes: all their parts together, each of which has a group of its own


class Condition(typing.NamedTuple):
    """Something that is not the same in all runs. `values`: by run; None: a run has no such thing."""

    kind: typing.Literal["measured", "prices", "trust", "load", "software"]
    what: str
    values: dict[str, str | None]


@dataclasses.dataclass(slots=True)
class Comparison:
    """reference: the run that the others stand beside."""

    runs: list[str]
    reference: str
    names: dict[str, str]  # run -> its scenario's name
    groups: list[Group]
    conditions: list[Condition]
    same: list[str]  # what was looked at and is the same in all runs
    cautions: list[str]  # what keeps figures from being compared as they are, a sentence each
    only_in: list[str]  # stages that have no partner, a sentence each
    assumptions: list[str]
    asked: int  # differences that have a p-value
    made_at: datetime.datetime
    made_by: Build

    @property
    def others(self) -> list[str]:
        return [run for run in self.runs if run != self.reference]

    @property
    def results(self) -> list[Result]:
        """Every stage that is compared."""
        stages = [group for group in self.groups if not group.whole]
        return [r for group in stages for level in group.levels for r in level.results.values()]

    @property
    def invalid(self) -> bool:
        """Whether a stage that is compared cannot be trusted (exit code 2)."""
        return not all(r.trusted for r in self.results)
