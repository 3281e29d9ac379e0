"""What both reports and the command say of all stages together: which are not VALID, whose limits are open, what it cost."""

import dataclasses
import typing

from analysis.advice.report_model import Report
from analysis.cost.run_cost import FAILED, UNSPLIT
from analysis.verdicts.caution import Caution, alike, reasons, remedy
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import short_level
from analysis.words.stage_figures import Verdict

MOST_BRIEF = 3


class Judged(typing.Protocol):
    """Stages of one run or several: a report, a gate."""

    @property
    def results(self) -> list[Result]: ...

    @property
    def runs(self) -> typing.Collection[str]: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """Stages of which the same is said."""

    stages: str  # `p4d en @1, 2; bedrock en @4`, of several runs `monday: p4d en @1`
    count: int
    words: str

    @property
    def brief(self) -> str:
        """The stages for a terminal, where many targets share one reason: the first of them and how many more."""
        first, others = self.stages.split("; ")[:MOST_BRIEF], self.stages.split("; ")[MOST_BRIEF:]
        return "; ".join(first) + (f" and {len(others)} more" if others else "")


def doubts(report: Judged) -> dict[Verdict, list[Remark]]:
    """INVALID, SUSPECT -> why such stages are, a remark a kind of caution with the ranges of its figures, most stages first; no key
    where there are none. A stage stands under each of its kinds; those that are mended alike stand together.
    """
    found: dict[Verdict, list[Remark]] = {}
    verdicts: tuple[Verdict, ...] = ("INVALID", "SUSPECT")
    for verdict in verdicts:
        results = [r for r in report.results if r.figures.trust.verdict == verdict]
        stages: dict[tuple, dict[int, Result]] = {}  # by kind, each once
        for r in results:
            for one in r.cautions:
                stages.setdefault(one.key, {})[id(r)] = r
        together: dict[tuple, list[Caution]] = {}  # kinds of the same stages that are mended alike
        for same in alike(one for r in results for one in r.cautions):
            together.setdefault((remedy(same), *stages[same[0].key]), []).extend(same)
        groups = [_remark(report, list(stages[some[0].key].values()), reasons(some)) for some in together.values()]
        if groups:
            found[verdict] = sorted(groups, key=lambda remark: -remark.count)
    return found


def doubts_lines(report: Judged, whole: bool = False) -> list[str]:
    """`SUSPECT, 2 stages: only 7 to 13 successes, so …: measure longer (p4d en @1, 2)`; whole: with all stages, however many."""
    return [
        f"{verdict}, {some.count} stage{'' if some.count == 1 else 's'}: {some.words} ({some.stages if whole else some.brief})"
        for verdict, remarks in doubts(report).items()
        for some in remarks
    ]


def open_limits(report: Report) -> list[Remark]:
    """The limits that are neither met nor missed, and why."""
    same: dict[str, list[Result]] = {}
    for r in report.results:
        if words := r.figures.limits.slo_open:
            same.setdefault(words, []).append(r)
    return [_remark(report, some, words) for words, some in same.items()]


def _remark(report: Judged, stages: list[Result], words: str) -> Remark:
    levels: dict[str, list[str]] = {}
    for r in stages:
        name = f"{r.figures.identity.target} {r.payload}"
        name = f"{r.figures.run}: {name}" if len(report.runs) > 1 else name
        levels.setdefault(name, []).append(short_level(r.figures))
    where = "; ".join(f"{name} @{', '.join(some)}" for name, some in levels.items())
    return Remark(where, len(stages), words)


def total(report: Report) -> str:
    """`Total: $0.5741 to $0.7061, for requests of unknown tokens, failed or left, may have been billed, or not.`"""
    low, high = report.total_cost_low, report.total_cost
    if low is None:
        return "The total is not known, for the cost of a target is not."
    words = show.span(low, high)
    if words == show.money(high):
        return f"Total: {words}."
    kinds = {part.kind for cost in report.run_cost for part in cost.parts}
    whys = (
        ["requests of unknown tokens, failed or left, may have been billed, or not"]
        if FAILED in kinds or UNSPLIT not in kinds
        else []
    )
    whys += ["how long a cache keeps what was written is not known"] if UNSPLIT in kinds else []
    return f"Total: {words}, for {', and '.join(whys)}."
