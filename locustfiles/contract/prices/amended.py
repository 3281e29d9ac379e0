"""A price with what was done to it, or speaks against it, told in its source."""

from locustfiles.contract.prices.price import exact
from locustfiles.contract.prices.sourced import Sourced


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
