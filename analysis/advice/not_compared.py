"""Targets that nothing is known of: left out before their load, or never answered. They must not lose in silence."""

import collections
import typing

from analysis.runs.run_reader import Run
from analysis.words import format as show
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import LeftOut


def not_compared(runs: list[Run]) -> list[str]:
    """A sentence for each target, or payload of one, that has no success in what was measured, and why."""
    return [sentence for run in runs for sentence in _of(run)]


def _of(run: Run) -> typing.Iterator[str]:
    left_out = {(one.target, one.payload): one for one in run.manifest.left_out}
    for one in left_out.values():
        yield f"{_named(run, one.target, one.payload)} could not be compared: {_why_left_out(one)}."
    measured = run.of_stages[lambda r: r["phase"] == "measure"]
    for target in run.scenario.targets:
        some = measured[measured["target"] == target.name]
        if (target.name, None) in left_out or some.empty or some["error"].isna().any():
            continue
        failed = some[some["error"] != ErrorClass.CANCELLED]
        if len(failed):
            yield f"{_named(run, target.name, None)} could not be compared: {_why_failed(failed)}."


def _named(run: Run, target: str, payload: str | None) -> str:
    return run.named(target) + (f" on `{payload}`" if payload else "")


def _why_left_out(one: LeftOut) -> str:
    why = one.why.removeprefix(f"{one.error}: ")  # of a failure without a code or status it begins with the class
    return f"its first calls failed, {one.error}: {why}"


def _why_failed(failed: typing.Any) -> str:
    """`all 287 of its requests failed, most often client: ValidationError: the service's own words`"""
    kinds = collections.Counter(
        tuple(show.text(value) if isinstance(value, str) else "" for value in row)
        for row in failed[["error", "error_code", "error_message"]].itertuples(index=False)
    )
    (words, count), n = kinds.most_common(1)[0], len(failed)
    said = ": ".join(word for word in words if word)
    return (
        f"all {n} of its requests failed, {said}"
        if count == n
        else f"all {n} of its requests failed, {count} of them {said}"
    )
