"""What an endpoint costs: instances times the hour's price, by the one price function; never a guess where none is known."""

import datetime
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import Book, books_of
from locustfiles.contract.prices.find_price import instance_price
from locustfiles.contract.prices.price import HourlyPrice
from scripts.endpoints.control import Control
from scripts.endpoints.names import CONFIG, ENDPOINT_KIND, Item


class Fleet(typing.NamedTuple):
    """Instances of one variant. usd_per_hour: of one; None where no source has a price."""

    variant: str
    instance_type: str | None  # None: serverless, or pools of several types
    instance_count: int | None
    usd_per_hour: float | None
    source: str | None = None
    reason: str | None = None  # why there is no price

    @property
    def words(self) -> str:
        return f"{self.instance_count} x {self.instance_type}" if self.instance_type else "serverless or pools"


def fleets_of(variants: list[dict[str, typing.Any]], books: list[Book], region: str) -> list[Fleet]:
    """Of an endpoint configuration's ProductionVariants, with CurrentInstanceCount where it is known."""
    today = datetime.datetime.now(datetime.UTC).date()
    found = []
    for variant in variants:
        name, kind = variant["VariantName"], variant.get("InstanceType")
        count = variant.get("CurrentInstanceCount", variant.get("InitialInstanceCount", 1))
        if kind is None:
            found.append(Fleet(name, None, None, None, reason="not billed by a fixed number of instances"))
            continue
        try:
            priced = instance_price(kind, today, books, region)
        except BadInput as e:
            found.append(Fleet(name, kind, count, None, reason=str(e).partition(" or give the target")[0]))
            continue
        usd = priced.price.usd_per_hour if isinstance(priced.price, HourlyPrice) else None
        found.append(Fleet(name, kind, count, usd, priced.source.text))
    return found


def usd_per_hour(fleets: list[Fleet]) -> float | None:
    """Of all together; None where a part's is not known."""
    each = [
        None if f.usd_per_hour is None or f.instance_count is None else f.usd_per_hour * f.instance_count
        for f in fleets
    ]
    return sum(usd for usd in each if usd is not None) if each and None not in each else None


def fleets_now(control: Control, endpoint: str, books: list[Book]) -> list[Fleet]:
    """As they are: the configuration's types, the endpoint's counts. Empty where it is gone. Raises Refused, BadInput."""
    described = control.describe(Item(ENDPOINT_KIND, endpoint))
    named = (described or {}).get("EndpointConfigName")
    config = control.describe(Item(CONFIG, named)) if named else None
    if described is None or config is None:
        return []
    now = {each["VariantName"]: each for each in described.get("ProductionVariants", ())}
    counts = {name: each["CurrentInstanceCount"] for name, each in now.items() if "CurrentInstanceCount" in each}
    variants = [
        {**each, **({"CurrentInstanceCount": counts[each["VariantName"]]} if each["VariantName"] in counts else {})}
        for each in config["ProductionVariants"]
    ]
    return fleets_of(variants, books, control.region)


def books(named: str | pathlib.Path | None, region: str) -> list[Book]:
    """Raises BadPriceBook."""
    return books_of(named, region)


def usd(value: float | None) -> str:
    """`$1.52`, `$0.0042`, `–`"""
    if value is None:
        return "–"
    return f"${value:,.2f}" if value >= 0.1 or value == 0 else f"${value:.2g}"


def hourly(value: float | None) -> str:
    """A price by the hour with all its digits: `$1.515`, `–`"""
    return "–" if value is None else f"${value:,.6g}"


def hours(begin: datetime.datetime, end: datetime.datetime) -> float:
    return max(0.0, (end - begin).total_seconds()) / 3600
