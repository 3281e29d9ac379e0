"""Figures of the steps table in words, each with the 95 % interval that belongs to it.

A row is one of the steps table, or any mapping with its columns.
"""

import typing

import pandas as pd

from analysis.words import format as show
from analysis.words.columns import METRICS
from analysis.words.level import is_open

BY_NAME = {m.name: m for m in METRICS}
#: whose intervals are not called after them
ENDS = {"throughput_per_s": "throughput", "usd_per_transaction": "usd_per_transaction_ci"}
#: by batches of the window, as are costs by the hour
BATCHED = ("throughput_per_s", "completion_tokens_per_s")

Row = typing.Mapping[str, typing.Any]
#: (run, stage, column) -> the 95 % interval of that figure
Intervals = dict[tuple[str, int, str], tuple[float, float]]
IN_THE_ROW: Intervals = {}  # none beside it
Column = str | typing.Callable[[Row], str]  # of the steps table, or what makes a cell of a row


def figure(row: Row, column: str) -> str:
    """2.51 s, $0.004332, 6.25 %, 12: with its unit."""
    metric, value = BY_NAME[column], row[column]
    if metric.kind == "text":
        return value if isinstance(value, str) else show.text(value)
    return show.or_failed(metric.words, value)


def intervals_of(table: pd.DataFrame) -> Intervals:
    """The intervals that are kept beside a steps table, those of rates, costs and means."""
    return {(i.run, i.stage, i.column): (i.low, i.high) for i in table.itertuples()}


def with_interval(row: Row, column: str, intervals: Intervals = IN_THE_ROW) -> str:
    """`2.51 s (2.31 s – 2.86 s)`; the figure alone where no interval of it is known."""
    words = BY_NAME[column].words
    interval = show.ends(words, *ends_of(row, column, intervals)) if show.known(row[column]) else ""
    return f"{figure(row, column)} ({interval}{narrow(row, column)})" if interval else figure(row, column)


def ends_of(row: Row, column: str, intervals: Intervals) -> tuple[float | None, float | None]:
    """The ends of a column's interval: those that stand in the row, else those beside it."""
    name, _, unit = column.rpartition("_")
    low, high = (f"{ENDS[column]}_{end}" if column in ENDS else f"{name}_{end}_{unit}" for end in ("low", "high"))
    if show.known(row.get(low)):
        return row[low], row[high]
    return intervals.get((row.get("run"), row.get("stage"), column), (None, None))


def narrow(row: Row, column: str) -> str:
    """What belongs behind an interval: `, too narrow` where it is by batches that are shorter than requests are long."""
    batched = column in BATCHED or ("usd" in column and row["price_basis"] == "hourly")
    return f", {row['batches']}" if batched and show.known(row.get("batches")) else ""


def bounds(row: Row) -> str:
    """`$0.0001 – $0.0002`: the cost of a transaction where failures of unknown tokens may have been billed, or not."""
    low, high = row["usd_per_transaction_low"], row["usd_per_transaction_high"]
    if not show.known(low) or low == high:
        return ""
    return f"{show.money(low)} – {show.money(high) if show.known(high) else 'no bound'}"


def per_10k(row: Row) -> str:
    """`$0.02382 per 10,000 transactions at full use ($0.07939 at 30 % use)`"""
    return f"{ten_thousand(row['usd_per_transaction'])} per 10,000 transactions{at_full_use(row)}"


def at_full_use(row: Row) -> str:
    """An hourly price holds only for a busy endpoint, so that of 10,000 transactions never stands without this."""
    if row["price_basis"] != "hourly":
        return ""
    at_30 = ten_thousand(row["usd_per_transaction_at_30pct"])
    return f" at this rate ({at_30} at 30 % of it)" if is_open(row) else f" at full use ({at_30} at 30 % use)"


def ten_thousand(usd: float) -> str:
    """What so many transactions cost, of which one costs `usd`."""
    return show.money(10_000 * usd)


def cells(
    steps: pd.DataFrame, columns: dict[str, Column], shown: typing.Callable[[Row, str], str] = with_interval
) -> pd.DataFrame:
    """Text cells, a row a stage. columns: heading -> what stands under it."""
    rows = [row for _, row in steps.iterrows()]
    return pd.DataFrame(
        {head: [c(row) if callable(c) else shown(row, c) for row in rows] for head, c in columns.items()}, dtype=object
    )


def instances_of(row: typing.Mapping[str, typing.Any]) -> str:
    """`2 × ml.g5.2xlarge`, `ml.g5.2xlarge`, or the model id."""
    count, name = row["instance_count"], show.text(row["instance_type"])
    return f"{count} × {name}" if show.known(count) and count > 1 else name
