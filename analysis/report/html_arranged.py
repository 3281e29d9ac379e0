"""Tables for the page in the order of reading: what names a row and what decides first, long texts on lines of their own.

At 1,000 px nothing that decides is cut off; on a phone the first figures stand beside the name.
"""

import re
import typing

import pandas as pd

from analysis.advice.study_tables import BEFORE, BEHIND, Question
from analysis.report.html_tables import Cell, Table, heading, shown, table
from analysis.words import format as show
from locustfiles.contract.statistics.binomial import LEVELS


def arranged(
    frame: pd.DataFrame,
    order: typing.Sequence[str],
    head: str,
    under: typing.Sequence[str] = (),
    below: typing.Sequence[str] = (),
    skip: typing.Iterable[str] = (),
) -> Table:
    """A frame's columns, those of `order` first. head: the column that names a row, with the cells of `under` on a second line;
    below: columns of long texts, which stand under their row. What is not there is passed over."""
    skipped = set(skip)
    under, below = ([c for c in some if c in frame and c not in skipped] for some in (under, below))
    rest = [c for c in frame.columns if c not in order]
    columns = [c for c in [*order, *rest] if c in frame and c not in skipped.union(under, below)]
    found = table(frame[columns])
    names = [h.text for h in found.heads]
    at = names.index(heading(head)) if heading(head) in names else 0
    for cells, (_, row) in zip(found.rows, frame.iterrows(), strict=True):
        cells[at].head = True
        cells[at].under = " · ".join(dict.fromkeys(words for _, words in _known(row, under)))
        found.below.append("; ".join(f"{name}: {words}" for name, words in _known(row, below)))
    return found


def _known(row: pd.Series, columns: typing.Iterable[str]) -> typing.Iterator[tuple[str, str]]:
    for column in columns:
        value = row[column]
        if show.known(value) and str(value) and value != show.UNKNOWN:
            yield column, shown(column, value).text


def question_table(question: Question, frame: pd.DataFrame, skip: typing.Iterable[str]) -> Table:
    """The best of each model: what was asked for stands beside the model; the targets' labels below."""
    figures = ["USD per 1M output tokens", "Throughput (tokens/s)", "Latency (ms/token) median"]
    asked = {"best_throughput": figures[1], "best_latency": figures[2]}.get(question.table, figures[0])
    order = ["Model", asked, *(f for f in figures if f != asked), "Concurrent requests", "Verdict"]
    labels = [c for c in frame.columns if c not in (*BEFORE, *BEHIND)]
    below = [*labels, "Note", "Runner-up", "Margin", "Tie"]
    return arranged(frame, order, "Model", ("Target", "Run", "Instance"), below, skip)


def model_choices(frame: pd.DataFrame) -> Table:
    """The recommendation of each model."""
    order = ["Model", "USD per 10,000", "Latency p95 (s)", "Transactions per minute", "Error rate", "Level", "Verdict"]
    return arranged(frame, order, "Model", ("Target", "Instance"), ("Mind", "Runner-up", "Margin", "Tie"))


def front(frame: pd.DataFrame) -> Table:
    """The Pareto front, by the numbers of its picture."""
    latency = [c for c in frame.columns if c.startswith("Latency ")]  # of the statistic that decides
    order = ["Number", "Target", "USD per 10,000", *latency, "Transactions per minute", "Level", "Verdict"]
    return arranged(frame, order, "Target", ("Model", "Recommended"))


def run_cost(frame: pd.DataFrame, skip: typing.Iterable[str]) -> Table:
    return arranged(frame, ["Target", "Cost", "Duration"], "Target", ("Run", "Instance"), (), skip)


def prices(frame: pd.DataFrame) -> Table:
    """What each target is priced by, its source in sight."""
    below = ("Entry", "Source", "Rules", "Mind")
    return arranged(frame, ["Target", "Price", "By", "As of", "Region"], "Target", ("Run",), below)


def repeats(frame: pd.DataFrame) -> Table:
    """Each level's repetitions, verdict and price first."""
    order = [
        "Target",
        "Level",
        "Repetition",
        "Verdict",
        "Limits",
        "Price per transaction",
        "Latency p95",
        "Transactions/s",
    ]
    return arranged(frame, order, "Target", ("Run", "Dataset"))


def token_sources(frame: pd.DataFrame) -> Table:
    """Who counted; without those who counted nothing."""
    nobody = [c for c in frame.columns if set(frame[c]) == {show.percent(0.0)}]
    return arranged(frame, ["Target", "Successes"], "Target", ("Run",), (), nobody)


def token_comparison(frame: pd.DataFrame) -> Table:
    """What was found first."""
    return arranged(frame, ["Target", "Finding", "Counts"], "Target", ("Run", "Tokenizer"))


def service(frame: pd.DataFrame) -> Table:
    """The service beside the client: what is not known, and why, stands under the row."""
    return arranged(frame, ["Target", "Level"], "Target", ("Run", "Dataset"), ["Not known"])


def even_lines(frame: pd.DataFrame) -> Table:
    """By the other prices: the answer beside the pair."""
    order = ["Hourly", "By tokens", "Hourly is cheaper", "Even at, transactions/min"]
    return arranged(frame, order, "Hourly", ("Run",))


def windows(frame: pd.DataFrame) -> Table:
    return arranged(frame, ["stage", "target", "level"], "target", ("payload",))


def evidence(frame: pd.DataFrame) -> Table:
    """`82 ms (81 – 83)` on two lines; what a limit of a search may be on, and the verdict, before the other percentiles."""
    named = frame.rename(columns={p: f"Latency {p}" for p in LEVELS})  # they stood behind `Latency p50`
    first = ["Level", "Outcome", "Verdict", "Error rate", "Latency p95", "TTFT p95", "Transactions/s"]
    return _on_two_lines(table(named[[*(c for c in first if c in named), *(c for c in named if c not in first)]]))


def turns(frame: pd.DataFrame) -> Table:
    """A row a stage and turn of its conversations."""
    whole = _on_two_lines(arranged(frame, ["Target", "Turn"], "Target", ("Run", "Level", "Dataset")))
    for head, cells in zip(whole.heads, zip(*whole.rows, strict=True), strict=True):
        head.number = all(cell.number for cell in cells)
    return whole


def _on_two_lines(whole: Table) -> Table:
    for place, cell in (each for row in whole.rows for each in enumerate(row)):
        cell.number = place > 0 and (cell.text[:1].isdigit() or cell.text[:1] in ("$", "<", show.UNKNOWN))
        if not cell.head and (found := re.fullmatch(r"(.+?) \((.+)\)", cell.text)):
            cell.text, cell.under, cell.number = found[1], found[2], True
    return whole


def failed_tables(frame: pd.DataFrame, criteria: typing.Collection[str], skip: typing.Iterable[str]) -> list[Table]:
    """The stages that missed a limit, a table for each set of limits; criteria: the columns of limits."""
    limits = [c for c in frame.columns if c in criteria]
    sets: dict[tuple[str, ...], list[int]] = {}
    for at, (_, row) in enumerate(frame.iterrows()):
        sets.setdefault(tuple(c for c in limits if show.known(row[c]) and row[c]), []).append(at)
    return [
        failed_cells(table(frame.iloc[rows], [*skip, *(c for c in limits if c not in of)])) for of, rows in sets.items()
    ]


def failed_cells(whole: Table) -> Table:
    """`0.533 s, with 3 failures above it ✗` on two lines: limits stand beside each other, their reasons under them."""
    for cell in (cell for row in whole.rows for cell in row):
        _in_two(cell)
    return whole


def _in_two(cell: Cell) -> None:
    if cell.css not in ("met", "missed", "undecided"):
        return
    if cell.text.startswith("? "):
        cell.text, cell.under = "?", cell.text[2:]
    elif ", " in cell.text:
        value, rest = cell.text.split(", ", 1)
        cell.text, cell.under = f"{value} {rest[-1]}", rest[:-1].strip()
    else:
        return
    cell.css, cell.number = f"{cell.css} why", True
