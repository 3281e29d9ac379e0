"""The runs that a plan goes by, and on which of their payloads."""

import pathlib
import typing

from analysis.advice.dataset import dataset_of_interest
from analysis.runs.run_reader import load_runs
from analysis.verdicts.measured import Measured, measured
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import NotARun


def measured_in(paths: typing.Sequence[str | pathlib.Path], pricing: str | None) -> Measured:
    """Raises NotARun, BadPriceBook, BadScenario."""
    found = measured(load_runs(paths), pricing)
    if not found.results:
        first = next(iter(found.runs.values()))
        raise NotARun(f"{first.path}: no stage in its manifest, nothing was measured; give another run")
    return found


def dataset_of(measured: Measured, wanted: str | None) -> tuple[str, list[str]]:
    """(payload's stem, notes). Raises BadInput for one that was not measured."""
    if wanted is None:
        return dataset_of_interest(list(measured.runs.values()), measured.results)
    stem, known = wanted.removesuffix(".jsonl"), list(dict.fromkeys(r.payload for r in measured.results))
    if stem not in known:
        raise BadInput(f"--dataset {wanted}: was not measured; give one of {', '.join(known)}")
    return stem, []
