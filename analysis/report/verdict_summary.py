"""What both reports and the command say of all stages together: which are not VALID, whose limits are open, what it cost."""

import re
import typing

import pandas as pd

from analysis.advice.report_model import Report
from analysis.words import format as show
from analysis.words.level import short_level


class Remark(typing.NamedTuple):
    """Stages of which the same is said."""

    stages: str  # `p4d en @1, 2; bedrock en @4`, of several runs `monday: p4d en @1`
    count: int
    words: str


#: a figure in a reason, with its unit
FIGURE = re.compile(r"(?<![\w.@-])(\d+(?:,\d{3})*(?:\.\d+)?)( (?:%|ms|s)(?!\w))?(?![\w-])")
IN_SECONDS = {" ms": 0.001}


def doubts(report: Report) -> dict[str, list[Remark]]:
    """INVALID, SUSPECT -> why such stages are, a remark a kind of reason, most stages first; no key where there are none.

    Reasons are of a kind that differ only in their figures; these become ranges. A SUSPECT stage stands under each of its.
    """
    found = {}
    for verdict in ("INVALID", "SUSPECT"):
        steps = report.steps[report.steps["verdict"] == verdict]
        if len(steps):
            # what the load side found wrong is one text, which may have such a mark of its own
            texts = steps["reasons"].fillna("")
            texts = texts.str.split("; ") if verdict == "SUSPECT" else texts
            steps = steps.assign(reasons=texts).explode("reasons", ignore_index=True)
            kinds = steps["reasons"].map(lambda text: FIGURE.sub("\0", text))
            groups = [
                _remark(report, group, _ranges(list(group["reasons"]))) for _, group in steps.groupby(kinds, sort=False)
            ]
            found[verdict] = sorted(groups, key=lambda remark: -remark.count)
    return found


def _ranges(reasons: list[str]) -> str:
    """`only 7 successes`, `only 13 successes` -> `only 7 to 13 successes`, of reasons of one kind."""
    figures = iter(list(zip(*(FIGURE.finditer(text) for text in reasons))))

    def span(_: re.Match) -> str:
        some = sorted(next(figures), key=lambda m: float(m[1].replace(",", "")) * IN_SECONDS.get(m[2], 1))
        return some[0][0] if some[0][0] == some[-1][0] else f"{some[0][0]} to {some[-1][0]}"

    return FIGURE.sub(span, reasons[0])


def open_limits(report: Report) -> list[Remark]:
    """The limits that are neither met nor missed, and why."""
    steps, column = report.steps[report.steps["slo_open"].fillna("") != ""], "slo_open"
    return [_remark(report, group, words) for words, group in steps.groupby(column, sort=False)]


def _remark(report: Report, steps: pd.DataFrame, words: str) -> Remark:
    levels: dict[str, list[str]] = {}
    for _, row in steps.iterrows():
        name = f"{row['target']} {row['payload']}"
        levels.setdefault(f"{row['run']}: {name}" if len(report.runs) > 1 else name, []).append(short_level(row))
    stages = "; ".join(f"{name} @{', '.join(some)}" for name, some in levels.items())
    return Remark(stages, len(steps), words or "no reason was recorded")


def total(report: Report) -> str:
    """`Total: $0.5741 to $0.7061, for failures of unknown tokens may have been billed, or not.`"""
    low, high = report.total_cost_low, report.total_cost
    if low is None:
        return "The total is not known, for the cost of a target is not."
    words = show.span(low, high)
    if words == show.money(high):
        return f"Total: {words}."
    return f"Total: {words}, for failures of unknown tokens may have been billed, or not."
