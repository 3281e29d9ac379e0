"""What several runs do not have in common, so that they are not taken together, or not judged alike."""

import itertools
import typing

from analysis.runs.run_reader import Run
from analysis.verdicts.place import PRICE, Place, differing
from analysis.verdicts.pooled_repeats import who_of
from analysis.verdicts.stage_results import Result

AT_MOST = 5  # sentences of a kind; the others are counted


def apart(results: list[Result]) -> list[str]:
    """Of stages on one dataset: places that call the same, in runs of their own, under conditions that differ. Where prices alone
    differ, comparability.py says so."""
    spots: dict[tuple, dict[Place, list[Result]]] = {}
    for r in results:
        called = r.place.spot._replace(instance=None)
        spots.setdefault(called, {}).setdefault(r.place, []).append(r)
    pairs = (pair for places in spots.values() for pair in itertools.combinations(places.items(), 2))
    return _at_most(
        [
            f"{who_of(ours)} and {who_of(theirs)} are of one place, but no repetitions of each other: {differing(one, other)}."
            for (one, ours), (other, theirs) in pairs
            if not {r.key.run for r in ours} & {r.key.run for r in theirs}
            if differing(one, other, (PRICE,))
        ]
    )


def _at_most(sentences: list[str]) -> list[str]:
    more = len(sentences) - AT_MOST
    return (
        sentences if more <= 0 else [*sentences[:AT_MOST], f"{more} more such pairs are no repetitions of each other."]
    )


def other_limits(runs: list[Run]) -> list[str]:
    """Where the runs' scenarios do not set the same limits."""
    limits = {run.name: _limits(run) for run in runs if run.limits is None}  # a file's are the same for all
    if len(set(limits.values())) < 2:
        return []
    each = "; ".join(f"{name} {limits[name] or 'none'}" for name in limits)
    said = (
        f"The runs do not have the same limits ({each}): a stage is judged by its own run's, repetitions together by all of them; "
        "to judge all alike, give a file of limits with --slo."
    )
    return [said]


def _limits(run: Run) -> str:
    """`latency_s mean 2, error_rate 0`"""
    found: dict[str, typing.Any] = run.scenario.slo.model_dump(exclude_none=True, exclude={"dataset"})
    parts = []
    for name, limit in found.items():
        of = [f"{key} {value}" for key, value in limit.items()] if isinstance(limit, dict) else [f"{limit}"]
        parts += [f"{name} {words}" for words in of]
    return ", ".join(parts)
