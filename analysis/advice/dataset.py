"""The data set that the recommendation is for, and what is asked for in place of what the manifests say."""

import pathlib
import typing

from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.slo_file import SloFile, load_slo


class Asked(typing.NamedTuple):
    """`dataset`: a payload file or its stem; `limits`: of all runs alike."""

    dataset: str | None = None
    limits: SloFile | None = None


def asked_for(dataset: str | None, slo: str | pathlib.Path | None) -> Asked:
    """slo: a file of limits, which may name a data set, too. Raises BadInput."""
    limits = None if slo is None else load_slo(slo)
    return Asked(dataset or (limits and limits.slo.dataset) or None, limits)


def dataset_of_interest(runs: list[Run], results: list[Result], asked: str | None = None) -> tuple[str, list[str]]:
    """(payload stem, notes): what is asked for, else the first run's `dataset` of its SLO that was measured, else the last payload
    that was. Raises BadInput where what is asked for was not measured."""
    measured = list(dict.fromkeys(r.payload for r in results))
    if asked is not None:
        stem = pathlib.PurePath(asked).name.removesuffix(".jsonl")
        if stem not in measured:
            raise BadInput(f"--dataset {asked}: no stage measured it; choose one of {', '.join(measured)}")
        return stem, []
    named = {run.name: run.scenario.slo.dataset.removesuffix(".jsonl") for run in runs if run.scenario.slo.dataset}
    stems = [pathlib.PurePath(p).stem for run in runs for p in run.scenario.payloads]
    last = measured[-1] if named else next((s for s in reversed(stems) if s in measured), measured[-1])
    found = next((stem for stem in named.values() if stem in measured), last)
    notes = [
        f"The dataset of interest `{stem}` was not measured; `{found}` takes its place."
        for stem in dict.fromkeys(named.values())
        if stem not in measured
    ]
    if len(set(named.values())) > 1:
        each = ", ".join(f"run {run} `{stem}`" for run, stem in named.items())
        notes.append(f"The runs name different datasets of interest ({each}); the recommendation is for `{found}`.")
    return found, notes
