"""`compare` run folders into a Comparison."""

import datetime
import pathlib
import typing

from analysis.calibration.error_bar import instrument_error
from analysis.comparison.align import Candidates, Hashes, Key, aligned, targets_of
from analysis.comparison.cautions import between, cautions
from analysis.comparison.conditions import conditions
from analysis.comparison.figures import compared_columns
from analysis.comparison.mixes import whole_mixes
from analysis.comparison.model import Compared, Comparison, Group, Level
from analysis.runs.run_reader import Run, load_runs
from analysis.verdicts.compared_series import with_compared_series
from analysis.verdicts.difference import difference
from analysis.verdicts.measured import measured
from analysis.verdicts.regressions import holm, how_many_tell, over_levels
from analysis.verdicts.stage_results import Result
from analysis.words.columns import Column
from analysis.words.level import level_text, load_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.version import build

ASSUMPTIONS = [
    "Intervals are 95 % ones, each for itself: of twenty differences that are none, one looks like one.",
    "A difference marked ! holds among all that is compared here (Holm: 5 % for a single false one anywhere).",
    "The intervals are of the requests measured: what changes from run to run is in them only where a level was repeated.",
    "Requests that follow each other may be alike: percentiles, means and shares count only as many as are independent.",
    "Over levels: the mean of the logs of the levels' ratios, weighted by what each tells.",
]


def compare(
    paths: typing.Sequence[str | pathlib.Path],
    baseline: str | None = None,
    pricing: str | None = None,
    calibration: str | None = None,
) -> Comparison:
    """Read run folders and set them beside the first, or beside `baseline`, one of them.

    Raises NotARun for a folder without a readable run, BadPriceBook or BadScenario for `pricing`, BadInput for `calibration`, for
    a `baseline` that is none of the runs, and where no two stages stand beside each other.
    """
    if len(paths) < 2:
        raise BadInput("compare: one run has nothing beside it; name two runs or more")
    runs = load_runs(paths)
    reference = _reference(runs, baseline)
    # by itself: its levels are compared, not pooled, with those of others
    each = [measured([run], pricing) for run in runs]
    prices = {name: of for found in each for name, of in found.prices.items()}
    levels: Candidates = {name: with_compared_series(found) for found in each for name in found.runs}
    both, only_in = _partners(levels, reference, runs)
    pairs = {name: _pairs(levels, reference, name, both) for name in levels}
    compared = {name: [some[name] for some in both.values() if name in some] for name in levels}
    instrument = {run.name: instrument_error(run, calibration) for run in runs}
    differing, same = conditions(runs, prices, compared, pairs, instrument)
    groups = _groups(whole_mixes(levels, prices, both, reference), pairs, reference, whole=True)
    groups += _groups(both, pairs, reference)
    return Comparison(
        runs=list(levels),
        reference=reference,
        names={run.name: run.manifest.name for run in runs},
        groups=groups,
        conditions=differing,
        same=same,
        cautions=between(runs, differing) + cautions(groups, reference) + [n for run in runs for n in run.notes],
        only_in=only_in,
        assumptions=ASSUMPTIONS,
        asked=_adjust(groups),
        made_at=datetime.datetime.now(datetime.UTC),
        made_by=build(),
    )


def _partners(levels: Candidates, reference: str, runs: list[Run]) -> tuple[dict[Key, dict[str, Result]], list[str]]:
    """Raises BadInput where there are none."""
    payloads = {name: dict.fromkeys(r.payload for r in some) for name, some in levels.items()}
    hashes: dict[str, Hashes] = {
        run.name: {stem: run.manifest.payloads.get(stem, {}).get("sha256") for stem in payloads[run.name]}
        for run in runs
    }
    both, only_in = aligned(levels, reference, hashes)
    if not both:
        what = f"no stage of run {reference} has a partner of the same target or model, payload and level"
        remedy = "give runs of the same levels, and targets of one model the same `model:`"
        raise BadInput(f"compare: {what}; {remedy}. {' '.join(only_in)}")
    return both, only_in


def _reference(runs: list[Run], baseline: str | None) -> str:
    if baseline is None:
        return runs[0].name
    for run in runs:
        if baseline == run.name or pathlib.Path(baseline).resolve() == pathlib.Path(run.path).resolve():
            return run.name
    names = ", ".join(run.name for run in runs)
    raise BadInput(f"--baseline {baseline}: is none of the runs compared; choose one of {names}")


def _pairs(levels: Candidates, reference: str, name: str, both: dict[Key, dict[str, Result]]) -> dict[str, str]:
    """This run's targets that are compared -> the reference's name of each."""
    used = {some[name].figures.identity.target for some in both.values() if name in some}
    return {own: ours for own, ours in targets_of(levels[reference], levels[name]).items() if own in used}


def _groups(
    both: dict[Key, dict[str, Result]], pairs: dict[str, dict[str, str]], reference: str, whole: bool = False
) -> list[Group]:
    """whole: of mixes, whose key names all their targets."""
    by_group: dict[tuple[str, str, str], list[tuple[float, dict[str, Result]]]] = {}
    for (target, payload, kind, value), some in both.items():
        by_group.setdefault((target, payload, kind), []).append((value, some))
    found = []
    for (target, payload, _), each in by_group.items():
        levels = [_level(some, reference) for _, some in sorted(each, key=lambda one: one[0])]
        others = list(dict.fromkeys(run for level in levels for run in level.compared))
        aliases = [
            f"`{own}` in run {run}"
            for run, of_run in pairs.items()
            for own, ours in of_run.items()
            if ours == target != own
        ]
        who = target if whole else f"`{target}`" + (f" ({', '.join(aliases)})" if aliases else "")
        found.append(Group(who, payload, levels, {run: _together(levels, run) for run in others}, whole))
    return found


def _level(results: dict[str, Result], reference: str) -> Level:
    base = results[reference]
    compared = {
        run: [_compared(c, base, r) for c in compared_columns(base.figures, r.figures) if _either(c, base, r)]
        for run, r in results.items()
        if run != reference
    }
    alike = all(r.figures.mix_share == base.figures.mix_share for r in results.values())
    return Level(level_text(base.figures) if alike else f"a mix of {load_text(base.figures)}", results, compared)


def _either(column: Column, *results: Result) -> bool:
    """Whether one of them has the figure at all."""
    return any(column.of(r.figures) is not None for r in results)


def _compared(column: Column, one: Result, other: Result) -> Compared:
    return Compared(column, column.of(one.figures), column.of(other.figures), difference(one, other, column))


def _together(levels: list[Level], run: str) -> list[Compared]:
    """Over the levels that both measured; nothing where that is one only."""
    each = [level.compared[run] for level in levels if run in level.compared]
    if len(each) < 2:
        return []
    columns = list(dict.fromkeys(c.column for some in each for c in some))
    found = []
    for column in columns:
        differences = [c.difference for some in each for c in some if c.column == column and c.difference is not None]
        if (whole := over_levels(differences)) is not None:
            found.append(Compared(column, None, None, whole, how_many_tell(differences)))
    return found


def _adjust(groups: list[Group]) -> int:
    """Set the p-values among all that is asked; how many that are."""
    every = [
        c
        for group in groups
        for some in [*group.together.values(), *(of for level in group.levels for of in level.compared.values())]
        for c in some
    ]
    ps = [None if c.difference is None else c.difference.p for c in every]
    for c, adjusted in zip(every, holm(ps), strict=True):
        c.adjusted = adjusted
    return sum(p is not None for p in ps)
