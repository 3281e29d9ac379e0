"""A price that was found, held against what other sources know: refused in a wrong unit, else with its cautions."""

import pathlib
import typing

from locustfiles.contract.prices.amended import cautioned
from locustfiles.contract.prices.books import Book, books_of
from locustfiles.contract.prices.find_price import Asked, NoPrice, instance_price, model_price
from locustfiles.contract.prices.guards import cautions
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.sourced import Source, Sourced
from locustfiles.contract.prices.units import Known, WrongUnit, unit_caution
from locustfiles.contract.strict_yaml import place_of


def guarded(found: Sourced, model_id: str | None, asked: Asked, books: list[Book]) -> Sourced:
    """With its cautions. model_id: None where it is not billed by one; asked.region: where the calls go.

    Raises WrongUnit for figures that are no USD per 1,000 tokens.
    """
    told: list[str | None] = []
    elsewhere = _elsewhere(found, model_id, asked, books)
    if isinstance(found.price, TokenPrice) and not found.price.units and found.source.origin != "library":
        try:
            told.append(unit_caution(found.price, Known(elsewhere, model_id, asked.on)))
        except WrongUnit as e:
            raise WrongUnit(f"{_place(found.source)}: {e}") from None
    told += cautions(found.source, asked.region, asked.on, found.price, elsewhere)
    for caution in told:
        found = cautioned(found, caution)
    return found


def _elsewhere(found: Sourced, model_id: str | None, asked: Asked, books: list[Book]) -> Sourced | None:
    """The same by the other sources: the shipped book of the region that is called, the other books, the library."""
    if found.source.origin == "library":
        return None
    others = [book for book in (*books_of(None, asked.region), *books) if not _same(book.name, found.source.name)]
    if isinstance(found.price, HourlyPrice):
        return _tried(instance_price, found.source.entry, asked.on, others) if found.source.entry else None
    if model_id is None:
        return None
    other = _tried(model_price, model_id, asked, others)
    if (
        other is None and asked.variant and found.source.origin == "scenario"
    ):  # the unit can be told by the standard price
        return _tried(model_price, model_id, asked._replace(variant=None), others)
    return other


def _tried(find: typing.Callable[..., Sourced], *of: typing.Any) -> Sourced | None:
    try:
        return find(*of)
    except NoPrice:
        return None


def _same(one: str, other: str) -> bool:
    """Whether two names are of one book."""
    a, b = pathlib.Path(one), pathlib.Path(other)
    return a == b or (a.is_file() and b.is_file() and a.samefile(b))


def _place(source: Source) -> str:
    if source.origin == "scenario":
        return "`price:`"
    return f"{place_of(source.name, source.entry or '')}: models.{source.entry}"
