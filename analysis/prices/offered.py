"""From the rows of the Price List API to entries of a price book: one for every model id and instance type."""

import datetime
import decimal
import typing

from analysis.prices.model_names import Names
from analysis.prices.price_list import MARKETPLACE, SERVICE, Read, TokenRow
from locustfiles.contract.prices import library
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.prices.price import KINDS

#: what an entry of this command's says of its source; anything else is somebody's own
SOURCE = "AWS Price List API (prices update)"
Rates = dict[str, decimal.Decimal]
#: tier, of a global profile, above the model's step -> rates
Rated = dict[tuple[str, bool, bool], Rates]


class Offered(typing.NamedTuple):
    """Entries as a book would have them, and what was not made one, a line each."""

    instances: dict[str, dict]
    models: dict[str, dict]
    left_out: list[str]
    unmatched: list[str]  # names of models whose id is not known


def known_ids(more: typing.Iterable[str]) -> set[str]:
    """Without geography: the library's, and those of books."""
    return {parse(model_id).bare for model_id in (*library.ids(), *more)}


def offered(reads: list[Read], ids: set[str], on: datetime.date) -> Offered:
    """The entries that offers amount to. ids: of known models, without a geography."""
    hours = {name: usd for read in reads for name, usd in read.hours.items()}
    rows = [row for read in reads for row in read.tokens]
    own = {row.model_id for row in rows if row.model_id}
    names = Names(ids | own)
    result = Offered(
        {name: {"usd_per_hour": usd.normalize()} for name, usd in sorted(hours.items())},
        {},
        [line for read in reads for line in read.unclear],
        [],
    )
    of_name: dict[str, list[TokenRow]] = {}
    for row in rows:
        of_name.setdefault(row.name, []).append(row)
    for name, group in sorted(of_name.items()):
        found = names.ids(name, {row.model_id for row in group if row.model_id})
        if not found:
            result.unmatched.append(name)
        for bare in found:
            _add(result, bare, [row for row in group if row.model_id in (None, bare)], on)
    for name, usd in sorted({name: usd for read in reads for name, usd in read.searches.items()}.items()):
        found = names.ids(name)
        result.models.update({bare: {"units": {"query": usd.normalize()}} for bare in found})
        if not found:
            result.unmatched.append(name)
    return result


def _add(result: Offered, bare: str, rows: list[TokenRow], on: datetime.date) -> None:
    """The entry of a model, and that of its global profile."""
    try:
        rated = _rated(rows)
        for everywhere in (False, True):
            key = f"global.{bare}" if everywhere else bare
            if (entry := _entry(rated, everywhere, library.find(key, on))) is not None:
                result.models[key] = entry
    except ValueError as e:
        result.left_out.append(f"{bare}: {e}")


def _rated(rows: list[TokenRow]) -> Rated:
    """Raises ValueError where one meter has two prices in an offer; the marketplace's comes before the others'."""
    rated: Rated = {}
    for row in sorted(rows, key=lambda row: (row.offer == MARKETPLACE, row.offer == SERVICE)):
        meter = row.meter
        rates = rated.setdefault((meter.tier, meter.everywhere, meter.long), {})
        others = [r for r in rows if r.meter == meter and r.offer == row.offer and r.usd_per_1k != row.usd_per_1k]
        if others:
            raise ValueError(
                f"two prices of {meter.kind} ({meter.tier}), ${row.usd_per_1k} and ${others[0].usd_per_1k}"
            )
        rates[meter.kind] = row.usd_per_1k
    for rates in rated.values():  # a cache that lives for half an hour is the one that is not asked for by time
        half = rates.pop("cache_write_30m", None)
        if half is not None:
            rates.setdefault("cache_write", half)
    return rated


def _entry(rated: Rated, everywhere: bool, known: library.Found | None) -> dict | None:
    """Of one id; None where the offers do not price it. Raises ValueError where what they say is not enough."""
    standard = rated.get(("standard", everywhere, False), {})
    if "input" not in standard:
        return None
    embedding = known is not None and known.price.output == 0
    if "output" not in standard and not embedding:
        raise ValueError("a price of input and none of output; left to the other sources")
    entry: dict = _ordered({"output": decimal.Decimal(0), **standard})
    above = rated.get(("standard", everywhere, True), {})
    steps = known.price.steps if known else ()
    if above:
        if len(steps) != 1 or not {"input", "output"} <= above.keys():
            raise ValueError(
                "a price for long prompts, but not whole or not from which length on; left to other sources"
            )
        entry["steps"] = [{"above": steps[0].above, **_ordered(above)}]
    elif steps:
        raise ValueError("no price for long prompts, which other sources have; left to them")
    if variants := _variants(rated, everywhere):
        entry["variants"] = variants
    return entry


def _variants(rated: Rated, everywhere: bool) -> dict:
    """Tier -> the factor of all rates, or rates of its own where there is no one factor. Those of long prompts must follow it."""
    standard, above = (rated.get(("standard", everywhere, long), {}) for long in (False, True))
    variants: dict = {}
    for (tier, of_global, long), rates in sorted(rated.items()):
        if tier == "standard" or of_global != everywhere or long or not {"input", "output"} <= rates.keys():
            continue
        factor = _factor(rates, standard)
        if factor is not None and _holds_above(rated.get((tier, everywhere, True)), above, factor):
            variants[tier] = factor
        elif not above:
            variants[tier] = _ordered(rates)
    return variants


def _holds_above(rates: Rates | None, above: Rates, factor: decimal.Decimal) -> bool:
    """Whether a tier's rates of long prompts, where the offers have any, are the same multiple."""
    return rates is None or _factor(rates, above) == factor


def _factor(rates: Rates, standard: Rates) -> decimal.Decimal | None:
    """By which all standard rates are multiplied, where there is one short enough to be meant."""
    if rates.keys() != standard.keys() or any((rates[kind] == 0) != (standard[kind] == 0) for kind in rates):
        return None
    factors = {rates[kind] / standard[kind] for kind in rates if standard[kind]}
    factor = factors.pop().normalize() if len(factors) == 1 else None
    return factor if factor is not None and len(factor.as_tuple().digits) <= 4 else None


def _ordered(rates: Rates) -> Rates:
    return {kind: rates[kind].normalize() for kind in KINDS if kind in rates}
