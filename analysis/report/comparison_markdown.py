"""compare.md: a comparison as Markdown that a wiki takes as it is."""

import pandas as pd

from analysis.comparison.gist import gist_sentences
from analysis.comparison.model import Comparison
from analysis.report.comparison_tables import conditions_table, level_table, over_levels_table
from analysis.report.html_tables import Cell, Table
from analysis.report.markdown import table as markdown_table
from analysis.report.verdict_summary import doubts
from analysis.words.safe_text import markdown_text


def comparison_markdown(comparison: Comparison) -> str:
    """The whole of it; what others wrote stays text."""
    reference, others = comparison.reference, ", ".join(comparison.others)
    lines = [f"# {markdown_text(f'{others} beside {reference}')}", ""]
    lines += [f"- {markdown_text(text)}" for text in gist_sentences(comparison)] + [""]
    remarks = [
        f"{verdict}, {one.count} stage{'s' if one.count > 1 else ''}: {one.words} ({one.stages})"
        for verdict, some in doubts(comparison).items()
        for one in some
    ]
    lines += _bullets("Mind", [*remarks, *comparison.cautions])
    if comparison.conditions:
        lines += ["## What else differs", "", _table(conditions_table(comparison.conditions, comparison.runs)), ""]
    else:
        lines += ["Nothing else that was looked at differs.", ""]
    for group in comparison.groups:
        lines += [f"## {markdown_text(f'{group.who} on `{group.payload}`')}", ""]
        if (whole := over_levels_table(group)) is not None:
            lines += [_table(whole), ""]
        for level in group.levels:
            lines += [f"### {markdown_text(level.words)}", "", _table(level_table(level, reference)), ""]
    lines += _bullets("Without a partner", comparison.only_in)
    lines += _bullets("How to read it", comparison.assumptions)
    made = comparison.made_at.strftime("%Y-%m-%d %H:%M UTC")
    return "\n".join(
        [*lines, markdown_text(f"Made {made} by {comparison.made_by}; {comparison.asked} differences asked."), ""]
    )


def _bullets(title: str, texts: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {markdown_text(text)}" for text in texts), ""] if texts else []


def _table(shown: Table) -> str:
    heads = [f"{h.group}: {h.text}" if h.group else h.text for h in shown.heads]
    return str(markdown_table(pd.DataFrame([[_text(cell) for cell in row] for row in shown.rows], columns=heads)))


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.under})" if cell.under else cell.text
