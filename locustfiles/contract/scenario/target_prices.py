"""What a scenario's targets are billed by: their own `price:`, else a price book's, else the library's."""

import datetime
import pathlib
import re
import typing
import urllib.parse

from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.prices import library
from locustfiles.contract.prices.amended import cautioned, discounted, with_rule
from locustfiles.contract.prices.books import Book, books_of, for_models
from locustfiles.contract.prices.charge import several_units
from locustfiles.contract.prices.find_price import Asked, instance_price, model_price
from locustfiles.contract.prices.guarded import guarded
from locustfiles.contract.prices.guardrail_price import FREE, guardrail_price
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import Variant
from locustfiles.contract.prices.sourced import Source, Sourced
from locustfiles.contract.prices.whole_book import odd_entries
from locustfiles.contract.scenario.billed_units import never_counted
from locustfiles.contract.scenario.scenario import Scenario, find_file
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target
from locustfiles.contract.strict_yaml import place_of

OWN = "the target's own `price:`"
_DISCOUNT = "discount_percent {percent:g}: × {factor}"
_BEDROCK_HOST = re.compile(r"(bedrock-runtime|bedrock-mantle)[.-]([a-z0-9-]+)\.(amazonaws\.com(\.cn)?|api\.aws)")


def price_of(target: Target, region: str | None, on: datetime.date, books: list[Book]) -> Sourced:
    """What a target is billed by on a day, with what speaks against it.

    Raises BadScenario, NoPrice, BadPriceBook, or WrongUnit for figures that are no USD per 1,000 tokens.
    """
    model_id, asked = _asked(target, region, on)
    instance = None if isinstance(target, BedrockTarget) else target.instance_type
    found = guarded(_found(target, model_id, asked, books), model_id, asked, books, instance)
    if isinstance(found.price, HourlyPrice) and not isinstance(target, BedrockTarget):
        found = found._replace(price=_counted(target, found.price))
    found = _shared(target, discounted(found, target.discount_percent, _DISCOUNT))
    return cautioned(found, never_counted(target, found.price))


def _asked(target: Target, region: str | None, on: datetime.date) -> tuple[str | None, Asked]:
    """The model that Bedrock bills, None where it is another who does; and where, when and by which variant."""
    if isinstance(target, BedrockTarget) and not target.writes_text:
        return None, Asked(region, on)
    if isinstance(target, BedrockTarget):
        return target.model_id, Asked(parse(target.model_id).region or region, on, _variant(target))
    if isinstance(target, OpenAITarget) and (called_in := _bedrock_region(target.base_url)):
        return target.model_id, Asked(called_in, on)
    return None, Asked(region, on)


def _found(target: Target, model_id: str | None, asked: Asked, books: list[Book]) -> Sourced:
    """The price as its source has it."""
    if target.price is not None:
        return Sourced(target.price, Source(origin="scenario", name=OWN))
    if isinstance(target, BedrockTarget) and not target.writes_text:
        return (
            FREE
            if target.api == "count-tokens"
            else guardrail_price(for_models(books, asked.region), target.api == "guardrail-checks")
        )
    if not isinstance(target, BedrockTarget) and target.instance_type is not None:
        return instance_price(target.instance_type, asked.on, books, asked.region)
    if model_id is not None:
        return model_price(model_id, asked, books)
    if isinstance(target, OpenAITarget):
        return _of_a_public_service(target.base_url, target.model_id, asked.on)
    raise BadScenario("no price; add its `instance_type:` or a `price:`")


def _of_a_public_service(base_url: str, model_id: str, on: datetime.date) -> Sourced:
    """Raises BadScenario for a host that sells no tokens, as far as is known."""
    host = urllib.parse.urlsplit(base_url).hostname or ""
    provider = library.provider_of(base_url)
    if provider is None:
        raise BadScenario(
            f"{host} is not Bedrock, and costs what its machine costs; add `instance_type:`, or a `price:` per hour or token"
        )
    known = library.find(model_id, on, provider)
    if known is None:
        raise BadScenario(f"{library.name()} has no price of `{model_id}` at {host}; add a `price:` per token")
    source = Source(
        origin="library",
        name=library.name(),
        entry=f"{provider}/{known.entry}",
        rules=(f"as {provider} sells it ({host})", *known.rules),
    )
    return Sourced(known.price, source)


def _shared(target: Target, found: Sourced) -> Sourced:
    """With the target's share of its instances. Raises BadScenario where its `price:` has another."""
    if not isinstance(target, SageMakerTarget) or not isinstance(found.price, HourlyPrice):
        return found
    own, share = found.price.share, target.instance_share
    if share is None and own == 1 and target.inference_component:
        told = (
            f"component `{target.inference_component}` is priced as all of its endpoint's instances; add `instance_share:`, "
            "its part of them, where others run beside it"
        )
        return cautioned(found, told)
    if share is None or share == own:
        return found
    if own != 1:
        raise BadScenario(f"`instance_share` is {share:g}, `share` in its `price:` {own:g}; keep one")
    price = found.price.model_copy(update={"share": share})
    return with_rule(found._replace(price=price), f"instance_share: × {share:g}")


def _variant(target: BedrockTarget) -> Variant | None:
    """Whose price is not the standard one."""
    if target.service_tier not in (None, "default"):
        return typing.cast(Variant, target.service_tier)
    return "latency_optimized" if target.latency == "optimized" else None


def _bedrock_region(base_url: str) -> str | None:
    """Of Bedrock's OpenAI route; None for any other host."""
    found = _BEDROCK_HOST.fullmatch(urllib.parse.urlsplit(base_url).hostname or "")
    return found[2] if found else None


def _counted(target: Target, price: HourlyPrice) -> HourlyPrice:
    """With the target's count of instances. Raises BadScenario where two counts differ."""
    count = getattr(target, "instance_count", 1)
    counts = {count, price.instance_count} - {1}  # 1 is what is not said, in a manifest too
    if len(counts) > 1:
        raise BadScenario(f"`instance_count` is {count}, in its `price:` {price.instance_count}; keep one")
    return price.model_copy(update={"instance_count": max(counts, default=1)})


def prices_of(scenario: Scenario, path: str | pathlib.Path, on: datetime.date) -> tuple[list[Book], dict[str, Sourced]]:
    """The books that were looked into and every target's price. Raises BadScenario or BadPriceBook."""
    named = find_file(scenario.pricing, path) if scenario.pricing else None
    books = books_of(named, scenario.region)
    prices = {}
    for target in scenario.targets:
        try:
            prices[target.name] = price_of(target, scenario.region, on, books)
        except BadInput as e:
            where = place_of(path, target.price_key or target.name)
            raise BadScenario(
                f"{where}: target `{target.name}`: {e}{f' ({scenario.pricing})' if scenario.pricing else ''}"
            ) from None
    return books, prices


def price_of_model(model_id: str, scenario: Scenario, path: str | pathlib.Path, on: datetime.date) -> TokenPrice | None:
    """Of a model that a prompt router chose for a target; None where no source has a price of it."""
    try:
        books = books_of(find_file(scenario.pricing, path) if scenario.pricing else None, scenario.region)
        price = model_price(model_id, Asked(scenario.region, on), books).price
    except BadInput:
        return None
    return price if isinstance(price, TokenPrice) and not several_units(price) else None


def odd_entries_of(scenario: Scenario, path: str | pathlib.Path, on: datetime.date) -> list[str]:
    """A line for each entry of the scenario's price book, used or not, that is not in the unit it should be. Raises BadInput."""
    return odd_entries(books_of(find_file(scenario.pricing, path), scenario.region), on) if scenario.pricing else []
