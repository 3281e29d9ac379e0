"""A price with where it is from: shown wherever the price is."""

import collections.abc
import datetime
import typing

from locustfiles.contract.prices.price import AnyPrice
from locustfiles.contract.strict_yaml import Strict


class Source(Strict):
    """Where a target's price is from, and how it came about."""

    origin: typing.Literal["scenario", "book", "library", "none"]  # none: no price is known
    name: str  # the file, or package and version
    entry: str | None = None  # the key that was taken
    region: str | None = None
    as_of: datetime.date | None = None  # None: not said, as with a price of the scenario's own
    effective: datetime.date | None = None  # the first day that it is billed by, where the entry says it
    source: str | None = None  # what the book says of itself
    rules: tuple[str, ...] = ()  # what was done with the entry's figures, a line each: tier, discount, date
    cautions: tuple[str, ...] = ()  # what speaks against it, a line each

    @property
    def text(self) -> str:
        """`configs/pricing/us-east-1.yaml, us-east-1, 2026-11-28`"""
        dated = self.as_of.isoformat() if self.as_of else None
        return ", ".join(part for part in (self.name, self.region, dated) if part)


NO_BOOK = "no price book: see each target's source"


def book_among(sources: collections.abc.Iterable[Source]) -> dict[str, str | None]:
    """The first price book of several sources: file, region, as_of, source."""
    book = next((s for s in sources if s.origin == "book"), None)
    if book is None:
        return {"file": None, "region": None, "as_of": None, "source": NO_BOOK}
    as_of = book.as_of.isoformat() if book.as_of else None
    return {"file": book.name, "region": book.region, "as_of": as_of, "source": book.source}


class Sourced(typing.NamedTuple):
    price: AnyPrice
    source: Source
