"""A price that was found, held against what other sources know: refused in a wrong unit, else with its cautions."""

import pathlib
import typing

from locustfiles.contract.prices.find_price import Asked, Book, NoPrice, books_of, instance_price, model_price
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
    return noted(found, cautions=filter(None, told))


def noted(found: Sourced, rules: typing.Iterable[str] = (), cautions: typing.Iterable[str] = ()) -> Sourced:
    """With more lines on how the price came about, and on what speaks against it."""
    source = found.source
    more = {"rules": (*source.rules, *rules), "cautions": (*source.cautions, *cautions)}
    return found._replace(source=source.model_copy(update=more))


def _elsewhere(found: Sourced, model_id: str | None, asked: Asked, books: list[Book]) -> Sourced | None:
    """The same by the other sources: the other books, the shipped one of the region that is called, the library."""
    if found.source.origin == "library":
        return None
    others = [book for book in (*books, *books_of(None, asked.region)) if not _same(book.name, found.source.name)]
    try:
        if isinstance(found.price, HourlyPrice):
            return instance_price(found.source.entry, asked.on, others) if found.source.entry else None
        return model_price(model_id, asked, others) if model_id else None
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
