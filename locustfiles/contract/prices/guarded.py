"""A price that was found, held against what other sources know: refused in a wrong unit, else with its cautions."""

import pathlib
import typing

from locustfiles.contract.prices.amended import cautioned
from locustfiles.contract.prices.books import Book, books_of
from locustfiles.contract.prices.charge import several_units
from locustfiles.contract.prices.find_price import Asked, NoPrice, instance_price, model_price
from locustfiles.contract.prices.guards import OF_THE_LIBRARY, cautions
from locustfiles.contract.prices.hours import hour_caution, range_caution
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.sourced import Sourced
from locustfiles.contract.prices.units import Known, WrongUnit, unit_caution
from locustfiles.contract.strict_yaml import place_of

_ONE_UNIT = (
    "keep the one that it counts, and give the calls that are billed by the other a target and `price:` of their own"
)


def guarded(
    found: Sourced, model_id: str | None, asked: Asked, books: list[Book], instance: str | None = None
) -> Sourced:
    """With its cautions. model_id: None where it is not billed by one; asked.region: where the calls go; instance: the type,
    where the price is the scenario's own.

    Raises WrongUnit for figures that are no USD per 1,000 tokens, or per hour, and for units that no count is of.
    """
    elsewhere = _elsewhere(found, model_id, asked, books)
    told = [_checked(found, model_id, asked, books, elsewhere, instance)]
    told += cautions(found.source, asked.region, asked.on, found.price, elsewhere)
    for caution in told:
        found = cautioned(found, caution)
    return found


def checked_unit(found: Sourced, model_id: str, asked: Asked, books: list[Book]) -> str | None:
    """What is odd about a price's unit. Raises WrongUnit for another one."""
    return _checked(found, model_id, asked, books, _elsewhere(found, model_id, asked, books), None)


def _checked(
    found: Sourced,
    model_id: str | None,
    asked: Asked,
    books: list[Book],
    elsewhere: Sourced | None,
    instance: str | None,
) -> str | None:
    price = found.price
    if isinstance(price, TokenPrice) and (several := several_units(price)):
        raise WrongUnit(f"{_place(found)}: {several}; {_ONE_UNIT}")
    if found.source.origin == "library" or found.source.region == "local":
        return None
    try:
        if isinstance(price, HourlyPrice):
            if known := _hour(found, asked, books, instance):
                return hour_caution(price, known)
            instances = _shipped_hours()
            return range_caution(price, instances) if asked.region != "local" else None
        return None if price.units else unit_caution(price, Known(elsewhere, model_id, asked.on))
    except WrongUnit as e:
        raise WrongUnit(f"{_place(found)}: {e}{_by_unit(found, books)}") from None


def _hour(found: Sourced, asked: Asked, books: list[Book], instance: str | None) -> Sourced | None:
    """The same instance by another source: in its region, else where most instances have a price."""
    if (name := found.source.entry or instance) is None:
        return None
    others = [*books_of(None, asked.region), *books, *books_of(None, OF_THE_LIBRARY[0])]
    return _tried(instance_price, name, asked.on, [b for b in others if not _same(b.name, found.source.name)])


def _shipped_hours() -> list[float]:
    """What instances cost where most have a price."""
    (book,) = books_of(None, OF_THE_LIBRARY[0])
    return [entry.usd_per_hour for entries in book.content.instances.values() for entry in entries]


def _by_unit(found: Sourced, books: list[Book]) -> str:
    """Of a book with a `unit:`, by which the figures that are told were converted."""
    unit = next((b.content.unit for b in books if _same(b.name, found.source.name)), None)
    if unit in (None, "per_1k_tokens") or isinstance(found.price, HourlyPrice):
        return ""
    return f"; the book says `unit: {unit}`, by which its figures were converted: mend that first"


def _elsewhere(found: Sourced, model_id: str | None, asked: Asked, books: list[Book]) -> Sourced | None:
    """The same by the other sources: the shipped book of the region that is called, the other books, the library."""
    if found.source.origin == "library":
        return None
    others = [book for book in (*books_of(None, asked.region), *books) if not _same(book.name, found.source.name)]
    if isinstance(found.price, HourlyPrice):
        return _tried(instance_price, found.source.entry, asked.on, others) if found.source.entry else None
    if model_id is None:
        return None
    if found.source.origin != "scenario":
        return _tried(model_price, model_id, asked, others)
    standard = asked._replace(variant=None)  # by which the unit can be told, too
    looked_at = ((at, of) for at in (asked, standard) for of in (books_of(None, asked.region), others))
    return next(filter(None, (_tried(model_price, model_id, *each) for each in looked_at)), None)


def _tried(find: typing.Callable[..., Sourced], *of: typing.Any) -> Sourced | None:
    try:
        return find(*of)
    except NoPrice:
        return None


def _same(one: str, other: str) -> bool:
    """Whether two names are of one book."""
    a, b = pathlib.Path(one), pathlib.Path(other)
    return a == b or (a.is_file() and b.is_file() and a.samefile(b))


def _place(found: Sourced) -> str:
    source = found.source
    if source.origin == "scenario":
        return "`price:`"
    section = "instances" if isinstance(found.price, HourlyPrice) else "models"
    return f"{place_of(source.name, source.entry or '')}: {section}.{source.entry}"
