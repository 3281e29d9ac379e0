"""What searches found: the highest level that keeps the limits, with the stages that say so as evidence."""

import dataclasses
import typing

from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result, StageKey
from analysis.words.level import level_text, value_of
from locustfiles.contract.manifest import Finding

NOT_CONFIRMED = (
    "not confirmed: the boundary was not measured twice with the same outcome, or the search ran out of time; take the answer "
    "as a guess"
)


class Evidence(typing.NamedTuple):
    """A stage that was measured for a finding: which visit of its level it was, and how the search took it."""

    visit: int
    outcome: str | None
    result: Result


@dataclasses.dataclass(slots=True)
class Found:
    """What a search for the highest level that keeps the limits found."""

    run: str
    target: str
    payload: str
    of: str  # users or rate
    answer: float | None
    fails_at: float | None
    confirmed: bool
    why: str
    text: str  # a sentence
    warnings: list[str]  # not confirmed, stages that cannot be trusted
    evidence: list[Evidence]  # by level


def findings_of(runs: list[Run], results: list[Result]) -> list[Found]:
    """Every search of the runs."""
    by_key = {r.key: r for r in results}
    return [_found(run.name, finding, by_key) for run in runs for finding in run.manifest.findings]


def _found(run: str, finding: Finding, results: dict[StageKey, Result]) -> Found:
    evidence: list[Evidence] = []
    visits: dict[str, int] = {}
    for stage in finding.stages:
        result = results.get(StageKey(run, stage))
        if result is None:  # of a part that was cut short
            continue
        level = f"{value_of(result.figures):g}"
        visit = visits[level] = visits.get(level, 0) + 1
        told = finding.outcomes.get(level, [])
        evidence.append(Evidence(visit, told[visit - 1] if visit <= len(told) else None, result))
    evidence.sort(key=_place)
    text = f"`{finding.target}` on `{finding.payload}`: {finding.text}."
    return Found(
        run, finding.target, finding.payload, finding.of, finding.answer, finding.fails_at, finding.confirmed, finding.why, text,
        _warnings(finding, evidence), evidence,
    )  # fmt: skip


def _place(evidence: Evidence) -> tuple[float, float, int]:
    """By level, users before rates, then in the order measured."""
    figures, last = evidence.result.figures, float("inf")
    users, rate = (last if value is None else value for value in (figures.users, figures.rate))
    return users, rate, evidence.visit


def _warnings(finding: Finding, evidence: list[Evidence]) -> list[str]:
    warnings = [] if finding.confirmed else [NOT_CONFIRMED]
    for verdict in ("INVALID", "SUSPECT"):
        some = [e.result.figures for e in evidence if e.result.figures.trust.verdict == verdict]
        if some:
            levels = ", ".join(dict.fromkeys(level_text(figures) for figures in some))
            warnings.append(f"{len(some)} of its {len(evidence)} stages are {verdict} ({levels})")
    return warnings
