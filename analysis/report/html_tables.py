"""Data frames as HTML tables: headings in words, cells rounded for reading, unknown values marked.

Only text leaves this module; escaping is the template's.
"""

import dataclasses
import typing

import pandas as pd

from analysis.words import format as show
from analysis.words.columns import METRICS

DEFINITIONS = {m.name: m.definition for m in METRICS}
KINDS = {m.name: m.kind for m in METRICS}
MARKS = {"✓": "met", "✗": "missed", "?": "undecided"}
VERDICTS = {"VALID": "met", "SUSPECT": "undecided", "INVALID": "missed"}

#: headings that the rule in `heading` does not give
HEADINGS = {m.name: m.heading for m in METRICS if m.heading} | {
    "usd": "cost", "usd_low": "cost, at least", "usd_high": "cost, at most", "usd_per_1k_input": "$ per 1k input tokens",
    "usd_per_1k_output": "$ per 1k output tokens",
}  # fmt: skip


@dataclasses.dataclass(slots=True)
class Cell:
    """One cell: text, a quieter second line, a CSS class, a tooltip; `number` is aligned right."""

    text: str
    under: str = ""
    css: str = ""
    title: str = ""
    number: bool = False
    head: bool = False  # names its row


@dataclasses.dataclass(slots=True)
class Head:
    text: str
    title: str = ""
    number: bool = False
    css: str = ""
    group: str = ""
    column: str = ""  # of steps.csv, where its definition is


@dataclasses.dataclass(slots=True)
class Table:
    """Rows of cells under headings; `groups` are (words, how many columns) above them."""

    heads: list[Head]
    rows: list[list[Cell]]
    groups: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    left_out: list[str] = dataclasses.field(default_factory=list)  # headings of columns with nothing known
    below: list[str] = dataclasses.field(default_factory=list)  # a long text under each row, empty where there is none


def heading(column: str) -> str:
    """latency_p95_s -> latency p95 (s); usd_per_transaction -> $ per transaction."""
    if column in HEADINGS or " " in column:
        return HEADINGS.get(column, column)
    said = {"usd": "$", "ttft": "TTFT", "tpot": "TPOT", "itl_": "ITL_", "p99_9": "p99.9"}
    for name, own in said.items():
        column = column.replace(name, own)
    words = column.split("_")
    unit = words.pop() if words[-1] in ("s", "ms") and len(words) > 1 else None
    return " ".join(words) + (f" ({unit})" if unit else "")


def shown(column: str, value: typing.Any) -> Cell:
    """A value as the cell of a column: rounded by what the column's name says it is. Empty text is nothing, not unknown."""
    if isinstance(value, str) and not value:
        return Cell("")
    if show.failed(value):
        return Cell(show.FAILED, css="missed", title="falls among the failures", number=True)
    if not show.known(value):
        return Cell(show.UNKNOWN, css="unknown", title="not known", number=KINDS.get(column, "number") != "text")
    if isinstance(value, bool) or KINDS.get(column) == "flag":
        return Cell("yes" if value else "no")
    if isinstance(value, str):
        return _words(value)
    if column in show.PRICES:
        return Cell(show.price(value), number=True)
    name = column.lower()
    if "usd" in name or "$" in name:
        return Cell(show.money(value), number=True)
    if name.endswith(("_share", "error_rate", "error rate", "margin", "cpu_max")):
        return Cell(show.percent(value), number=True)
    if KINDS.get(column) == "count" or float(value).is_integer():
        return Cell(show.count(value), number=True)
    return Cell(show.number(value), number=True)


def _words(value: str) -> Cell:
    if value in VERDICTS:
        return Cell(value, css=VERDICTS[value])
    if value in MARKS.values():
        mark = next(m for m, word in MARKS.items() if word == value)
        return Cell(f"{value} {mark}", css=value)
    if value == "unknown":
        return Cell("unknown ?", css="undecided")
    if value.startswith("? "):
        return Cell(value, css="undecided", title="not known")
    mark = value[-1:]
    if mark in MARKS and value[-2:-1] == " ":
        return Cell(value, css=MARKS[mark], title=MARKS[mark], number=True)
    return Cell(value)


def table(frame: pd.DataFrame, skip: typing.Iterable[str] = ()) -> Table:
    """A frame as it is, without the columns of `skip` and those in which nothing is known."""
    columns = [c for c in frame.columns if c not in skip]
    kept = [c for c in columns if any(show.known(v) for v in frame[c])]
    empty = [c for c in columns if c not in kept and not (frame[c] == "").any()]
    cells = [[shown(str(c), v) for v in frame[c]] for c in kept]
    heads = [
        Head(
            heading(str(c)),
            DEFINITIONS.get(str(c), ""),
            all(cell.number for cell in column),
            column=str(c) if c in DEFINITIONS else "",
        )
        for c, column in zip(kept, cells, strict=True)
    ]
    return Table(heads, [list(row) for row in zip(*cells, strict=True)], left_out=[heading(str(c)) for c in empty])


def pairs(rows: typing.Iterable[tuple[str, Cell]]) -> Table:
    """The first study's Information/Value table, without values that are not known."""
    kept = [[Cell(name, head=True), cell] for name, cell in rows if cell.css != "unknown"]
    return Table([Head("Information"), Head("Value")], kept)
