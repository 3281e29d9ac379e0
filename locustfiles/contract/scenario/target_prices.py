"""What a scenario's targets are billed by: their own `price:`, else a price book's, else the library's."""

import datetime
import pathlib
import re
import typing
import urllib.parse

from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.prices.find_price import Asked, Book, books_of, instance_price, model_price
from locustfiles.contract.prices.price import HourlyPrice
from locustfiles.contract.prices.price_book import Variant
from locustfiles.contract.prices.sourced import Source, Sourced
from locustfiles.contract.scenario.scenario import Scenario, find_file
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, Target
from locustfiles.contract.strict_yaml import place_of

OWN = "the target's own `price:`"
_BEDROCK_HOST = re.compile(r"(bedrock-runtime|bedrock-mantle)[.-]([a-z0-9-]+)\.(amazonaws\.com(\.cn)?|api\.aws)")


def price_of(target: Target, region: str | None, on: datetime.date, books: list[Book]) -> Sourced:
    """What a target is billed by on a day. Raises BadScenario, NoPrice or BadPriceBook."""
    if target.price is not None:
        found = Sourced(target.price, Source(origin="scenario", name=OWN))
    elif isinstance(target, BedrockTarget):
        found = model_price(target.model_id, Asked(region, on, _variant(target)), books)
    elif target.instance_type is not None:
        found = instance_price(target.instance_type, on, books)
    elif isinstance(target, OpenAITarget):
        found = model_price(target.model_id, Asked(_bedrock_region(target.base_url), on), books)
    else:
        raise BadScenario("no price; add its `instance_type:` or a `price:`")
    if isinstance(found.price, HourlyPrice) and not isinstance(target, BedrockTarget):
        return found._replace(price=_counted(target, found.price))
    return found


def _variant(target: BedrockTarget) -> Variant | None:
    """Whose price is not the standard one."""
    if target.service_tier not in (None, "default"):
        return typing.cast(Variant, target.service_tier)
    return "latency_optimized" if target.latency == "optimized" else None


def _bedrock_region(base_url: str) -> str:
    """Raises BadScenario for a host that is not Bedrock's: it has no price per token."""
    host = urllib.parse.urlsplit(base_url).hostname or ""
    if found := _BEDROCK_HOST.fullmatch(host):
        return found[2]
    raise BadScenario(
        f"{host} is not Bedrock, and costs what its machine costs; add `instance_type:`, or a `price:` per hour or token"
    )


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
