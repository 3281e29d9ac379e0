"""What an analysis found: the one object that the Markdown, HTML, plots, CSV and JSON are written from."""

import dataclasses
import datetime

import pandas as pd

from analysis.verdicts.stage_results import StageKey
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.version import Build


@dataclasses.dataclass(slots=True)
class Recommendation:
    """Best price-performance for one dataset: what was picked, by which rule, and against whom.

    `pick` is None when no stage can be recommended; `facts` then say why.
    """

    dataset: str
    rule: str  # in words
    criteria: list[str]  # the limits in words: "latency p95 ≤ 2 s"
    pick: StageKey | None
    label: str | None  # what must stand beside the pick: "SUSPECT: …", "SLO undecided"; None: nothing
    runner_up: StageKey | None
    margin: float | None  # runner-up's cost above the pick's, as a share of the pick's
    tie: bool | None  # the cost intervals of pick and runner-up overlap; None: not known
    worst_criterion: str | None  # the criterion that most stages failed
    facts: list[str]  # a sentence or two each, what was picked first
    warnings: list[str]  # like for like, stages never reached: why the comparison needs care
    cheaper: list[StageKey] = dataclasses.field(default_factory=list)  # not picked, though they cost less or may
    stages: list[int] = dataclasses.field(default_factory=list)  # of a pick that was measured more than once: all of it

    @property
    def text(self) -> str:
        """All facts."""
        return " ".join(self.facts)


@dataclasses.dataclass(slots=True)
class BreakEven:
    """At which volumes an hourly priced target is cheaper than a token priced one, on one dataset."""

    dataset: str
    hourly_run: str
    hourly_target: str
    token_run: str
    token_target: str
    usd_per_hour: float  # of one instance
    capacity_per_hour: float | None  # successes/hour of one instance: its share of the hourly target's best stage
    token_usd_per_transaction: float | None
    intervals: list[tuple[float, float | None]]  # transactions/hour where hourly is cheaper; None: no upper end
    curve: pd.DataFrame  # transactions_per_hour, usd_per_hour_hourly, usd_per_hour_tokens
    text: str


@dataclasses.dataclass(slots=True)
class Found:
    """What a search for the highest level that keeps the limits found."""

    run: str
    target: str
    payload: str
    of: str  # users or rate
    answer: float | None
    fails_at: float | None
    confirmed: bool
    why: str
    text: str  # a sentence
    warnings: list[str]  # not confirmed, stages that cannot be trusted
    evidence: pd.DataFrame  # findings.COLUMNS: a row a stage that was measured for it, by level


@dataclasses.dataclass(slots=True)
class Report:
    """Everything a report says.

    steps: one row a stage, the columns of metrics.STEP_COLUMNS in their order; (run, stage) is its key.
    records: one row a request: the fields of RequestRecord plus `run`, `sent` and `ended` (s from its
    run's start); started_at is corrected by the worker's clock offset.
    """

    runs: dict[str, Manifest]  # by run name
    steps: pd.DataFrame
    records: pd.DataFrame
    dataset: str | None  # the payload's stem that the recommendation is for
    slo: dict[
        str, dict
    ]  # run -> the limits that all its targets have to keep, as the scenario's slo section (may be empty)
    recommendation: Recommendation | None
    sentences: pd.DataFrame  # run, payload, target, instance_type, positive (bool), users, recommendation (text)
    criteria: pd.DataFrame  # run, stage, criterion, limit, value, state, cell: one row a stage and criterion
    failed: pd.DataFrame  # stages of the dataset that failed a criterion, a text cell per criterion
    run_cost: pd.DataFrame  # run, target, …, usd, usd_low, usd_high
    total_cost: float | None  # USD of all runs, at most; None when a part of it is not known
    knees: pd.DataFrame  # run, target, payload, users or rate (of the knee, empty: not reached), state, text
    tables: dict[
        str, pd.DataFrame
    ]  # name -> table; the study's three are most_cost_effective, best_throughput, best_latency
    break_even: list[BreakEven]
    notes: list[str]  # data quality and assumptions, a sentence each
    pricing: dict[str, dict]  # run -> price book used: file, region, as_of, source
    made_at: datetime.datetime
    made_by: Build
    intervals: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)  # run, stage, column, low, high: 95 %
    instrument: dict[str, str] = dataclasses.field(default_factory=dict)  # run -> the instrument's error, a sentence
    token_sources: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)  # tokens.SOURCE_COLUMNS
    token_comparison: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)  # a row a tokens.Comparison
    workers: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)  # workers.COLUMNS: a row a stage and worker
    retries: dict[str, str] = dataclasses.field(default_factory=dict)  # run that retries -> what that means, in words
    findings: list[Found] = dataclasses.field(default_factory=list)  # of searches
    candidates: pd.DataFrame = dataclasses.field(
        default_factory=pd.DataFrame
    )  # like steps, repetitions of a level as one row
    candidate_intervals: pd.DataFrame = dataclasses.field(
        default_factory=pd.DataFrame
    )  # like intervals, of the candidates
    repeats: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)  # repeats.COLUMNS
    repeat_spread: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)  # repeats.SPREAD_COLUMNS
    open_loop: list[str] = dataclasses.field(default_factory=list)  # what it means that runs have open-loop stages
    cut: list[str] = dataclasses.field(default_factory=list)  # runs that were cut short and what they never measured
    summary: dict = dataclasses.field(default_factory=dict)  # all of this as JSON-ready data

    def step(self, key: StageKey) -> pd.Series:
        """The row of a candidate: a stage's, or that of a level's repetitions together, named by the first of them."""
        rows = self.pooled
        return rows[(rows["run"] == key.run) & (rows["stage"] == key.stage)].iloc[0]

    @property
    def pooled(self) -> pd.DataFrame:
        """What recommendations choose from: the steps table with repetitions of a level as one row."""
        return self.steps if self.candidates.empty else self.candidates

    @property
    def pooled_intervals(self) -> pd.DataFrame:
        """The intervals that recommendations compare: those of `pooled`."""
        return self.intervals if self.candidates.empty else self.candidate_intervals

    @property
    def total_cost_low(self) -> float | None:
        """The least that all runs may have cost, USD; `total_cost` is the most. None: not known."""
        low = self.run_cost["usd_low"]
        return None if low.isna().any() else float(low.sum())

    @property
    def invalid(self) -> bool:
        """Whether any stage cannot be trusted (exit code 2)."""
        return bool((self.steps["verdict"] == "INVALID").any())
