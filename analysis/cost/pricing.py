"""What each target of a run costs: by the run's own manifest, or by another price book."""

import datetime
import pathlib
import typing

import pydantic

from analysis.runs.run_reader import Run
from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.prices.find_price import Book
from locustfiles.contract.prices.price import HourlyPrice, Price, TokenPrice
from locustfiles.contract.prices.price_book import load_price_book
from locustfiles.contract.run_folder import NotARun
from locustfiles.contract.scenario.target_prices import price_of


class Prices(typing.NamedTuple):
    """Prices of a run's targets, and where they are from (file, region, as_of, source)."""

    of_target: dict[str, Price]
    book: dict


def prices_of_run(run: Run, pricing: str | pathlib.Path | None = None) -> Prices:
    """The prices in the run's manifest; with `pricing`, those of that book (a target's own `price:` stays).

    Raises BadPriceBook, or BadScenario naming the target that the book has no price for.
    """
    if pricing is None:
        return Prices({t.name: _recorded(run, t.name) for t in run.scenario.targets}, run.manifest.price_book)
    book, prices = load_price_book(pricing), {}
    books = [Book(str(pricing), book)]
    for target in run.scenario.targets:
        try:
            prices[target.name] = price_of(target, run.scenario.region, _day(run), books).price
        except BadInput as e:
            raise BadScenario(f"{pricing}: target `{target.name}` of run {run.name}: {e}") from None
    as_of = book.as_of.isoformat()
    return Prices(prices, {"file": str(pricing), "region": book.region, "as_of": as_of, "source": book.source})


def _day(run: Run) -> datetime.date:
    """On which it began, UTC."""
    return datetime.datetime.fromtimestamp(run.manifest.started_at, datetime.UTC).date()


def _recorded(run: Run, target: str) -> Price:
    data = run.manifest.prices.get(target)
    if data is None:
        raise NotARun(f"{run.path}/manifest.json: no price for target `{target}`; give a price book with --pricing")
    try:
        return (HourlyPrice if "usd_per_hour" in data else TokenPrice).model_validate(data)
    except pydantic.ValidationError as e:
        message = e.errors()[0]["msg"]
        raise NotARun(
            f"{run.path}/manifest.json: price of target `{target}` cannot be read ({message}); give a price book with --pricing"
        ) from None


def price_text(price: Price) -> str:
    """`$37.688 per hour` of one instance, or `$0.003 in, $0.015 out per 1,000 tokens`, and of a cache where it has a price."""
    if isinstance(price, HourlyPrice):
        return f"{show.price(price.usd_per_hour)} per hour"
    kinds = {
        "in": price.input,
        "out": price.output,
        "read from a cache": price.cache_read,
        "written to one": price.cache_write,
    }
    return (
        ", ".join(f"{show.price(usd)} {kind}" for kind, usd in kinds.items() if usd is not None) + " per 1,000 tokens"
    )
