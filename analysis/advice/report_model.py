"""What an analysis found: the one object that the Markdown, HTML, plots, CSV and JSON are written from."""

import dataclasses
import datetime

import pandas as pd

from analysis.advice.break_even import BreakEven
from analysis.advice.even_lines import EvenLine
from analysis.advice.knee import Knee
from analysis.advice.knee_reasons import knee_reasons
from analysis.advice.not_compared import IN_FULL, NotCompared
from analysis.advice.pareto import Front
from analysis.advice.recommend import Recommendation
from analysis.advice.repeats import RepeatedLevel
from analysis.advice.search_findings import Found
from analysis.advice.target_sentences import Sentence
from analysis.cost.endpoint_cost import EndpointCost
from analysis.cost.price_rows import PriceRow, priced_by
from analysis.cost.run_cost import RunCost, total_of
from analysis.metrics.ramp_slices import Ramp
from analysis.metrics.token_counts import Comparison, Sources
from analysis.metrics.worker_load import WorkerInStage
from analysis.runs.service_file import ServiceFile
from analysis.verdicts.mixes import Mix
from analysis.verdicts.stage_results import Result, StageKey
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.version import Build

MOST_DATASETS = 6  # that a sentence names


def _alone(runs: list[str], here: list[str]) -> str:
    """` (run b, which did not measure this one)`: whose options are therefore in no comparison."""
    others = [run for run in dict.fromkeys(runs) if run not in here]
    return f" (by {', '.join(others)}, not in this comparison)" if others else ""


@dataclasses.dataclass(slots=True)
class Report:
    """Everything a report says; what writes it makes the tables.

    records: by run, one row a request: fields of RequestRecord plus `sent` and `ended` (s from its
    run's start); started_at is corrected by the worker's clock offset.
    """

    runs: dict[str, Manifest]  # by run name
    results: list[Result]  # every stage
    candidates: list[
        Result
    ]  # what recommendations choose from: repetitions of a level as one, no parts of mixes, no ramps
    records: dict[str, pd.DataFrame]
    dataset: str  # the payload's stem that the recommendation is for
    # run -> the limits that all its targets have to keep, as the scenario's slo section (may be empty)
    slo: dict[str, dict]
    recommendation: Recommendation
    sentences: list[Sentence]
    run_cost: list[RunCost]
    knees: list[Knee]
    # the study's: most_cost_effective, best_throughput, best_latency, recommended_stage
    tables: dict[str, pd.DataFrame]
    break_even: list[BreakEven]
    notes: list[str]  # data quality and assumptions, a sentence each
    pricing: dict[str, dict]  # run -> the price book among its sources: file, region, as_of, source
    made_at: datetime.datetime
    made_by: Build
    even_lines: list[EvenLine] = dataclasses.field(default_factory=list)  # break-even by other prices that are known
    prices: list[PriceRow] = dataclasses.field(default_factory=list)  # of every target, with its own source
    instrument: dict[str, str] = dataclasses.field(default_factory=dict)  # run -> the instrument's error, a sentence
    token_sources: list[Sources] = dataclasses.field(default_factory=list)
    token_comparison: list[Comparison] = dataclasses.field(default_factory=list)
    workers: list[WorkerInStage] = dataclasses.field(default_factory=list)
    retries: dict[str, str] = dataclasses.field(default_factory=dict)  # run that retries -> what that means, in words
    findings: list[Found] = dataclasses.field(default_factory=list)  # of searches
    repeats: list[RepeatedLevel] = dataclasses.field(default_factory=list)
    open_loop: list[str] = dataclasses.field(default_factory=list)  # what it means that runs have open-loop stages
    cut: list[str] = dataclasses.field(default_factory=list)  # runs that were cut short and what they never measured
    not_compared: list[str] = dataclasses.field(default_factory=list)  # targets without a success, and why
    silent: list[NotCompared] = dataclasses.field(default_factory=list)  # the same one by one
    mixes: list[Mix] = dataclasses.field(default_factory=list)  # every mix as a whole
    ramps: list[Ramp] = dataclasses.field(default_factory=list)  # by slices of time
    service: dict[str, ServiceFile] = dataclasses.field(
        default_factory=dict
    )  # run -> what `enrich` found, where it ran
    endpoints: list[EndpointCost] = dataclasses.field(
        default_factory=list
    )  # that were there for a run alone, and their cost
    pareto: Front = Front("p95", (), [])  # noqa: RUF009  immutable

    def level(self, key: StageKey) -> Result:
        """A candidate: a stage, or a level's repetitions together, named by the first of them."""
        return next(c for c in self.candidates if c.key == key)

    @property
    def knee_reasons(self) -> list[str]:
        """Why knees are where they are, by the service's figures, a sentence each."""
        return knee_reasons(self.knees, self.service)

    @property
    def conversed(self) -> list[Result]:
        """The stages whose requests are turns of conversations."""
        return [r for r in self.results if r.figures.sessions.there]

    @property
    def pooled(self) -> bool:
        """Whether a level was measured more than once, so that the candidates are not the stages."""
        return len(self.candidates) < sum(r.figures.alone_at_a_level for r in self.results)

    @property
    def priced_by(self) -> dict[str, str]:
        """Run -> where its prices are from, in words."""
        return {run: priced_by(row for row in self.prices if row.run == run) for run in self.runs}

    @property
    def not_in_headline(self) -> list[str]:
        """What could not be compared, where it is more than the headline tells in full."""
        return self.not_compared if len(self.not_compared) > IN_FULL else []

    @property
    def other_datasets(self) -> str:
        """Which were measured beside the one that the recommendation is for, and how to get theirs; empty where none was."""
        runs: dict[str, list[str]] = {}  # dataset -> the runs that measured it
        for r in self.results:
            runs.setdefault(r.payload, []).append(r.key.run)
        here = runs.pop(self.dataset, [])
        if not runs:
            return ""
        told = [f"`{one}`" + _alone(some, here) for one, some in list(runs.items())[:MOST_DATASETS]]
        more = f" and {len(runs) - MOST_DATASETS} more" if len(runs) > MOST_DATASETS else ""
        again = "for it run" if len(runs) == 1 else "for one of them run"
        return (
            f"This is for the dataset `{self.dataset}` alone. Measured too: {', '.join(told)}{more}; {again} `report` again with "
            f"`--dataset {next(iter(runs))}`." + self._imported_apart(runs, here)
        )

    def _imported_apart(self, runs: dict[str, list[str]], here: list[str]) -> str:
        """Files of other tools do not say what their prompts are called: the same prompts may stand here as two datasets."""
        apart = {run for some in runs.values() for run in some} - set(here)
        if not any(self.runs[run].imported for run in apart):
            return ""
        return " Imports of the same prompts are compared when `import --payload` gives them one name."

    @property
    def of_interest(self) -> list[Result]:
        """The stages on the dataset."""
        return [r for r in self.results if r.payload == self.dataset]

    @property
    def failed(self) -> list[Result]:
        """Those of them that missed a limit."""
        return [r for r in self.of_interest if r.figures.limits.slo == "missed"]

    @property
    def total_cost(self) -> float | None:
        """USD of all runs, at most; None when a part of it is not known."""
        return total_of(self.run_cost)[1]

    @property
    def total_cost_low(self) -> float | None:
        """The least that all runs may have cost."""
        return total_of(self.run_cost)[0]

    @property
    def invalid(self) -> bool:
        """Whether any stage cannot be trusted (exit code 2)."""
        return not all(r.trusted for r in self.results)
