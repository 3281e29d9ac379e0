"""The gate of a run: its limits, and whether it is worse than a baseline, as cases that are met, missed or undecided."""

import pathlib

from analysis.advice.gate_case import Case, Gate
from analysis.advice.gate_limits import limit_cases, run_cases, without_limits
from analysis.cost.pricing import prices_of_run
from analysis.runs.run_reader import Run, load_run
from analysis.verdicts.pooled_repeats import candidates_of
from analysis.verdicts.stage_results import Result, results_of
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import NotARun
from locustfiles.contract.scenario.slo_file import load_slo

Path = str | pathlib.Path
#: stages without a limit that a note names
_NAMED = 5


def gate(run_path: Path, slo: Path | None = None, pricing: Path | None = None, strict: bool = False) -> Gate:
    """slo: a file of limits in place of the scenario's; strict: a SUSPECT stage meets none.

    Raises BadInput where there is nothing to judge by, NotARun where there is nothing to judge.
    """
    run = load_run(run_path)
    run.limits = None if slo is None else load_slo(slo)
    results = results_of(run, prices_of_run(run, pricing).of_target)
    candidates = candidates_of(run, prices_of_run(run, pricing).of_target, results)
    whole = list(run_cases(run, results))
    limits = list(limit_cases(run, candidates, strict))
    if not results and not whole:
        raise NotARun(f"{run.path}: no stage in its manifest, nothing was measured; give another run")
    _has_limits(run, limits, slo)
    return Gate(
        run=run.name,
        baseline=None,
        limits_from=None if slo is None else str(slo),
        cases=whole + limits,
        notes=_notes(candidates),
        results=results,
        started_at=run.manifest.started_at,
    )


def _has_limits(run: Run, limits: list[Case], slo: Path | None) -> None:
    """Raises BadInput: a gate that asks nothing must not look green."""
    if limits:
        return
    if slo:
        raise BadInput(f"{slo}: sets no limit; add `slo:` or `classes:`")
    raise BadInput(
        f"{run.path}: its scenario sets no limit (`slo:`), so there is nothing to judge by; give --slo FILE or --baseline RUN"
    )


def _notes(candidates: list[Result]) -> list[str]:
    bare = without_limits(candidates)
    more = f" and {len(bare) - _NAMED} more" if len(bare) > _NAMED else ""
    return [f"No limit is set for {', '.join(bare[:_NAMED])}{more}."] if bare else []
