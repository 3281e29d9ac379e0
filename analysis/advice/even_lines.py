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
from analysis.verdicts.stage_results import StageKey
from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import SHIPPED, Book, books_of
from locustfiles.contract.prices.find_price import Asked, instance_price, model_price
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice, exact
from locustfiles.contract.prices.price_book import Variant
from locustfiles.contract.prices.sourced import Source
from locustfiles.contract.scenario.targets import BedrockTarget, Target

BILLED = "as billed"
UNDISCOUNTED = "without its discount"
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
        billed = pair.token_stages, pair.token_usd_per_transaction
        tokens = token_prices(by_name, prices[pair.token_run], pair.token_target, *billed)
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
    whole = [(UNDISCOUNTED, pair.usd_per_hour / _paid(target))] if _paid(target) < 1 else []
    if source.origin != "book" or not isinstance(price, HourlyPrice) or target.price_key is None:
        return whole
    paid = _paid(target) * price.share
    for book in _books(run, source):
        starts = [entry.effective for entry in book.content.instances.get(target.price_key, [])]
        if starts:
            return whole + list(_dated(sorted(starts, key=_first), pair, target.price_key, book, paid, today))
    return whole


def _paid(target: Target) -> float:
    """What part of a price the target's own discount leaves."""
    return float(1 - exact(target.discount_percent or 0.0) / 100)


def _first(begins: datetime.date | None) -> datetime.date:
    return begins or datetime.date.min


def _dated(
    starts: list[datetime.date | None], pair: BreakEven, key: str, book: Book, paid: float, today: datetime.date
) -> typing.Iterator[tuple[str, float]]:
    """What a book has of an instance, but for what was billed."""
    for begins, ends in zip(starts, [*starts[1:], None], strict=True):
        found = instance_price(key, _first(begins), [book]).price
        if not isinstance(found, HourlyPrice):
            continue
        usd = found.times(paid).usd_per_hour
        if not math.isclose(usd, pair.usd_per_hour, rel_tol=SAME):
            yield _dates(begins, ends, today, book.name), usd


def _dates(begins: datetime.date | None, ends: datetime.date | None, today: datetime.date, book: str) -> str:
    """`from 2025-06-01 on, today's (configs/pricing/us-east-1.yaml)`"""
    words = [f"from {begins} {f'until {ends}' if ends else 'on'}"] if begins else [f"until {ends}"] if ends else []
    if (begins is None or begins <= today) and (ends is None or today < ends):
        words.append("today's")
    return f"{', '.join(words)} ({book})"


def token_prices(
    runs: dict[str, Run], prices: Prices, target_name: str, stages: tuple[StageKey, ...], billed: float
) -> list[tuple[str, float]]:
    """The model's price in its other variants, in words: USD of a transaction of these stages. prices, target_name: of the first
    one's run. billed: what it cost there."""
    run, source = runs[stages[0].run], prices.sources[target_name]
    target = run.target(target_name)
    if source.origin == "scenario" or not isinstance(target, BedrockTarget) or not _named(target.model_id, source):
        return []
    books = _books(run, source)
    found: dict[str, tuple[float | None, TokenPrice]] = {}
    for variant in (None, *typing.get_args(Variant)):
        try:
            price = model_price(target.model_id, Asked(run.scenario.region, day_of(run), variant), books).price
        except BadInput:
            continue
        if isinstance(price, TokenPrice):
            words = variant.replace("_", " ") if variant else "standard"
            found[words] = (_usd(stages, runs, price.times(_paid(target))), price)
    own = [words for words, (usd, _) in found.items() if usd and math.isclose(usd, billed, rel_tol=SAME)]
    if not own:  # the book has changed since the run: these are variants of other prices
        return []
    others = {words: usd for words, (usd, _) in found.items() if words not in own}
    if _paid(target) < 1:
        others[UNDISCOUNTED] = _usd(stages, runs, found[own[0]][1])
    return [(words, usd) for words, usd in others.items() if usd is not None]


def _named(model_id: str, source: Source) -> bool:
    """Whether a book that has variants names the model at all: to read them all takes a tenth of a second."""
    files = [*SHIPPED.glob("*.yaml"), *([path] if (path := pathlib.Path(source.name)).is_file() else [])]
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in files)
    return any("variants" in text and parse(model_id).bare in text for text in texts)


def _usd(stages: tuple[StageKey, ...], runs: dict[str, Run], price: TokenPrice) -> float | None:
    """Of a transaction of the stages, the failures' bill at most, as in its own cost."""
    usd, successes = 0.0, 0
    for name in dict.fromkeys(key.run for key in stages):
        run, numbers = runs[name], [key.stage for key in stages if key.run == name]
        visits = [visit for visit in run.manifest.stages if visit.stage in numbers]
        positions = {n: np.flatnonzero(run.records["stage"] == n) for n in numbers}
        stage = stage_of(run, visits, price, positions)
        billed = bill(stage.measured, price, most_tokens(run, stage.target))
        if billed.high is None:
            return None
        usd, successes = usd + billed.high, successes + len(stage.good)
    return usd / successes if successes else None


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
