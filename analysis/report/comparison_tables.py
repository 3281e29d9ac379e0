"""A comparison as tables: over levels, at each level, and what differs between the runs."""

import math
import typing

from analysis.comparison.figures import NAMES, change, interval, sentence, unseen
from analysis.comparison.model import Compared, Comparison, Condition, Group, Level
from analysis.report.html_tables import VERDICTS, Cell, Head, Table
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column
from analysis.words.value_text import ends_of

SURE = "!"
CSS = {"worse": "missed", "better": "met"}


def over_levels_table(group: Group) -> Table | None:
    """A row a figure, of each other run: the change over the levels that both measured, and at how many levels it is seen."""
    others = [run for run, some in group.together.items() if some]
    if not others:
        return None
    columns = list(dict.fromkeys(c.column for run in others for c in group.together[run]))
    rows = []
    for column in columns:
        row = [Cell(NAMES[column], head=True)]
        for run in others:
            found = next((c for c in group.together[run] if c.column == column), None)
            row += [*_cells(column, found), Cell(seen_at(group, run, column))]
        rows.append(row)
    heads = [Head("over levels")]
    for run in others:
        heads += [Head("change", number=True, group=run), Head("is", group=run), Head("at single levels", group=run)]
    return Table(heads, rows, [("", 1), *((run, 3) for run in others)])


def level_table(level: Level, reference: str) -> Table:
    """A row a figure: of each other run the change and what that is, then the figures themselves, the reference's first."""
    others = list(level.compared)
    columns = list(dict.fromkeys(c.column for run in others for c in level.compared[run]))
    rows = [_verdicts(level, reference, others)]
    for column in columns:
        row = [Cell(NAMES[column], head=True)]
        for run in others:
            row += _cells(column, next((c for c in level.compared[run] if c.column == column), None))
        rows.append([*row, *(_value(level.results[run], column) for run in (reference, *others))])
    heads = [Head(level.words)]
    for run in others:
        heads += [Head("change", number=True, group=run), Head("is", group=run)]
    heads += [Head(run, number=True) for run in (reference, *others)]
    return Table(heads, rows, [("", 1), *((run, 2) for run in others), ("measured", 1 + len(others))])


def conditions_table(conditions: list[Condition], runs: list[str]) -> Table:
    """A row a thing that differs, a column a run."""
    rows = [
        [
            Cell(c.what, head=True),
            *(Cell(show.text(c.values[run]), css="" if c.values[run] else "unknown") for run in runs),
        ]
        for c in conditions
    ]
    return Table([Head("what differs"), *(Head(run) for run in runs)], rows)


def gist_rows(group: Group, run: str, columns: typing.Sequence[Column]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(level, (text, said) of each column) of a narrow table; then over levels, and what could have been seen there."""
    found = []
    for level in group.levels:
        if run in level.compared:
            by = {c.column: c for c in level.compared[run]}
            mark = {"INVALID": " INVALID", "SUSPECT": " ?"}
            verdicts = [
                level.results[name].figures.trust.verdict
                for name in level.results
                if name == run or name == _first(level)
            ]
            worst = "INVALID" if "INVALID" in verdicts else "SUSPECT" if "SUSPECT" in verdicts else ""
            found.append((level.words + mark.get(worst, ""), [gist(by.get(column)) for column in columns]))
    if together := {c.column: c for c in group.together.get(run, [])}:
        found.append(("over levels", [gist(together.get(column)) for column in columns]))
        smallest = [
            (_bare(unseen(c.difference)) if (c := together.get(column)) else show.UNKNOWN, "") for column in columns
        ]
        found.append(("seen from", smallest))
    return found


def _first(level: Level) -> str:
    """The reference's name."""
    return next(iter(level.results))


def gist(found: Compared | None) -> tuple[str, str]:
    """`+8.1 !`, `(+0.3)` where no difference is seen, `+40 ?` where none can be told; and what it is. In percent, of shares of
    requests in points."""
    if found is None or found.difference is None:
        return show.UNKNOWN, ""
    text = _bare(change(found.difference))
    if found.said == "no difference seen":
        return f"({text})", found.said
    if found.said == "not known":
        return f"{text} ?", found.said
    return f"{text} {SURE}" if found.sure else text, found.said


def _bare(text: str) -> str:
    """The unit stands over a narrow table."""
    return text.removesuffix(" %").removesuffix(" pts")


def seen_at(group: Group, run: str, column: Column) -> str:
    """`worse at 5 of 6, better at 1`"""
    each = [c for level in group.levels for c in level.compared.get(run, []) if c.column == column]
    counts = {what: sum(c.said == what for c in each) for what in ("worse", "better", "not known")}
    parts = [f"{what} at {n}" for what, n in counts.items() if n]
    return f"{', '.join(parts) or 'none seen'} of {len(each)}"


def _cells(column: Column, found: Compared | None) -> list[Cell]:
    """The change with its interval, and what it is."""
    if found is None or found.difference is None:
        return [Cell(show.UNKNOWN, css="unknown", title="not known", number=True), Cell("")]
    css = CSS.get(found.said, "") if found.said != "not known" else "undecided"
    words = sentence(column, found.difference) + (f" {SURE}" if found.sure and found.said in CSS else "")
    return [
        Cell(change(found.difference), under=interval(found.difference), css=css, number=True),
        Cell(words, css=css, title=found.difference.method),
    ]


def _value(result: Result, column: Column) -> Cell:
    value = column.of(result.figures)
    if not show.known(value):
        return Cell(show.UNKNOWN, css="unknown", title="not known", number=True)
    ends = ends_of(result, column)
    if ends == (None, None) and result.series.get(column, (0.0, math.inf)) != (0.0, math.inf):
        ends = result.series[column]
    return Cell(column.words(value), under=show.ends(column.words, *ends), number=True)


def _verdicts(level: Level, reference: str, others: list[str]) -> list[Cell]:
    """The first row: whether the stages can be trusted, and by how many answers."""

    def trust(run: str) -> Cell:
        figures = level.results[run].figures
        verdict = figures.trust.verdict or ""
        return Cell(
            verdict,
            under=f"{show.count(figures.outcome.successes)} of {show.count(figures.outcome.requests)} requests",
            css=VERDICTS.get(verdict, ""),
            title=figures.trust.reasons or "",
            number=True,
        )

    nothing = [Cell("", number=True), Cell("")] * len(others)
    return [Cell("verdict", head=True), *nothing, *(trust(run) for run in (reference, *others))]


def level_summary(level: Level) -> str:
    """`4 users: 9 worse, 1 better of 31 figures; SUSPECT`, of several other runs by run."""
    verdicts = [r.figures.trust.verdict for r in level.results.values()]
    worst = next((f"; {verdict}" for verdict in ("INVALID", "SUSPECT") if verdict in verdicts), "")
    parts = []
    for run, some in level.compared.items():
        counts = {what: sum(c.said == what for c in some) for what in ("worse", "better", "other")}
        told = ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "no difference seen"
        parts.append((f"{run}: " if len(level.compared) > 1 else "") + f"{told} of {len(some)} figures")
    return f"{level.words}: {'; '.join(parts)}{worst}"


def all_levels(comparison: Comparison) -> list[tuple[Group, Level]]:
    return [(group, level) for group in comparison.groups for level in group.levels]
