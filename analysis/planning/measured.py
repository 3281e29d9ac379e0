"""What runs measured, as a plan takes it: candidates with their prices."""

import pathlib
import typing

from analysis.advice.analyse import dataset_of_interest
from analysis.cost.pricing import Prices, prices_of_run
from analysis.cost.transaction_cost import most_tokens
from analysis.runs.run_reader import Run, load_runs
from analysis.verdicts.pooled_repeats import candidates_among
from analysis.verdicts.stage_results import Result, results_of
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.price import Price
from locustfiles.contract.run_folder import NotARun


class Measured(typing.NamedTuple):
    """Of every run: its prices by target, its stages, and its levels."""

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


def measured_in(paths: typing.Sequence[str | pathlib.Path], pricing: str | None) -> Measured:
    """Raises NotARun, BadPriceBook, BadScenario."""
    runs = load_runs(paths)
    prices = {run.name: prices_of_run(run, pricing) for run in runs}
    results = {run.name: results_of(run, prices[run.name].of_target) for run in runs}
    every = [r for run in runs for r in results[run.name]]
    if not every:
        raise NotARun(f"{runs[0].path}: no stage in its manifest, nothing was measured; give another run")
    candidates = candidates_among(runs, {name: found.of_target for name, found in prices.items()}, every)
    return Measured({run.name: run for run in runs}, prices, every, candidates)


def dataset_of(measured: Measured, wanted: str | None) -> tuple[str, list[str]]:
    """(payload's stem, notes). Raises BadInput for one that was not measured."""
    if wanted is None:
        return dataset_of_interest(list(measured.runs.values()), measured.results)
    stem, known = wanted.removesuffix(".jsonl"), list(dict.fromkeys(r.payload for r in measured.results))
    if stem not in known:
        raise BadInput(f"--dataset {wanted}: was not measured; give one of {', '.join(known)}")
    return stem, []
