"""The stages on a terminal: as many columns as its width holds, and none cut; a stage can be recognised at any width."""

import typing

import pandas as pd
import rich.box
from rich.markup import escape
from rich.table import Table

from analysis.report.text_tables import short_table
from analysis.verdicts.stage_results import Result
from analysis.words import format as show

LEFT = ("target", "payload", "run", "verdict", "limits")
COLOURS = {
    "VALID": "green",
    "SUSPECT": "yellow",
    "INVALID": "red",
    "met": "green",
    "missed": "red",
    "undecided": "yellow",
    "unknown": "yellow",
}
BETWEEN = 3  # characters that a column takes beside its text
#: left out one after the other where there is too little room
DISPENSABLE = (
    "TPOT p50",
    "requests",
    "attempts",
    "latency p50",
    "out tok/s",
    "attempt errors",
    "TTFT p50",
    "from cache",
)
NAMES = ("run", "target", "payload")  # stand above their stages where there is no room beside them


def stages_tables(stages: list[Result], width: int) -> list[Table]:
    """One table; where names leave no room for figures one for each target and payload, under their names."""
    whole = short_table(stages)
    narrowed = _narrowed(whole, width)
    return [_table(narrowed, [])] if _width(narrowed) <= width else _grouped(whole, width)


def _narrowed(frame: pd.DataFrame, width: int) -> pd.DataFrame:
    """What fits of it, without what says nothing and then without what can be done without."""
    empty = [c for c in frame if c in (*DISPENSABLE, "limits") and set(frame[c]) <= {show.UNKNOWN, "none"}]
    for column in (*empty, *DISPENSABLE):
        if _width(frame) <= width:
            break
        frame = frame.drop(columns=column, errors="ignore")
    return frame


def _grouped(whole: pd.DataFrame, width: int) -> list[Table]:
    names = [name for name in NAMES if name in whole]
    figures = _narrowed(whole.drop(columns=names), width)
    widths = _widths(figures)
    tables = []
    for i, (who, some) in enumerate(whole.groupby(names, sort=False)):
        table = _table(figures.loc[some.index], widths, heads=i == 0)
        table.title, table.title_justify, table.title_style = escape(f"\n{' · '.join(map(str, who))}"), "left", "bold"
        table.show_edge = False
        tables.append(table)
    return tables


def _widths(frame: pd.DataFrame) -> list[int]:
    return [max(len(str(c)), *(len(v) for v in frame[c])) for c in frame.columns]


def _width(frame: pd.DataFrame) -> int:
    return sum(width + BETWEEN for width in _widths(frame))


def _table(frame: pd.DataFrame, widths: typing.Sequence[int], heads: bool = True) -> Table:
    table = Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, show_header=heads)
    for i, column in enumerate(frame.columns):
        justify: typing.Literal["left", "right"] = "left" if column in LEFT else "right"
        table.add_column(column, justify=justify, no_wrap=True, min_width=widths[i] if widths else None)
    for row in frame.itertuples(index=False):
        table.add_row(*(f"[{COLOURS[c]}]{c}[/]" if c in COLOURS else escape(c) for c in row))
    return table
