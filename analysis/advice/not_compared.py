"""Targets that nothing is known of: left out before their load, or never answered. They must not lose in silence."""

import collections
import typing

from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from analysis.words import format as show
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import LeftOut

#: how many a headline tells in full; of more it tells the number and the first of them, and all stand in a list
IN_FULL = 2


class NotCompared(typing.NamedTuple):
    """A target, or a payload of one, without a success in what was measured."""

    who: str
    error: str  # the class of its failures, of most of them
    why: str
    target: str
    payload: str | None  # None: all of its
    measured: bool  # there was load, and all of it failed

    @property
    def text(self) -> str:
        """A sentence."""
        return f"{self.who} could not be compared: {self.why.rstrip('.')}."


def not_compared(runs: list[Run]) -> list[NotCompared]:
    """All of them."""
    return [one for run in runs for one in _of(run)]


def in_headline(found: typing.Sequence[NotCompared]) -> str:
    """What a headline says of them."""
    if len(found) <= IN_FULL:
        return " ".join(one.text for one in found)
    some = ", ".join(f"{one.who} ({one.error})" for one in found[:IN_FULL])
    return f"{len(found)} could not be compared: {some} and {len(found) - IN_FULL} more, which are listed with their reasons."


def _of(run: Run) -> typing.Iterator[NotCompared]:
    left_out = {(one.target, one.payload): one for one in run.manifest.left_out}
    for one in left_out.values():
        who = _named(run, one.target, one.payload)
        yield NotCompared(who, one.error, _why_left_out(one), one.target, one.payload, measured=False)
    records = run.of_stages
    measured = records[records["phase"] == "measure"]
    for target in run.scenario.targets:
        some = measured[measured["target"] == target.name]
        if (target.name, None) in left_out or some.empty or some["error"].isna().any():
            continue
        failed = some[some["error"] != ErrorClass.CANCELLED]
        if len(failed):
            yield NotCompared(_named(run, target.name, None), *_why_failed(failed), target.name, None, measured=True)


def _named(run: Run, target: str, payload: str | None) -> str:
    return run.named(target) + (f" on `{payload}`" if payload else "")


def _why_left_out(one: LeftOut) -> str:
    why = one.why.removeprefix(f"{one.error}: ")  # of a failure without a code or status it begins with the class
    return f"its first calls failed, {one.error}: {why}"


def _why_failed(failed: Rows) -> tuple[str, str]:
    """The class of most failures, and `all 287 of its requests failed, most often client: ValidationError: the service's own words`"""
    kinds = collections.Counter(
        tuple(show.text(value) if isinstance(value, str) else "" for value in row)
        for row in failed[["error", "error_code", "error_message"]].itertuples(index=False)
    )
    (words, count), n = kinds.most_common(1)[0], len(failed)
    said = ": ".join(word for word in words if word)
    share = "" if count == n else f"{count} of them "
    return words[0], f"all {n} of its requests failed, {share}{said}"
