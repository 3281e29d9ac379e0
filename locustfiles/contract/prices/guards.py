"""What speaks against a price: it is of another region or another time, or another source says otherwise."""

import datetime

from locustfiles.contract.prices.price import KINDS, AnyPrice, HourlyPrice, TokenPrice
from locustfiles.contract.prices.sourced import Source, Sourced
from locustfiles.contract.prices.units import plain

OLD_DAYS = 90
DISAGREE = 0.02
#: regions of books that no region of AWS is compared with: a model of one's own, and a price that holds everywhere
NO_REGION = ("local", "every")
#: where the library's prices hold: it knows no regions
OF_THE_LIBRARY = ("us-east-1", "us-east-2", "us-west-2")


def cautions(
    source: Source,
    region: str | None,
    on: datetime.date,
    price: AnyPrice | None = None,
    elsewhere: Sourced | None = None,
) -> tuple[str, ...]:
    """A line each. region: where the calls go; on: the day that they are billed; elsewhere: the price by other sources."""
    steps = _of_steps(source, price, elsewhere) if source.origin in ("book", "scenario") and elsewhere else None
    if source.origin == "scenario":  # whoever writes it there means it; of a step it may not be known
        return (steps,) if steps else ()
    found = _of_region(source, region, price, elsewhere)
    if found is None and source.origin == "book" and price and elsewhere:
        found = _of_another_source(source, price, elsewhere)
    return tuple(filter(None, (found, steps, _of_time(source, on))))


def _of_region(source: Source, region: str | None, price: AnyPrice | None, elsewhere: Sourced | None) -> str | None:
    if source.origin != "book" or region is None or source.region in (None, region, *NO_REGION):
        return None
    told = f"the price is of {source.region} ({source.name}), and calls go to {region}"
    if elsewhere is None or not _holds_in(elsewhere.source, region):
        return f"{told}, where it may differ; use a book of {region}, or add `price:`"
    by = elsewhere.source.name
    apart = difference(price, elsewhere.price) if price else None
    if apart is None:
        return None if price else f"{told}; use {by}"
    if abs(apart) <= DISAGREE:
        return None  # it costs the same there
    return f"{told}, where it is {price_words(elsewhere.price)} by {by}, {_apart(apart)}; use that"


def _holds_in(source: Source, region: str) -> bool:
    if source.origin == "library":
        return region in OF_THE_LIBRARY
    return source.region in (region, *NO_REGION)


def _of_another_source(source: Source, price: AnyPrice, elsewhere: Sourced) -> str | None:
    apart = difference(price, elsewhere.price)
    if apart is None or abs(apart) <= DISAGREE:
        return None
    here, there = f"{price_words(price)} by {source.name}", f"{price_words(elsewhere.price)} by {elsewhere.source.name}"
    return f"two sources disagree: {here}, {there}, {_apart(apart)}; check which holds"


def _of_steps(source: Source, price: AnyPrice | None, elsewhere: Sourced) -> str | None:
    """A step by prompt length that the other source has and this one lacks."""
    other = elsewhere.price
    if not (isinstance(price, TokenPrice) and isinstance(other, TokenPrice)):
        return None
    lacking = [step for step in other.steps if step.above not in {mine.above for mine in price.steps}]
    if not lacking or not other.input:
        return None
    step, by = lacking[0], elsewhere.source.name
    add = "add it to the entry as" if source.origin == "book" else "add it as"
    return (
        f"{by} bills a prompt of more than {step.above:,} tokens at {plain(round(step.input / other.input, 4))} times the input "
        f"price, which {source.name} does not say; {add} `steps: [{{above: {step.above}, input: …, output: …}}]`"
    )


def _of_time(source: Source, on: datetime.date) -> str | None:
    if source.as_of is None or source.region == "local":
        return None
    if source.as_of > datetime.datetime.now(datetime.UTC).date():
        return f"{source.name} is dated {source.as_of}, a day to come; mend its `as_of:`"
    if source.as_of > on:
        if source.origin == "library" or source.effective:
            return None  # it keeps what held before
        return f"the price is of {source.as_of}, after the run of {on}; what held then may differ"
    days = (on - source.as_of).days
    if days <= OLD_DAYS:
        return None
    own = f"check it at its source and set `as_of:`{_ask(source)}"
    mend = "update the package" if source.origin == "library" else own
    return f"the price is {days} days old ({source.name}, {source.as_of}); {mend}"


def _ask(source: Source) -> str:
    """How AWS is asked for today's prices of a book's region, where that is one."""
    if source.region is None or source.region in NO_REGION:
        return ""
    return f", or ask AWS: `python -m analysis prices update --region {source.region}`"


def difference(price: AnyPrice, other: AnyPrice) -> float | None:
    """By how much the other is dearer, as a share of the price, where they differ most; None: not to be compared."""
    if isinstance(price, HourlyPrice) and isinstance(other, HourlyPrice):
        return other.usd_per_hour / price.usd_per_hour - 1
    if not (isinstance(price, TokenPrice) and isinstance(other, TokenPrice)):
        return None
    pairs = ((getattr(price, kind), getattr(other, kind)) for kind in KINDS)
    shares = [theirs / ours - 1 for ours, theirs in pairs if ours and theirs]
    return max(shares, key=abs, default=None)


def price_words(price: AnyPrice) -> str:
    """`$0.0003 in, $0.0006 out per 1,000 tokens`, or `$1.515 per hour`"""
    if isinstance(price, HourlyPrice):
        return f"${plain(price.usd_per_hour)} per hour"
    return f"${plain(price.input)} in, ${plain(price.output)} out per 1,000 tokens"


def _apart(share: float) -> str:
    return f"{abs(share):.0%} {'more' if share > 0 else 'less'}".replace("%", " %")
