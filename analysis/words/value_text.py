"""Figures of a stage in words, each with the 95 % interval that belongs to it."""

import typing

from analysis.words import format as show
from analysis.words.columns import Column, columns
from analysis.words.level import is_open
from analysis.words.stage_figures import StageFigures

Interval = tuple[float, float]

#: by batches of the window, as are costs by the hour
BATCHED = columns(lambda f: (f.throughput.throughput_per_s, f.tokens.completion_tokens_per_s))


class Measured(typing.Protocol):
    """A stage, or the repetitions of a level together: its figures, and the 95 % intervals of rates, costs and means."""

    @property
    def figures(self) -> StageFigures: ...

    @property
    def intervals(self) -> typing.Mapping[Column, Interval]: ...


def figure(figures: StageFigures, column: Column) -> str:
    """2.51 s, $0.004332, 6.25 %, 12: with its unit."""
    value = column.of(figures)
    if column.kind == "text":
        return value if isinstance(value, str) else show.text(value)
    return show.or_failed(column.words, value)


def with_interval(stage: Measured, column: Column) -> str:
    """`2.51 s (2.31 s – 2.86 s)`; the figure alone where no interval of it is known."""
    shown, known = figure(stage.figures, column), show.known(column.of(stage.figures))
    interval = show.ends(column.words, *ends_of(stage, column)) if known else ""
    return f"{shown} ({interval}{narrow(stage.figures, column)})" if interval else shown


def ends_of(stage: Measured, column: Column) -> tuple[float | None, float | None]:
    """The ends of a column's interval: those that have columns of their own, else those beside the figures."""
    low, high = column.ends_in(stage.figures)
    return (low, high) if low is not None else stage.intervals.get(column, (None, None))


def narrow(figures: StageFigures, column: Column) -> str:
    """What belongs behind an interval: `, too narrow` where it is by batches that are shorter than requests are long."""
    batched = column in BATCHED or (column.unit == "USD" and figures.cost.price_basis == "hourly")
    return f", {figures.throughput.batches}" if batched and figures.throughput.batches else ""


def bounds(figures: StageFigures) -> str:
    """`$0.0001 – $0.0002`: the cost of a transaction where failures of unknown tokens may have been billed, or not."""
    return _bounds(figures.cost.usd_per_transaction_low, figures.cost.usd_per_transaction_high)


def session_bounds(figures: StageFigures) -> str:
    """The same of a conversation."""
    return _bounds(figures.sessions.usd_per_session_low, figures.sessions.usd_per_session_high)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or low == high:
        return ""
    return f"{show.money(low)} – {show.money(high) if high is not None else 'no bound'}"


def per_10k(figures: StageFigures) -> str:
    """`$0.02382 per 10,000 transactions at full use ($0.07939 at 30 % use)`"""
    return f"{ten_thousand(figures.cost.usd_per_transaction)} per 10,000 transactions{at_full_use(figures)}"


def at_full_use(figures: StageFigures) -> str:
    """An hourly price holds only for a busy endpoint, so that of 10,000 transactions never stands without this."""
    if figures.cost.price_basis != "hourly":
        return ""
    at_30 = ten_thousand(figures.cost.usd_per_transaction_at_30pct)
    return f" at this rate ({at_30} at 30 % of it)" if is_open(figures) else f" at full use ({at_30} at 30 % use)"


def ten_thousand(usd: float | None) -> str:
    """What so many transactions cost, of which one costs `usd`."""
    return show.money(None if usd is None else 10_000 * usd)


def instances_of(figures: StageFigures) -> str:
    """`2 × ml.g5.2xlarge`, `ml.g5.2xlarge`, or the model id."""
    count, name = figures.identity.instance_count, show.text(figures.identity.instance_type)
    return f"{count} × {name}" if count is not None and count > 1 else name
