"""The gate of a run: its limits, and whether it is worse than a baseline, as cases that are met, missed or undecided."""

import dataclasses
import pathlib
import typing

from analysis.comparison.cautions import cautions
from analysis.comparison.conditions import conditions
from analysis.comparison.model import Condition, Group, Level
from analysis.cost.pricing import Prices
from analysis.gate.baseline import Aligned, align, baseline_cases, stage_text
from analysis.gate.case import Case, Gate
from analysis.gate.limits import limit_cases, run_cases, without_limits
from analysis.runs.run_reader import Run, load_runs
from analysis.verdicts.compared_series import with_compared_series
from analysis.verdicts.difference import OF_LIMITS
from analysis.verdicts.measured import measured
from analysis.verdicts.regressions import ASSUMPTIONS
from analysis.verdicts.stage_results import Result
from analysis.words.columns import METRICS, Column
from analysis.words.level import level_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.nearest import nearest
from locustfiles.contract.run_folder import NotARun
from locustfiles.contract.scenario.slo_file import load_slo

Path = str | pathlib.Path
#: stages without a limit, or without a counterpart, that a note names
_NAMED = 5
#: what may differ from a baseline and has to be told; software is told by the report, and changes from night to night
_TOLD = ("measured", "prices", "load")


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
    run, *bases = load_runs([run_path, *([against.path] if against else [])])
    for one in (run, *bases):  # the baseline too: what goodput counts goes by the limits
        one.limits = None if slo is None else load_slo(slo)
    results, candidates, prices = _measured(run, pricing, asked)
    whole, limits = list(run_cases(run, results)), list(limit_cases(run, candidates, strict))
    if not results and not whole:
        raise NotARun(f"{run.path}: no stage in its manifest, nothing was measured; give another run")
    bare, compared = without_limits(candidates) if limits else [], _Compared()
    if against:
        compared = _compared(against, asked, bases[0], run, (candidates, prices), pricing)
    else:
        _has_limits(run, limits, slo)
    return Gate(
        run=run.path.resolve().name,
        baseline=str(against.path) if against else None,
        limits_from=None if slo is None else str(slo),
        cases=whole + limits + compared.cases,
        notes=[f"No limit is set for {_some(bare)}."] * bool(bare) + compared.notes,
        results=results,
        started_at=run.manifest.started_at,
    )


class _Compared(typing.NamedTuple):
    """With a baseline."""

    cases: list[Case] = []
    notes: list[str] = []


def _compared(
    against: Against,
    asked: list[Column],
    base: Run,
    run: Run,
    measured: tuple[list[Result], Prices],
    pricing: Path | None,
) -> _Compared:
    """measured: the run's levels, and by which prices. Raises BadInput."""
    if run.manifest.run_id == base.manifest.run_id:
        raise BadInput(
            f"--baseline {against.path}: holds the same run (run_id {base.manifest.run_id}); give an earlier one"
        )
    (candidates, prices), (of_base, base_prices) = measured, _measured(base, pricing, asked)[1:]
    aligned = align(of_base, candidates, (base, run))
    cases = list(baseline_cases(aligned, (base, run), asked, against.tolerance))
    return _Compared(cases, _baseline_notes(aligned, (base, run), {base.name: base_prices, run.name: prices}))


def columns_named(names: typing.Iterable[str]) -> list[Column]:
    """Figures by their names in steps.csv. Raises BadInput."""
    known = {c.name: c for c in METRICS if c.better and c.kind in ("number", "count")}
    for name in names:
        if name not in known:
            meant = nearest(name, known)
            hint = f"did you mean {meant}?" if meant else "name one such as latency_p95_s"
            raise BadInput(f"--figure {name}: no column of steps.csv that is better or worse; {hint}")
    return [known[name] for name in dict.fromkeys(names)]


def _measured(run: Run, pricing: Path | None, asked: list[Column]) -> tuple[list[Result], list[Result], Prices]:
    """Its stages, its levels, and by which prices. asked: of a comparison, some of whose intervals are made for it alone."""
    found, series = measured([run], pricing), any(c in OF_LIMITS or c.path[0] == "itl" for c in asked)
    return found.results, with_compared_series(found) if series else found.candidates, found.prices[run.name]


def _baseline_notes(aligned: Aligned, runs: tuple[Run, Run], prices: dict[str, Prices]) -> list[str]:
    """Why the comparison needs care."""
    (base, now), pairs = runs, aligned.pairs
    names = {
        now.name: {_target(b): _target(a) for a, b in pairs},
        base.name: {_target(a): _target(a) for a, _ in pairs},
    }
    compared = {base.name: [a for a, _ in pairs], now.name: [b for _, b in pairs]}
    unlike, _ = conditions([base, now], prices, compared, names, dict.fromkeys(names, ""))
    notes = [_unlike(c, base, now) for c in unlike if c.kind in _TOLD]
    groups: dict[tuple[str, str], list[Level]] = {}
    for pair in pairs:
        level = Level(level_text(pair[1].figures), {base.name: pair[0], now.name: pair[1]}, {})
        groups.setdefault((_target(pair[1]), pair[1].payload), []).append(level)
    told = [Group(f"`{who}`", payload, levels, {now.name: []}) for (who, payload), levels in groups.items()]
    notes += cautions(told, base.name)
    if aligned.new:
        notes.append(f"Not in the baseline: {_some([stage_text(r) for r in aligned.new])}.")
    doubtful = [a for a, _ in pairs if a.figures.trust.verdict == "SUSPECT"]
    if doubtful:
        notes.append(f"Of the baseline {len(doubtful)} of {len(pairs)} levels are SUSPECT.")
    return notes + [ASSUMPTIONS[0]] * bool(pairs)


def _unlike(of: Condition, base: Run, now: Run) -> str:
    was, is_now = (of.values[run.name] or "none" for run in (base, now))
    if was == is_now:  # told, for it is not known
        return f"Whether it is as in the baseline is not known: {of.what}."
    return f"Not as in the baseline: {of.what}: {was} → {is_now}."


def _target(result: Result) -> str:
    return result.figures.identity.target


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
