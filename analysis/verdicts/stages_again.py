"""The stages behind results, read from their runs' records once more: for what repetitions have together."""

import typing

from analysis.cost.session_cost import NONE, Conversations, together_of
from analysis.metrics.session_table import sessions_of
from analysis.runs.run_reader import Run
from analysis.runs.stage import Stage, joined, stage_of
from analysis.verdicts.stage_results import Result
from analysis.words.cost_figures import Cost
from locustfiles.contract.prices.price import Price


class StagesAgain:
    """Of some runs."""

    def __init__(self, runs: list[Run], prices: dict[str, dict[str, Price]]) -> None:
        self._runs = {run.name: run for run in runs}
        self._prices = prices
        self._positions: dict[str, dict[typing.Any, typing.Any]] = {}

    def of(self, results: list[Result]) -> Stage:
        """All of them as one stage."""
        by_run: dict[str, list[Result]] = {}
        for r in results:
            by_run.setdefault(r.key.run, []).append(r)
        each = [self._of_run(self._runs[name], some) for name, some in by_run.items()]
        return each[0] if len(each) == 1 else joined(each)

    def _of_run(self, run: Run, results: list[Result]) -> Stage:
        if run.name not in self._positions:
            self._positions[run.name] = dict(run.records.groupby("stage").indices)
        visits = {v.stage: v for v in run.manifest.stages}
        price = self._prices[run.name][results[0].figures.identity.target]
        return stage_of(run, [visits[r.key.stage] for r in results], price, self._positions[run.name])


def conversations_again(stages: StagesAgain, stage: Stage, kept: list[Result], cost: Cost) -> Conversations:
    """Of all repetitions together. stage: all of them as one."""
    if stage.window is None or not any(r.figures.sessions.there for r in kept):
        return NONE
    tables = [table for r in kept if (table := sessions_of(stages.of([r]))) is not None]
    return together_of(stage, tables, cost)
