"""What runs measured: their prices, their stages, and their levels."""

import pathlib
import typing

from analysis.cost.pricing import Prices, prices_of_run
from analysis.cost.transaction_cost import most_tokens
from analysis.runs.run_reader import Run
from analysis.verdicts.pooled_repeats import candidates_among
from analysis.verdicts.stage_results import Result, results_of
from locustfiles.contract.prices.price import Price


class Measured(typing.NamedTuple):
    """Of every run: its prices by target, its stages, and its levels, repetitions of one place together."""

    runs: dict[str, Run]
    prices: dict[str, Prices]
    results: list[Result]
    candidates: list[Result]

    def price_of(self, result: Result) -> Price:
        return self.prices[result.figures.run].of_target[result.figures.identity.target]

    def billed_by(self, result: Result) -> tuple[dict[str, Run], Prices, str]:
        """The runs, its own run's prices, and its target."""
        return self.runs, self.prices[result.figures.run], result.figures.identity.target

    def most_tokens(self, result: Result) -> int | None:
        """The most output tokens that a call was asked for."""
        run = self.runs[result.figures.run]
        return most_tokens(run, run.target(result.figures.identity.target))

    @property
    def invalid(self) -> bool:
        return not all(r.trusted for r in self.results)


def measured(runs: list[Run], pricing: str | pathlib.Path | None = None) -> Measured:
    """pricing: a price book in place of the prices in the runs' manifests. Raises NotARun, BadPriceBook, BadScenario."""
    prices = {run.name: prices_of_run(run, pricing) for run in runs}
    results = [r for run in runs for r in results_of(run, prices[run.name].of_target)]
    candidates = candidates_among(runs, {name: found.of_target for name, found in prices.items()}, results)
    return Measured({run.name: run for run in runs}, prices, results, candidates)
