"""One case of a gate, in words and figures: what was asked of what, and whether it is met, missed or undecided."""

import dataclasses
import typing

from analysis.verdicts.stage_results import Result

GateState = typing.Literal["met", "missed", "undecided"]
#: what a gate asks beside limits: whether the run is whole and can be trusted; and whether it is worse than a baseline
RUN, BASELINE = "run", "baseline"
#: limits that every stage has to keep; those of a class stand under its name
LIMITS = "limits"


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """`name` is the same from run to run, so that whoever reads a job's history can follow it; figures stand in `told`."""

    group: str  # RUN, LIMITS, a class of limits, BASELINE
    name: str  # latency p95 ≤ 2 s
    state: GateState
    told: str  # 1.21 s, n 240; or why it is not met
    target: str = ""  # of the run as a whole: none of these three
    payload: str = ""
    level: str = ""  # 5 users
    value: float | None = None
    limit: float | None = None
    n: int | None = None

    @property
    def where(self) -> str:
        """`p4d on en at 5 users`; nothing of the run as a whole"""
        payload, level = (self.payload and f"on {self.payload}", self.level and f"at {self.level}")
        return " ".join(part for part in (self.target, payload, level) if part)

    @property
    def asked(self) -> str:
        """`latency p95 ≤ 2 s`, of a class `latency p95 ≤ 2 s (chat)`, against a baseline `baseline: …`"""
        own = self.group in (RUN, LIMITS) or f"({self.group})" in self.name
        return self.name if own else f"{self.group}: {self.name}"

    @property
    def line(self) -> str:
        """`p4d on en at 5 users: latency p95 ≤ 2 s: 1.21 s (1.10 s – 1.33 s), n 240`"""
        return ": ".join(part for part in (self.where, self.asked, self.told) if part)


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """All cases of a run; notes: what a reader should mind, a sentence each."""

    run: str
    baseline: str | None
    limits_from: str | None  # the file of limits; None: the run's own scenario
    cases: list[Case]
    notes: list[str]
    results: list[Result]  # the run's stages
    started_at: float  # Unix seconds, of the run

    @property
    def runs(self) -> list[str]:
        """Whose stages `results` are."""
        return [self.run]

    def of(self, state: GateState) -> list[Case]:
        return [case for case in self.cases if case.state == state]

    @property
    def outcome(self) -> GateState:
        """Undecided goes before missed: where something cannot be told, nobody knows what else is wrong."""
        states: tuple[GateState, ...] = ("undecided", "missed")
        return next((state for state in states if self.of(state)), "met")

    @property
    def summary(self) -> str:
        """`MISSED: 2 of 12 cases of run study missed, 10 met.`"""
        counts = {state: len(self.of(state)) for state in typing.get_args(GateState)}
        n = len(self.cases)
        words = [f"{counts[state]} {state}" for state in ("missed", "undecided", "met") if counts[state]]
        return f"{self.outcome.upper()}: {n} case{'' if n == 1 else 's'} of run {self.run}: {', '.join(words)}."
