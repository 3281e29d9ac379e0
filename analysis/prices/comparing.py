"""What two sources say of one price, side by side: ours, as a run would be billed by, and a second table's."""

import datetime
import decimal
import typing

from analysis.prices.second_table import Entry, Table, flat
from locustfiles.contract.prices.books import Book
from locustfiles.contract.prices.find_price import Asked, NoPrice, instance_price, model_price
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import Variant

#: figures that differ by less are one figure, rounded by one of the two
CLOSE = decimal.Decimal("0.0005")


class Difference(typing.NamedTuple):
    """One figure that is not the same. ours and theirs are in USD per 1,000 tokens, or per hour."""

    key: str
    what: str
    ours: decimal.Decimal
    theirs: decimal.Decimal
    source: str  # of ours

    @property
    def share(self) -> decimal.Decimal | None:
        """By how much theirs is above ours; None where ours is 0."""
        return self.theirs / self.ours - 1 if self.ours else None


class Comparison(typing.NamedTuple):
    differences: list[Difference]
    compared: int  # entries that both price
    same: int  # figures
    only_theirs: list[str]  # entries that we have no price for
    tiers_only_theirs: list[str]  # entry and tier, where only the standard price is known here


def compare(table: Table, books: list[Book], on: datetime.date) -> Comparison:
    """Every entry of a table with our own price of it."""
    result = Comparison([], 0, 0, [], [])
    compared = same = 0
    for entry in table.entries:
        ours = (
            _hourly(entry, books, on) if entry.usd_per_hour is not None else _by_token(entry, table, books, on, result)
        )
        if ours is None:
            result.only_theirs.append(entry.key)
            continue
        compared += 1
        for found in ours:
            if _close(found.ours, found.theirs):
                same += 1
            else:
                result.differences.append(found)
    return result._replace(compared=compared, same=same)


def _close(ours: decimal.Decimal, theirs: decimal.Decimal) -> bool:
    return abs(ours - theirs) <= CLOSE * max(ours, theirs)


def _hourly(entry: Entry, books: list[Book], on: datetime.date) -> list[Difference] | None:
    try:
        price, source = instance_price(entry.name, on, books)
    except NoPrice:
        return None
    if not isinstance(price, HourlyPrice) or entry.usd_per_hour is None:
        return None
    ours = decimal.Decimal(repr(price.usd_per_hour))
    return [Difference(entry.key, "an hour", ours, entry.usd_per_hour, source.text)]


def _by_token(
    entry: Entry, table: Table, books: list[Book], on: datetime.date, result: Comparison
) -> list[Difference] | None:
    """Pairs of figures, equal ones too; None where we have no standard price."""
    pairs: list[Difference] = []
    for tier, theirs in entry.tiers.items():
        variant = None if tier == "standard" else typing.cast(Variant, tier)
        try:
            price, source = model_price(entry.name, Asked(table.region, on, variant), books)
        except NoPrice:
            if variant is None:
                return None
            result.tiers_only_theirs.append(f"{entry.key} ({tier})")
            continue
        if not isinstance(price, TokenPrice):
            return None
        ours = flat(price)
        for above in sorted(ours.keys() | theirs.keys()):
            mine, other = _at(ours, above), _at(theirs, above)
            for kind in (kind for kind in other if kind in mine):
                what = f"{kind}{'' if tier == 'standard' else f', {tier}'}{f', above {above:,} prompt tokens' if above else ''}"
                pairs.append(Difference(entry.key, what, mine[kind], other[kind], source.text))
    return pairs


def _at(rates: dict[int, dict[str, decimal.Decimal]], above: int) -> dict[str, decimal.Decimal]:
    """Those of a prompt a token longer than this."""
    return rates.get(max((start for start in rates if start <= above), default=0), {})
