"""Prices by the hour in a wrong unit: per second, minute, month or year, or in cents, by comparison with known ones."""

import decimal
import math

from locustfiles.contract.prices.price import HourlyPrice, exact
from locustfiles.contract.prices.sourced import Sourced
from locustfiles.contract.prices.units import WrongUnit, plain

#: unit that was written -> how many times the figure per hour it is
TIMES = {
    "USD per second": 1 / decimal.Decimal(3600),
    "USD per minute": 1 / decimal.Decimal(60),
    "cents per hour": decimal.Decimal(100),
    "USD per month": decimal.Decimal(730),
    "USD per year": decimal.Decimal(8760),
}
FAR = 10.0  # times another price of the same instance, or a tenth: told
NEAR = 2.0  # times a unit's factor, or half of it: it is that unit
#: how far beyond what is known a price of something unknown is told: the known instances are all accelerated ones
BELOW, ABOVE = 100.0, 10.0


def hour_caution(price: HourlyPrice, known: Sourced | None) -> str | None:
    """What is odd about a price of an instance, by another source's. Raises WrongUnit for one in another unit, with what to
    write."""
    if known is None or not isinstance(known.price, HourlyPrice) or price.reserved is not None:
        return None
    times = price.usd_per_hour / known.price.usd_per_hour
    if 1 / FAR < times < FAR:
        return None
    told = f"{known.source.text} has ${plain(known.price.usd_per_hour)} an hour of `{known.source.entry}`"
    if unit := _unit(times):
        raise WrongUnit(
            f"usd_per_hour {plain(price.usd_per_hour)} looks like {unit}: {told}; write usd_per_hour: {_per_hour(price, unit)}, or "
            "`instance_count:` beside it if it is of several"
        )
    much = f"{times:.0f} times" if times > 1 else f"1/{1 / times:.0f} of"
    return f"${plain(price.usd_per_hour)} an hour is {much} what is known: {told}; check its unit"


def range_caution(price: HourlyPrice, known: list[float]) -> str | None:
    """Of something that no source has a price of: a model unit, a machine of one's own."""
    if not known or price.reserved is not None:
        return None
    low, high = min(known), max(known)
    if low / BELOW <= price.usd_per_hour <= high * ABOVE:
        return None
    units = ("USD per second", "USD per minute") if price.usd_per_hour < low else ("cents per hour", "USD per month")
    return (
        f"${plain(price.usd_per_hour)} an hour is far from what instances cost, ${plain(low)} to ${plain(high)}; check that it is no "
        f"price in {' or '.join(units)}"
    )


def _unit(times: float) -> str | None:
    off = {unit: abs(math.log(times / float(factor))) for unit, factor in TIMES.items()}
    unit = min(off, key=lambda each: off[each])
    return unit if off[unit] <= math.log(NEAR) else None


def _per_hour(price: HourlyPrice, unit: str) -> str:
    """Of four digits, which is what a price by the second or month is good for."""
    usd = exact(price.usd_per_hour) / TIMES[unit]
    return plain(float(f"{usd:.4g}"))
