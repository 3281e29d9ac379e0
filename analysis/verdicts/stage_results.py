"""Every stage of a run with all that is known of it: measurements, cost, verdict and checked limits."""

import dataclasses
import math

from analysis.cost.transaction_cost import stage_cost
from analysis.metrics.stage_metrics import measurements
from analysis.runs.run_reader import Run
from analysis.runs.stage import stages_of
from analysis.verdicts.intervals import THROUGHPUT, USD, Intervals, batches_of, intervals_of, with_intervals
from analysis.verdicts.serial_intervals import series_intervals
from analysis.verdicts.slo_check import Check, overall
from analysis.verdicts.slo_checks import check
from analysis.verdicts.slo_criteria import criteria_of
from analysis.verdicts.told_stages import told_intervals
from analysis.verdicts.verdict import verdict_of
from analysis.words.columns import Column
from analysis.words.stage_figures import StageFigures
from analysis.words.value_text import Interval
from locustfiles.contract.prices.price import Price
from locustfiles.contract.statistics.counts import count_error


@dataclasses.dataclass(frozen=True, slots=True)
class StageKey:
    """Names one row of the steps table."""

    run: str
    stage: int


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One stage, or the repetitions of one level together."""

    figures: StageFigures
    checks: list[Check]
    intervals: Intervals  # 95 %, of the figures of which one is known
    cost_reason: str | None  # why its cost is empty
    who: str  # its target in texts: `p4d`, of several runs `p4d` of run monday
    stages: tuple[
        int, ...
    ] = ()  # of repetitions taken together: their numbers, the first of which is that of `figures`
    series: Intervals = dataclasses.field(default_factory=dict)  # 95 %, by which differences go (serial_intervals.py)

    @property
    def key(self) -> StageKey:
        return StageKey(self.figures.run, self.figures.identity.stage)

    @property
    def place(self) -> tuple[str, str]:
        """(run, target): what stands behind one endpoint."""
        return self.figures.run, self.figures.identity.target

    @property
    def payload(self) -> str:
        return self.figures.identity.payload

    @property
    def usd(self) -> float | None:
        """Of a transaction."""
        return self.figures.cost.usd_per_transaction

    @property
    def per_minute(self) -> float:
        """Transactions per minute, 0 where none was measured."""
        return self.figures.throughput.transactions_per_minute or 0.0

    @property
    def trusted(self) -> bool:
        return self.figures.trust.verdict != "INVALID"


def tie(one: Result, other: Result, column: Column = USD) -> bool | None:
    """Whether two stages' intervals of a column overlap; None when one of them is not known, which is never so of costs."""
    if math.isclose(column.of(one.figures), column.of(other.figures), rel_tol=1e-9):
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
    usd, throughput = result.usd, result.figures.throughput.throughput_per_s
    if usd is None:
        raise ValueError(f"{result.key} has no cost")
    successes = result.figures.outcome.successes
    if successes is None:  # not told: how well it is known is not, either
        return 0.0, math.inf
    wide = count_error(successes)
    if throughput and THROUGHPUT in result.intervals:
        wide = max(wide, result.intervals[THROUGHPUT][1] / throughput - 1)
    return usd / (1 + wide), usd / (1 - wide) if wide < 1 else math.inf


def results_of(run: Run, prices: dict[str, Price]) -> list[Result]:
    """The run's stages in the order of its manifest."""
    retried, results = run.scenario.retry is not None, []
    for stage in stages_of(run, prices):
        criteria = [
            one
            for name, slo in run.slos_of(stage.visit).items()
            for one in criteria_of(slo, of_calls=retried, from_due=stage.open_loop, slo_class=name)
        ]
        found = measurements(stage)
        cost = stage_cost(stage, found)
        found = dataclasses.replace(found, cost=cost.figures)
        told = stage.visit.aggregates is not None
        checks = [check(criterion, stage, found, cost.reason) for criterion in criteria]
        found = dataclasses.replace(found, trust=verdict_of(stage, found), limits=overall(checks))
        rate = found.tokens.completion_tokens_per_s
        intervals = told_intervals(stage, found) if told else intervals_of(stage, cost.billed, rate)
        found = with_intervals(found, intervals, batches_of(stage))
        series, who = series_intervals(stage), run.named(stage.target.name)
        results.append(Result(found, checks, intervals, cost.reason, who, series=series))
    return results
