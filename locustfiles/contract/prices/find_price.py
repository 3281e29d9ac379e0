"""The price of a model or an instance on a day: from the scenario's book, the shipped book of the region, the library."""

import datetime
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices import library
from locustfiles.contract.prices.model_ids import billed_otherwise, parse
from locustfiles.contract.prices.price import HourlyPrice, Rates, TokenPrice
from locustfiles.contract.prices.price_book import (
    InstanceEntry,
    ModelEntry,
    PriceBook,
    Variant,
    load_price_book,
)
from locustfiles.contract.prices.sourced import Source, Sourced

SHIPPED = pathlib.Path(__file__).parents[3] / "configs" / "pricing"


class NoPrice(BadInput):
    """No source knows a price; the text says what to add."""


class Book(typing.NamedTuple):
    """A price book and the name that it is shown by."""

    name: str
    content: PriceBook


class Asked(typing.NamedTuple):
    """What decides the price of a model's tokens, beside its id."""

    region: str | None
    on: datetime.date
    variant: Variant | None = None  # None: the standard price


def books_of(named: str | pathlib.Path | None, region: str | None) -> list[Book]:
    """The scenario's book (`pricing:`), then the shipped one of the region. Raises BadPriceBook."""
    books = [Book(str(named), load_price_book(named))] if named else []
    shipped = SHIPPED / f"{region}.yaml"
    if region and shipped.is_file() and not (named and shipped.samefile(named)):
        books.append(Book(f"configs/pricing/{region}.yaml", load_price_book(shipped)))
    return books


def model_price(model_id: str, asked: Asked, books: list[Book]) -> Sourced:
    """Raises NoPrice, with how it is billed where it is not by tokens."""
    if (how := billed_otherwise(model_id)) and not any(model_id in book.content.models for book in books):
        raise NoPrice(how)
    named = parse(model_id)
    known = library.find(named.profile, asked.on)
    standing_in = None  # an entry of the bare model, which a profile of a geography need not cost the same as
    for book in books:
        for key in dict.fromkeys((model_id, named.profile, named.bare)):
            entry = book.content.model(key, asked.on)
            if entry is None:
                continue
            if key == named.bare != named.profile and not _same_everywhere(named.bare, known, asked.on):
                standing_in = standing_in or (book, key)
                continue
            return _of_book(book, key, entry, asked)
    if known is None:
        raise NoPrice(_absent("model", model_id, [k for b in books for k in b.content.models]))
    if asked.variant:
        raise NoPrice(_no_variant(asked.variant, f"{library.name()}, {known.entry}"))
    cautions: tuple[str, ...] = ()
    if standing_in:
        book, key = standing_in
        cautions = (
            f"`{key}` in {book.name} is not taken: calls of another geography are billed apart; add `{named.profile}` to it",
        )
    source = Source(
        origin="library",
        name=library.name(),
        entry=known.entry,
        region=asked.region,
        rules=known.rules,
        cautions=cautions,
    )
    return Sourced(known.price, source)


def instance_price(instance_type: str, on: datetime.date, books: list[Book]) -> Sourced:
    """Of one instance. Raises NoPrice."""
    for book in books:
        if entry := book.content.instance(instance_type, on):
            return Sourced(HourlyPrice(usd_per_hour=entry.usd_per_hour), _source(book, instance_type, entry))
    raise NoPrice(_absent("instance type", instance_type, [k for b in books for k in b.content.instances]))


def _same_everywhere(bare: str, of_profile: library.Found | None, on: datetime.date) -> bool:
    """Whether the library, where it knows the profile, bills it as the bare model."""
    of_bare = library.find(bare, on)
    return of_profile is None or (of_bare is not None and of_bare.price == of_profile.price)


def _of_book(book: Book, key: str, entry: ModelEntry, asked: Asked) -> Sourced:
    price = TokenPrice.model_validate(entry.model_dump(include=set(TokenPrice.model_fields)))
    price = price.model_copy(update={"guardrail": entry.guardrail or book.content.guardrail})
    rules: tuple[str, ...] = ()
    if asked.variant:
        variant = entry.variants.get(asked.variant)
        if variant is None:
            raise NoPrice(_no_variant(asked.variant, f"{book.name}, {key}"))
        if isinstance(variant, Rates):
            price = price.model_copy(update=variant.model_dump() | {"steps": ()})
            rules = (f"{asked.variant}: its own rates",)
        else:
            price, rules = price.times(variant), (f"{asked.variant}: × {variant:g}",)
    return Sourced(price, _source(book, key, entry, rules))


def _source(book: Book, key: str, entry: ModelEntry | InstanceEntry, rules: tuple[str, ...] = ()) -> Source:
    content = book.content
    return Source(
        origin="book",
        name=book.name,
        entry=key,
        region=content.region,
        as_of=entry.as_of or content.as_of,
        source=entry.source or content.source,
        rules=rules,
    )


def _no_variant(variant: str, where: str) -> str:
    return f"`{variant}` has a price of its own, which is not in {where}; add it under `variants:` of a price book, or add `price:`"


def _absent(kind: str, name: str, known: list[str]) -> str:
    return f"no price for {kind} `{name}`; add it to the price book or give the target its own `price:`"
