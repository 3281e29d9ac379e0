"""The price of a model or an instance on a day: from the scenario's book, the shipped ones, the library."""

import datetime
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices import library
from locustfiles.contract.prices.amended import cached_as_others, cautioned, discounted, ruled, with_rule
from locustfiles.contract.prices.books import Book, for_models
from locustfiles.contract.prices.model_ids import ModelId, as_on_bedrock, billed_by_the_unit, billed_otherwise, parse
from locustfiles.contract.prices.price import HourlyPrice, Rates, TokenPrice
from locustfiles.contract.prices.price_book import EVERYWHERE, InstanceEntry, ModelEntry, OnTop, Variant, asks_aws
from locustfiles.contract.prices.slips import meant
from locustfiles.contract.prices.sourced import Source, Sourced

#: where the library's prices are those of every model; elsewhere it has only the geographies' of newer ones
_AS_IN_THE_LIBRARY = ("us-east-1", "us-east-2", "us-west-2", None)
_AS_GEOGRAPHY = ("global", "us")


class NoPrice(BadInput):
    """No source knows a price; the text says what to add."""


class Asked(typing.NamedTuple):
    """What decides the price of a model's tokens, beside its id."""

    region: str | None
    on: datetime.date
    variant: Variant | None = None  # None: the standard price


class _Search(typing.NamedTuple):
    """A model, the books to look into, and the keys that name nothing but it."""

    model_id: str
    named: ModelId
    asked: Asked  # with the region that the price is for
    books: list[Book]

    @property
    def keys(self) -> list[str]:
        return list(dict.fromkeys((self.model_id, self.named.profile)))

    @property
    def govcloud(self) -> bool:
        return self.named.geography == "us-gov" or (self.asked.region or "").startswith("us-gov")


def model_price(model_id: str, asked: Asked, books: list[Book]) -> Sourced:
    """Raises NoPrice, with how it is billed where it is not by tokens.

    The named books go before the shipped ones of the region, which an ARN may name, and these before the library. An entry of
    the very id goes before one of its model.
    """
    named = parse(model_id)
    region = named.region or asked.region
    if (how := billed_otherwise(model_id, region)) and not any(model_id in book.content.models for book in books):
        raise NoPrice(how)
    search = _Search(model_id, named, asked._replace(region=region), for_models(books, region))
    found = _of_its_own(search) or _of_the_model(search) or _of_the_library(search)
    if found is None:
        raise NoPrice(_absent_model(search))
    return _guarded(search, _varied(search, _topped(search, found)))


def instance_price(instance_type: str, on: datetime.date, books: list[Book], region: str | None = None) -> Sourced:
    """Of one instance. region: where AWS may be asked for it. Raises NoPrice."""
    for book in books:
        if entry := book.content.instance(instance_type, on):
            price = HourlyPrice(usd_per_hour=entry.usd_per_hour)
            found = discounted(Sourced(price, _source(book, instance_type, entry)), entry.discount_percent)
            return cautioned(found, entry.of_another_component(book.content.region))
    hint = meant(instance_type, [key for book in books for key in book.content.instances])
    raise NoPrice(_absent("instance type", instance_type, hint, region))


def _of_its_own(search: _Search) -> Sourced | None:
    """By an entry of the very id."""
    keys = search.keys
    if search.govcloud and not search.named.geography:
        keys = [*keys, f"us-gov.{search.named.bare}"]  # GovCloud has one geography, which costs what its regions do
    for book in search.books:
        for key in keys:
            everywhere = book.content.region == EVERYWHERE and search.govcloud and not key.startswith("us-gov.")
            if not everywhere and (found := book.content.model(key, search.asked.on)):
                for_all = book.content.region == EVERYWHERE and not search.named.geography
                caution = _of_all_regions(search, book.name) if for_all else None
                return _passed_over(search, cautioned(_of_book(book, *found), caution), upto=book)
    return None


def _of_the_model(search: _Search) -> Sourced | None:
    """A profile of a geography, by an entry of its model: where the library does not say that they are billed apart."""
    if not search.named.geography:
        return None
    apart = _billed_apart(search)
    for book in search.books:
        if apart or (search.govcloud and book.shipped):
            return None
        if found := book.content.model(search.named.bare, search.asked.on):
            known = None if search.govcloud else library.find(search.named.profile, search.asked.on)
            caution = f"no source has a price of `{search.named.profile}`: it is taken to cost what `{found[0]}` does"
            return cautioned(_of_book(book, *found), None if known else caution)
    return None


def _billed_apart(search: _Search) -> bool:
    """Whether the library has one price of the profile and another of its model."""
    profile, bare = (library.find(each, search.asked.on) for each in (search.named.profile, search.named.bare))
    return profile is not None and (bare is None or bare.price != profile.price)


def _of_the_library(search: _Search) -> Sourced | None:
    if search.govcloud:
        return None
    named, on = search.named, search.asked.on
    known = library.find(named.profile, on)
    caution = None
    if known is None and named.geography and (known := library.find(named.bare, on)):
        caution = f"{library.name()} has no price of `{named.profile}`: it is taken to cost what `{named.bare}` does"
    if known is None:
        return None
    if caution is None and not known.entry.startswith("regional."):
        caution = _of_all_regions(search, library.name())
    source = Source(
        origin="library",
        name=library.name(),
        entry=known.entry,
        region=search.asked.region,
        as_of=library.published(),
        rules=known.rules,
    )
    found = cautioned(cautioned(Sourced(known.price, source), caution), known.of_a_later_day(on))
    return _passed_over(search, found, upto=None)


def _of_all_regions(search: _Search, name: str) -> str | None:
    """What to say of a source without a region, where calls go to one that may cost more."""
    geography, region = search.named.geography, search.asked.region
    if search.govcloud or (geography in _AS_GEOGRAPHY if geography else region in _AS_IN_THE_LIBRARY):
        return None
    where = f"`{geography}.`" if geography else region
    return f"{name} has one price of `{search.named.bare}` for all regions, and {where} may cost more"


def _passed_over(search: _Search, found: Sourced, upto: Book | None) -> Sourced:
    """With a caution, where a named book has the model, but not the profile that is billed apart."""
    if not search.named.geography:
        return found
    for book in search.books:
        if book is upto or book.shipped:
            break
        if entry := book.content.model(search.named.bare, search.asked.on):
            told = f"`{entry[0]}` in {book.name} is not taken: calls of another geography are billed apart"
            return cautioned(found, f"{told}; add `{search.named.profile}` to it")
    return found


def _of_book(book: Book, key: str, entry: ModelEntry) -> Sourced:
    price = TokenPrice.model_validate(entry.model_dump(include=set(TokenPrice.model_fields)))
    found = Sourced(price, _source(book, key, entry))
    return discounted(cached_as_others(found) if book.shipped else found, entry.discount_percent)


def _topped(search: _Search, found: Sourced) -> Sourced:
    """With the factor and the discount that a book has for the very id."""
    for book in search.books:
        for key in search.keys:
            if top := book.content.on_top(key, search.asked.on):
                factor = top[1].factor
                rule = f"× {factor:g}: `{top[0]}` in {book.name}" if factor != 1 else None
                return discounted(ruled(found, factor, rule), top[1].discount_percent)
    return found


def _varied(search: _Search, found: Sourced) -> Sourced:
    """The price of the service tier, of a batch, or of lower latency. Raises NoPrice where no book has it."""
    variant = search.asked.variant
    if variant is None:
        return found
    for book, key, entry in _entries(search):
        value = entry.variants.get(variant)
        if value is None:
            continue
        own = found.source.name == book.name and found.source.entry == key
        where = "" if own else f" (`{key}` in {book.name})"
        if not isinstance(value, Rates):
            return ruled(found, value, f"{variant}: × {value:g}{where}")
        # rates of one price, not of another region's
        if own or (key in search.keys and found.source.origin == "library"):
            price = found.price.model_copy(update=value.model_dump() | {"steps": ()})
            return with_rule(found._replace(price=price), f"{variant}: its own rates{where}")
    where = f"{found.source.name}, {found.source.entry}"
    raise NoPrice(
        f"`{variant}` has a price of its own, which is not in {where}; add it under `variants:` of a price book, or add `price:`"
    )


def _entries(search: _Search) -> typing.Iterator[tuple[Book, str, ModelEntry | OnTop]]:
    for book in search.books:
        for key in dict.fromkeys((*search.keys, search.named.bare)):
            for found in (book.content.model(key, search.asked.on), book.content.on_top(key, search.asked.on)):
                if found:
                    yield book, *found


def _guarded(search: _Search, found: Sourced) -> Sourced:
    """With the price of a guardrail's units."""
    prices = [book.content.guardrail for book in search.books if book.content.guardrail]
    if not prices or not isinstance(found.price, TokenPrice) or found.price.guardrail:
        return found
    return found._replace(price=found.price.model_copy(update={"guardrail": prices[0]}))


def _source(book: Book, key: str, entry: ModelEntry | InstanceEntry) -> Source:
    content = book.content
    return Source(
        origin="book",
        name=book.name,
        entry=key,
        region=None if content.region == EVERYWHERE else content.region,
        as_of=entry.as_of or content.as_of,
        effective=entry.effective,
        source=entry.source or content.source,
    )


def _absent_model(search: _Search) -> str:
    if search.govcloud:
        remedy = "which bills about 20 % more than other regions; add it to the price book or give the target its own `price:`"
        return f"no price for model `{search.model_id}` in AWS GovCloud, {remedy}"
    if by_unit := billed_by_the_unit(search.named.bare):
        return f"no price for model `{search.model_id}`; {by_unit}"
    known = [parse(key).bare for book in search.books for key in book.content.models]
    typed = parse(as_on_bedrock(search.model_id))
    hint = meant(typed.bare, [*known, *library.ids()], itself=typed != search.named)
    return _absent("model", search.model_id, hint and typed._replace(bare=hint).profile)


def _absent(kind: str, name: str, hint: str | None, region: str | None = None) -> str:
    remedy = f"add it to the price book{asks_aws(region)} or give the target its own `price:`"
    return f"no price for {kind} `{name}`; " + (f"did you mean `{hint}`? Else {remedy}" if hint else remedy)
