"""compare.html: a comparison in one file, in the report's style; every value in it is escaped by jinja2."""

import dataclasses

from analysis.comparison.gist import gist_sentences
from analysis.comparison.model import Compared, Comparison
from analysis.report.comparison_tables import conditions_table, level_summary, level_table, over_levels_table
from analysis.report.html import pages, style
from analysis.report.html_tables import Table
from analysis.report.verdict_summary import doubts


@dataclasses.dataclass(frozen=True, slots=True)
class _Shown:
    """A target on a payload."""

    words: str
    whole: Table | None
    levels: list[tuple[str, Table]]  # what it says in short, and the whole


def comparison_html(comparison: Comparison) -> str:
    """The page."""
    groups = [
        _Shown(
            f"{group.who} on `{group.payload}`",
            over_levels_table(group),
            [(level_summary(level), level_table(level, comparison.reference)) for level in group.levels],
        )
        for group in comparison.groups
    ]
    each = [c for g in comparison.groups for some in g.together.values() for c in some]
    each += [c for g in comparison.groups for level in g.levels for some in level.compared.values() for c in some]
    content = {
        "comparison": comparison,
        "title": f"{', '.join(comparison.others)} beside {comparison.reference}",
        "style": style(),
        "doubts": [(verdict, remark) for verdict, remarks in doubts(comparison).items() for remark in remarks],
        "gist": gist_sentences(comparison),
        "tone": _tone(comparison, each),
        "levels": sum(len(g.levels) for g in groups),
        "conditions": conditions_table(comparison.conditions, comparison.runs),
        "groups": groups,
        "several": len(comparison.others) > 1,
    }
    return pages().get_template("compare.html.j2").render(content)


def _tone(comparison: Comparison, each: list[Compared]) -> str:
    """How the gist is coloured: none where a stage is INVALID, green only where all are VALID, nothing became worse, and it is known."""
    if comparison.invalid:
        return "none"
    doubtful = comparison.cautions or any(r.figures.trust.verdict != "VALID" for r in comparison.results)
    told = any(c.difference is not None and c.difference.low is not None for c in each)
    return "open" if doubtful or not told or any(c.sure and c.said == "worse" for c in each) else ""
