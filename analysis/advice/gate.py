"""The gate of a run: its limits, and whether it is worse than a baseline, as cases that are met, missed or undecided."""

import dataclasses
import difflib
import pathlib
import typing

from analysis.advice.comparability import comparability_warnings
from analysis.advice.gate_baseline import Aligned, align, baseline_cases, stage_text
from analysis.advice.gate_case import Case, Gate
from analysis.advice.gate_limits import limit_cases, run_cases, without_limits
from analysis.cost.pricing import Prices, prices_of_run
from analysis.runs.run_reader import Run, load_runs
from analysis.verdicts.pooled_repeats import candidates_of
from analysis.verdicts.regressions import ASSUMPTIONS
from analysis.verdicts.stage_results import Result, results_of
from analysis.words.columns import METRICS, Column
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import NotARun
from locustfiles.contract.scenario.slo_file import load_slo

Path = str | pathlib.Path
#: stages without a limit, or without a counterpart, that a note names
_NAMED = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Against:
    """A baseline, and how much worse than it a figure may be. figures: columns of steps.csv; none: the usual ones."""

    path: Path
    tolerance: float  # as a share
    figures: tuple[str, ...] = ()


def gate(
    run_path: Path,
    slo: Path | None = None,
    against: Against | None = None,
    pricing: Path | None = None,
    strict: bool = False,
) -> Gate:
    """slo: a file of limits in place of the scenario's; strict: a SUSPECT stage meets none.

    Raises BadInput where there is nothing to judge by, NotARun where there is nothing to judge.
    """
    asked = columns_named(against.figures) if against else []
    run, *base = load_runs([run_path, *([against.path] if against else [])])
    run.limits = None if slo is None else load_slo(slo)
    results, candidates, prices = _measured(run, pricing)
    whole, limits = list(run_cases(run, results)), list(limit_cases(run, candidates, strict))
    if not results and not whole:
        raise NotARun(f"{run.path}: no stage in its manifest, nothing was measured; give another run")
    notes = without_limits(candidates) if limits else []
    notes = [f"No limit is set for {_some(notes)}."] if notes else []
    compared: list[Case] = []
    if against:
        of_base, base_prices = _measured(base[0], pricing)[1:]
        aligned = align(of_base, candidates)
        compared = list(baseline_cases(aligned, (base[0], run), asked, against.tolerance))
        notes += _baseline_notes(aligned, (base[0], run), {base[0].name: base_prices, run.name: prices})
    else:
        _has_limits(run, limits, slo)
    return Gate(
        run=run.name,
        baseline=base[0].name if base else None,
        limits_from=None if slo is None else str(slo),
        cases=whole + limits + compared,
        notes=notes,
        results=results,
        started_at=run.manifest.started_at,
    )


def columns_named(names: typing.Iterable[str]) -> list[Column]:
    """Figures by their names in steps.csv. Raises BadInput."""
    known = {c.name: c for c in METRICS if c.better and c.kind in ("number", "count")}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "name one such as latency_p95_s"
            raise BadInput(f"--figure {name}: no column of steps.csv that is better or worse; {hint}")
    return [known[name] for name in dict.fromkeys(names)]


def _measured(run: Run, pricing: Path | None) -> tuple[list[Result], list[Result], Prices]:
    """Its stages, its levels, and by which prices."""
    prices = prices_of_run(run, pricing)
    results = results_of(run, prices.of_target)
    return results, candidates_of(run, prices.of_target, results), prices


def _baseline_notes(aligned: Aligned, runs: tuple[Run, Run], prices: dict[str, Prices]) -> list[str]:
    """Why the comparison needs care."""
    payloads = dict.fromkeys(now.payload for _, now in aligned.pairs)
    notes = [w for payload in payloads for w in comparability_warnings(list(runs), payload, prices)]
    if aligned.new:
        notes.append(f"Not in the baseline: {_some([stage_text(r) for r in aligned.new])}.")
    doubtful = [base for base, _ in aligned.pairs if base.figures.trust.verdict == "SUSPECT"]
    if doubtful:
        notes.append(f"Of the baseline {len(doubtful)} of {len(aligned.pairs)} levels are SUSPECT.")
    return list(dict.fromkeys(notes)) + [ASSUMPTIONS[0]] * bool(aligned.pairs)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _has_limits(run: Run, limits: list[Case], slo: Path | None) -> None:
    """Raises BadInput: a gate that asks nothing must not look green."""
    if limits:
        return
    if slo:
        raise BadInput(f"{slo}: sets no limit; add `slo:` or `classes:`")
    raise BadInput(
        f"{run.path}: its scenario sets no limit (`slo:`), so there is nothing to judge by; give --slo FILE or --baseline RUN"
    )
