"""A price with what was done to it, or speaks against it, told in its source."""

import typing

from locustfiles.contract.prices.price import Rates, TokenPrice, exact
from locustfiles.contract.prices.sourced import Sourced

_R = typing.TypeVar("_R", bound=Rates)


def ruled(found: Sourced, factor: float, rule: str | None) -> Sourced:
    """Multiplied, by a rule that says so; None: as it is."""
    return with_rule(found._replace(price=found.price.times(factor)), rule) if rule else found


def discounted(found: Sourced, percent: float, rule: str = "less {percent:g} %") -> Sourced:
    """By so many percent, exactly; the rule may name `percent` and the `factor` that is left."""
    factor = 1 - exact(percent) / 100
    told = rule.format(percent=percent, factor=f"{factor.normalize():f}")
    return ruled(found, float(factor), told) if percent else found


def with_rule(found: Sourced, rule: str) -> Sourced:
    return found._replace(source=found.source.model_copy(update={"rules": (*found.source.rules, rule)}))


def cautioned(found: Sourced, caution: str | None) -> Sourced:
    if caution is None:
        return found
    return found._replace(source=found.source.model_copy(update={"cautions": (*found.source.cautions, caution)}))


def cached_as_others(found: Sourced) -> Sourced:
    """With a price for every kind of cached token, where a table has one for reads: AWS lists no other where all cost the input."""
    price = found.price
    if not isinstance(price, TokenPrice) or price.cache_read is None or price.cache_write_1h is not None:
        return found
    kinds = "cache_write_1h" if price.cache_write is not None else "cache_write, cache_write_1h"
    other = "cache_write" if price.cache_write is not None else "input"
    steps = tuple(_with_writes(step) for step in price.steps)
    filled = _with_writes(price).model_copy(update={"steps": steps})
    return with_rule(found._replace(price=filled), f"{kinds}: at the {other} price, without one of their own")


def _with_writes(rates: _R) -> _R:
    write = rates.input if rates.cache_write is None else rates.cache_write
    return rates.model_copy(update={"cache_write": write, "cache_write_1h": write})
