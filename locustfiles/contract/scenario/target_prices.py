"""What a scenario's targets are billed by: their own `price:`, else the price book's."""

import pathlib
import typing

from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.scenario.price_book import HourlyPrice, Price, PriceBook, TokenPrice, load_price_book
from locustfiles.contract.scenario.scenario import Scenario, find_file
from locustfiles.contract.scenario.strict_yaml import place_of
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, Target


def price_of(target: Target, book: PriceBook | None) -> Price:
    """What a target is billed by: its own `price:`, else the book's. Raises BadScenario or BadPriceBook."""
    if target.price is None and book is None:
        raise BadScenario("no price; add its `price:`, or a price book as `pricing:`")
    if isinstance(target, BedrockTarget):
        return target.price or _on_demand(target, typing.cast(PriceBook, book))
    if isinstance(target.price, TokenPrice):
        return target.price
    if target.price is None:
        book = typing.cast(PriceBook, book)
        if target.instance_type is not None:
            return HourlyPrice(usd_per_hour=book.instance(target.instance_type), instance_count=target.instance_count)
        if isinstance(target, OpenAITarget):
            return book.model(target.model_id)
        raise BadScenario("no price; add its `instance_type:` or a `price:`")
    counts = {target.instance_count, target.price.instance_count} - {1}  # 1 is what is not said, in a manifest too
    if len(counts) > 1:
        raise BadScenario(
            f"`instance_count` is {target.instance_count}, in its `price:` {target.price.instance_count}; keep one"
        )
    return target.price.model_copy(update={"instance_count": max(counts, default=1)})


def _on_demand(target: BedrockTarget, book: PriceBook) -> TokenPrice:
    """The book's price, which is the standard one. Raises BadScenario where AWS bills another."""
    for key, standard in (("service_tier", "default"), ("latency", "standard")):
        if getattr(target, key) not in (None, standard):
            raise BadScenario(
                f"`{key}: {getattr(target, key)}` has a price of its own, which no price book has; add `price:`"
            )
    for part, what in (("provisioned-model/", "provisioned throughput"), (":imported-model/", "an imported model")):
        if part in target.model_id and target.model_id not in book.models:
            raise BadScenario(
                f"{what} is billed by the hour and model unit; add `price: {{usd_per_hour: …, instance_count: model units}}`"
            )
    return book.model(target.model_id)


def prices_of(scenario: Scenario, path: str | pathlib.Path) -> tuple[PriceBook | None, dict[str, Price]]:
    """The scenario's price book (None: each target has its own price) and every target's price. Raises BadScenario or
    BadPriceBook."""
    book = load_price_book(find_file(scenario.pricing, path)) if scenario.pricing else None
    prices = {}
    for target in scenario.targets:
        try:
            prices[target.name] = price_of(target, book)
        except BadInput as e:
            where = place_of(path, target.price_key or target.name)
            raise BadScenario(
                f"{where}: target `{target.name}`: {e}{f' ({scenario.pricing})' if scenario.pricing else ''}"
            ) from None
    return book, prices
