"""The books that a price is looked up in: the scenario's, then the shipped ones of its region and of every region."""

import functools
import pathlib
import typing

from locustfiles.contract.prices.price_book import EVERYWHERE, PriceBook, load_price_book

SHIPPED = pathlib.Path(__file__).parents[3] / "configs" / "pricing"


class Book(typing.NamedTuple):
    """A price book and the name that it is shown by."""

    name: str
    content: PriceBook
    shipped: bool = False  # found without being named


def books_of(named: str | pathlib.Path | None, region: str | None) -> list[Book]:
    """The scenario's book (`pricing:`), then the shipped one of the region. Raises BadPriceBook."""
    books = [Book(str(named), load_price_book(named))] if named else []
    shipped = _file(region)
    if region and shipped.is_file() and not (named and shipped.samefile(named)):
        books.append(_shipped(region))
    return books


def for_models(books: list[Book], region: str | None) -> list[Book]:
    """The named books, then the shipped ones of a region, which an ARN may name, and of every region."""
    named = [book for book in books if not book.shipped]
    regions = [each for each in (region, EVERYWHERE) if each and _file(each).is_file()]
    return named + [_shipped(each) for each in regions]


def _file(region: str | None) -> pathlib.Path:
    return SHIPPED / f"{'every-region' if region == EVERYWHERE else region}.yaml"


@functools.cache
def _shipped(region: str) -> Book:
    path = _file(region)
    return Book(f"configs/pricing/{path.name}", load_price_book(path, shipped=True), shipped=True)
