"""Every stage of a run with all that is known of it: measurements, cost, verdict and checked limits."""

import dataclasses
import math
import typing

import pandas as pd

from analysis.cost.transaction_cost import stage_cost
from analysis.metrics.stage_metrics import measurements
from analysis.runs.run_reader import Run
from analysis.runs.stage import stages_of
from analysis.verdicts.intervals import Interval, batches_of, interval_columns, intervals_of
from analysis.verdicts.slo_checks import Check, check, criteria_of, overall
from analysis.verdicts.verdict import verdict_of
from analysis.words.columns import METRICS, STEP_COLUMNS
from locustfiles.contract.scenario.price_book import Price


@dataclasses.dataclass(frozen=True, slots=True)
class StageKey:
    """Names one row of the steps table."""

    run: str
    stage: int


@dataclasses.dataclass(slots=True)
class Result:
    """One stage, or the repetitions of one level together. `row` has every column of the steps table; None is not known."""

    row: dict[str, typing.Any]
    checks: list[Check]
    intervals: dict[str, Interval]  # column -> its 95 % interval, of those that are known
    cost_reason: str | None  # why its cost is empty
    who: str  # its target in texts: `p4d`, of several runs `p4d` of run monday
    stages: tuple[int, ...] = ()  # of repetitions taken together: their numbers, the first of which is `row`'s

    @property
    def key(self) -> StageKey:
        return StageKey(self.row["run"], self.row["stage"])

    @property
    def place(self) -> tuple[str, str]:
        """(run, target): what stands behind one endpoint."""
        return self.row["run"], self.row["target"]

    @property
    def usd(self) -> float | None:
        return self.row["usd_per_transaction"]

    @property
    def per_minute(self) -> float:
        """Transactions per minute, 0 where none was measured."""
        return self.row["transactions_per_minute"] or 0.0

    @property
    def trusted(self) -> bool:
        return self.row["verdict"] != "INVALID"


USD = "usd_per_transaction"


def tie(one: Result, other: Result, column: str = USD) -> bool | None:
    """Whether two stages' intervals of a column overlap; None when one of them is not known, which is never so of costs."""
    if math.isclose(one.row[column], other.row[column], rel_tol=1e-9):
        return True
    if column != USD and (column not in one.intervals or column not in other.intervals):
        return None
    (low, high), (other_low, other_high) = (
        r.intervals[column] if column in r.intervals else by_count(r) for r in (one, other)
    )
    return low <= other_high and other_low <= high


def by_count(result: Result) -> Interval:
    """The cost of a transaction where it has no interval: successes known to 2 / sqrt(n) of their number, as a count is, or
    to what the interval of the throughput says where that is wider."""
    wide = 2 / math.sqrt(result.row["successes"])
    if "throughput_per_s" in result.intervals:
        wide = max(wide, result.intervals["throughput_per_s"][1] / result.row["throughput_per_s"] - 1)
    return result.usd / (1 + wide), result.usd / (1 - wide) if wide < 1 else math.inf


def intervals_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage and column that has a 95 % interval."""
    rows = [[r.key.run, r.key.stage, column, *ends] for r in results for column, ends in r.intervals.items()]
    return pd.DataFrame(rows, columns=["run", "stage", "column", "low", "high"])


def results_of(run: Run, prices: dict[str, Price]) -> list[Result]:
    """The run's stages in the order of its manifest."""
    retried, results = run.scenario.retry is not None, []
    for stage in stages_of(run, prices):
        criteria = criteria_of(run.scenario.slo_of(stage.target), of_calls=retried, from_due=stage.open_loop)
        row = dict.fromkeys(STEP_COLUMNS) | measurements(stage)
        cost = stage_cost(stage, row)
        row |= cost.columns
        verdict = verdict_of(stage, row)
        checks = [check(criterion, stage, row, cost.reason) for criterion in criteria]
        row |= {"verdict": verdict.verdict, "reasons": "; ".join(verdict.reasons)} | overall(checks)
        intervals = intervals_of(stage, cost.billed, row["completion_tokens_per_s"])
        row |= interval_columns(intervals, batches_of(stage))
        results.append(Result(row, checks, intervals, cost.reason, run.named(stage.target.name)))
    return results


def steps_table(results: list[Result]) -> pd.DataFrame:
    """The steps table: a row a stage, the columns of METRICS; whole numbers as Int64, not known as NA."""
    frame = pd.DataFrame([r.row for r in results], columns=list(STEP_COLUMNS))
    kinds = {"count": "Int64", "number": "float64", "flag": "boolean"}
    return frame.astype({m.name: kinds[m.kind] for m in METRICS if m.kind in kinds}).copy()  # in one piece


def criteria_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage and limit."""
    columns = ["run", "stage", "criterion", "words", "limit", "value", "state", "why", "cell"]
    rows = [
        [
            *dataclasses.astuple(r.key),
            *(c.criterion.name, c.criterion.text, c.criterion.limit, c.value, c.state, c.why, c.cell),
        ]
        for r in results
        for c in r.checks
    ]
    return pd.DataFrame(rows, columns=columns)


def failed_table(results: list[Result]) -> pd.DataFrame:
    """Stages that missed a limit, a cell per limit: its value and ✓, ✗ or ?; or ? and why the value is not known."""
    rows = []
    for r in results:
        if r.row["slo"] == "missed":
            who = {name: r.row[name] for name in ("run", "stage", "target", "payload", "users", "rate")}
            rows.append(who | {c.criterion.text: c.cell for c in r.checks})
    return pd.DataFrame(rows)
