"""Break-even by the other prices that are known: of another day, another service tier, in batches.

A pair's own figures stand first. Beside them each other price of the instance in the book, by the day that it began, and each
variant of the model's price: the same calls, billed by it. What a variant does to latency and throughput was not measured.
"""

import datetime
import math
import pathlib
import typing

import numpy as np

from analysis.advice.break_even import BreakEven, intervals
from analysis.cost.bill import bill
from analysis.cost.pricing import Prices, day_of
from analysis.cost.transaction_cost import most_tokens
from analysis.runs.run_reader import Run
from analysis.runs.stage import stage_of
from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.find_price import Asked, Book, books_of, model_price
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import Variant
from locustfiles.contract.prices.sourced import Source
from locustfiles.contract.scenario.targets import BedrockTarget

BILLED = "as billed"
SAME = 1e-9  # prices closer than this share are one


class EvenLine(typing.NamedTuple):
    """A pair by one price of each; volumes are transactions a minute."""

    dataset: str
    hourly_run: str
    hourly_target: str
    token_run: str
    token_target: str
    hourly_price: str
    usd_per_hour: float  # of one instance
    token_price: str
    usd_per_transaction: float
    even_per_minute: float | None  # None: tokens cost nothing
    hourly_from_per_minute: float | None  # the least volume at which hourly is cheaper; None: nowhere
    hourly_above_per_minute: float | None  # above it hourly is always cheaper


def even_lines(pairs: list[BreakEven], runs: list[Run], prices: dict[str, Prices]) -> list[EvenLine]:
    """Of every pair that has figures; a pair of which no other price is known has one line. prices: by run."""
    today = datetime.datetime.now(datetime.UTC).date()
    by_name, found = {run.name: run for run in runs}, []
    for pair in pairs:
        if pair.capacity_per_hour is None or pair.token_usd_per_transaction is None:
            continue
        hourly = _hourly_prices(pair, by_name[pair.hourly_run], prices[pair.hourly_run], today)
        tokens = _token_prices(pair, by_name[pair.token_run], prices[pair.token_run])
        found.append(_line(pair, (BILLED, pair.usd_per_hour), (BILLED, pair.token_usd_per_transaction)))
        found += [_line(pair, (BILLED, pair.usd_per_hour), other) for other in tokens]
        found += [_line(pair, other, (BILLED, pair.token_usd_per_transaction)) for other in hourly]
    return found


def _line(pair: BreakEven, hourly: tuple[str, float], tokens: tuple[str, float]) -> EvenLine:
    (hourly_words, usd_per_hour), (token_words, usd) = hourly, tokens
    cheaper = intervals(usd_per_hour, pair.capacity_per_hour or math.nan, usd)
    return EvenLine(
        pair.dataset, pair.hourly_run, pair.hourly_target, pair.token_run, pair.token_target,
        hourly_words, usd_per_hour, token_words, usd,
        usd_per_hour / usd / 60 if usd else None,
        cheaper[0][0] / 60 if cheaper else None,
        cheaper[-1][0] / 60 if cheaper else None,
    )  # fmt: skip


def _hourly_prices(pair: BreakEven, run: Run, prices: Prices, today: datetime.date) -> list[tuple[str, float]]:
    """The instance's other prices in the book that has it, of one instance: those of before, and the one of today."""
    price, target = prices.of_target[pair.hourly_target], run.target(pair.hourly_target)
    source = prices.sources[pair.hourly_target]
    if source.origin != "book" or not isinstance(price, HourlyPrice) or target.price_key is None:
        return []
    for book in _books(run, source):
        entries = book.content.instances.get(target.price_key, [])
        dated = sorted(entries, key=lambda e: e.effective or datetime.date.min)
        ends = [later.effective for later in dated[1:]]
        if entries:
            return [
                (_dates(entry.effective, until, today, book.name), entry.usd_per_hour * price.share)
                for entry, until in zip(dated, [*ends, None], strict=True)
                if not math.isclose(entry.usd_per_hour * price.share, pair.usd_per_hour, rel_tol=SAME)
            ]
    return []


def _dates(begins: datetime.date | None, ends: datetime.date | None, today: datetime.date, book: str) -> str:
    """`list price from 2025-06-01 on, which is today's (configs/pricing/us-east-1.yaml)`"""
    dates = f" from {begins}" if begins else ""
    dates += f" until {ends}" if ends else " on" if begins else ""
    now = (begins is None or begins <= today) and (ends is None or today < ends)
    today_s = ", which is today's" if now else ""
    return f"list price{dates}{today_s} ({book})"


def _token_prices(pair: BreakEven, run: Run, prices: Prices) -> list[tuple[str, float]]:
    """The model's price in its other variants: USD of a transaction."""
    target, source = run.target(pair.token_target), prices.sources[pair.token_target]
    if source.origin != "book" or not isinstance(target, BedrockTarget):
        return []
    books = _books(run, source)
    keys = {target.model_id, source.entry}
    entries = [e for book in books for key, es in book.content.models.items() if key in keys for e in es]
    if not any(entry.variants for entry in entries):
        return []
    found: dict[str, float] = {}
    for variant in (None, *typing.get_args(Variant)):
        try:
            price = model_price(target.model_id, Asked(run.scenario.region, day_of(run), variant), books).price
        except BadInput:
            continue
        usd = _usd(pair, run, price) if isinstance(price, TokenPrice) else None
        if usd is not None:
            found[variant.replace("_", " ") if variant else "standard"] = usd
    billed = pair.token_usd_per_transaction or 0.0
    same = [words for words, usd in found.items() if math.isclose(usd, billed, rel_tol=SAME)]
    # of a book that has changed since the run the variants are of other prices
    return [(words, usd) for words, usd in found.items() if words not in same] if same else []


def _usd(pair: BreakEven, run: Run, price: TokenPrice) -> float | None:
    """Of a transaction of the pair's stage, the failures' bill at most, as in its own cost."""
    visits = [visit for visit in run.manifest.stages if visit.stage in pair.token_stages]
    positions = {n: np.flatnonzero(run.records["stage"] == n) for n in pair.token_stages}
    stage = stage_of(run, visits, price, positions)
    billed = bill(stage.measured, price, most_tokens(run, stage.target))
    return None if billed.high is None or not len(stage.good) else billed.high / len(stage.good)


def _books(run: Run, source: Source) -> list[Book]:
    """That of the source, where it still is, then the shipped one of its region."""
    named = source.name if pathlib.Path(source.name).is_file() else None
    try:
        return books_of(named, source.region or run.scenario.region)
    except BadInput:
        return []


def _where_cheaper(line: EvenLine) -> str:
    begin, always = show.number(line.hourly_from_per_minute), show.number(line.hourly_above_per_minute)
    if line.hourly_from_per_minute is None:
        return "nowhere"
    return f"from {begin} on" if begin == always else f"from {begin} on in parts, above {always} always"


def texts(lines: list[EvenLine]) -> list[dict[str, str]]:
    """The lines as cells; of pairs of which no other price is known there are none."""
    others = {line[:5] for line in lines if (line.hourly_price, line.token_price) != (BILLED, BILLED)}
    return [
        {
            "Run": line.hourly_run,
            "Hourly": line.hourly_target,
            "By tokens": line.token_target,
            "Price per hour": f"{show.price(round(line.usd_per_hour, 12))} {line.hourly_price}",
            "Price per transaction": f"{show.money(line.usd_per_transaction)} {line.token_price}",
            "Even at, transactions/min": show.number(line.even_per_minute),
            "Hourly is cheaper": _where_cheaper(line),
        }
        for line in lines
        if line[:5] in others
    ]
