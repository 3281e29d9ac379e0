"""Every stage of a run with all that is known of it: measurements, cost, verdict and checked limits."""

import dataclasses
import math

from analysis.cost.session_cost import conversations_of
from analysis.cost.transaction_cost import stage_cost
from analysis.metrics.goodput import request_limits
from analysis.metrics.stage_metrics import measurements
from analysis.runs.run_reader import Run
from analysis.runs.stage import Stage, stages_of
from analysis.verdicts.caution import Caution, trust_of
from analysis.verdicts.check import Check, overall
from analysis.verdicts.echoes import Echo, echo_of
from analysis.verdicts.intervals import THROUGHPUT, Intervals, batches_of, intervals_of, with_intervals
from analysis.verdicts.place import Place, place_of, prompts_of
from analysis.verdicts.serial_intervals import series_intervals
from analysis.verdicts.session_intervals import session_intervals, session_series
from analysis.verdicts.slo_checks import check
from analysis.verdicts.slo_criteria import criteria_of
from analysis.verdicts.told_stages import told_intervals
from analysis.verdicts.verdict import cautions_of
from analysis.words.session_figures import TurnFigures
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
    members: tuple[StageKey, ...] = ()  # of repetitions taken together: all, the first of which is that of `figures`
    series: Intervals = dataclasses.field(default_factory=dict)  # 95 %, by which differences go (serial_intervals.py)
    measured_at: Place | None = None
    prompts: str | None = None  # SHA-256 of its payload file
    echo: Echo | None = None  # where its answers give the prompt back
    good_by: tuple[tuple[str, float], ...] = ()  # the limits by which its goodput counts a request, ms
    cautions: tuple[Caution, ...] = ()  # why it is not VALID
    turns: tuple[TurnFigures, ...] = ()  # of conversations, by number; of repetitions taken together none

    @property
    def key(self) -> StageKey:
        return StageKey(self.figures.run, self.figures.identity.stage)

    @property
    def place(self) -> Place:
        """What is chosen, or not: stages of one place are never rivals. One that is not known is its run's own target."""
        found = self.figures.identity
        return self.measured_at or Place(found.service, self.seat, None, found.instance_type)

    @property
    def seat(self) -> tuple[str, str]:
        """(run, target), of repetitions the first one's."""
        return self.figures.run, self.figures.identity.target

    @property
    def stages(self) -> tuple[int, ...]:
        """The numbers of the repetitions taken together."""
        return tuple(key.stage for key in self.members)

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


def good_by(stage: Stage) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(request_limits(stage.run.slos_of(stage.visit).values()).items()))


def results_of(run: Run, prices: dict[str, Price]) -> list[Result]:
    """The run's stages in the order of its manifest."""
    retried, results = run.scenario.retry is not None, []
    places = {t.name: place_of(run, t, prices) for t in run.scenario.targets}
    for stage in stages_of(run, prices):
        criteria = [
            one
            for name, slo in run.slos_of(stage.visit).items()
            for one in criteria_of(slo, of_calls=retried, from_due=stage.open_loop, slo_class=name)
        ]
        found = measurements(stage)
        cost = stage_cost(stage, found)
        talk = conversations_of(stage, cost.figures)
        found = dataclasses.replace(found, cost=cost.figures, sessions=talk.sessions)
        checks = [check(criterion, stage, found, cost.reason) for criterion in criteria]
        echo = echo_of(stage)
        cautions = tuple(cautions_of(stage, found, echo))
        found = dataclasses.replace(found, trust=trust_of(cautions), limits=overall(checks))
        told, rate = stage.visit.aggregates is not None, found.tokens.completion_tokens_per_s
        intervals = told_intervals(stage, found) if told else intervals_of(stage, cost.billed, rate)
        intervals |= session_intervals(stage, found, talk.table, intervals)
        found = with_intervals(found, intervals, batches_of(stage))
        series = series_intervals(stage) | session_series(talk.table)
        results.append(
            Result(
                found,
                checks,
                intervals,
                cost.reason,
                run.named(stage.target.name),
                series=series,
                measured_at=places[stage.target.name],
                prompts=prompts_of(run, stage.visit.payload),
                echo=echo,
                good_by=good_by(stage),
                cautions=cautions,
                turns=talk.turns,
            )
        )
    return results
