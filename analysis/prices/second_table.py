"""A second table of prices, read into one form: a price book of ours, or a file as litellm's model_prices_and_context_window.json."""

import contextlib
import datetime
import decimal
import json
import pathlib
import re
import typing

from analysis.prices.regions import REGION
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import Book
from locustfiles.contract.prices.find_price import Asked, NoPrice, model_price
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.prices.price import Rates, TokenPrice
from locustfiles.contract.prices.price_book import PriceBook, load_price_book

MAX_BYTES = 64 * 2**20
#: kind of tokens -> its key there, USD per token
_KEYS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}
#: tier -> how its keys end there
_TIERS = {"standard": "", "flex": "_flex", "priority": "_priority", "batch": "_batches"}
_ABOVE = re.compile(r"_above_(\d+)k_tokens")
#: geography of a profile -> where its source regions begin
_HOME = {
    "us": ("us-east-", "us-west-", "ca-"), "us-gov": ("us-gov-",), "eu": ("eu-",), "apac": ("ap-",), "ca": ("ca-",), "in": ("ap-south-",),
    "jp": ("ap-northeast-1", "ap-northeast-3"), "au": ("ap-southeast-2", "ap-southeast-4"), "sa": ("sa-",),
}  # fmt: skip

#: tier -> prompt length above which they hold -> kind -> USD per 1,000 tokens
Tiers = dict[str, dict[int, dict[str, decimal.Decimal]]]


class Entry(typing.NamedTuple):
    key: str  # as the table spells it
    name: str  # a model id or an instance type
    tiers: Tiers
    usd_per_hour: decimal.Decimal | None = None


class Table(typing.NamedTuple):
    name: str
    region: str  # whose prices were taken
    entries: list[Entry]
    elsewhere: int  # entries of other regions
    other: int  # entries of other services, or not billed by the token


def read_table(path: str, region: str | None, on: datetime.date) -> Table:
    """region: None is the book's own, of litellm's us-east-1. Raises BadInput."""
    if pathlib.Path(path).suffix.lower() != ".json":
        book = load_price_book(path)
        if region and region != book.region:
            raise BadInput(
                f"{path}: a book of {book.region}, not of {region}; leave --region out, or give that region's book"
            )
        return Table(path, book.region, _of_book(path, book, on), 0, 0)
    try:
        if pathlib.Path(path).stat().st_size > MAX_BYTES:
            raise BadInput(f"{path}: larger than {MAX_BYTES >> 20} MiB; give a table of prices")
        data = json.loads(pathlib.Path(path).read_text(encoding="utf-8"), parse_float=decimal.Decimal)
    except OSError as e:
        raise BadInput(f"{path}: cannot be read ({e.strerror}); check the path") from None
    except (ValueError, RecursionError) as e:
        raise BadInput(
            f"{path}: not valid JSON ({' '.join(str(e).split())[:120]}); give litellm's file or a price book"
        ) from None
    if not isinstance(data, dict) or not any(isinstance(v, dict) and "litellm_provider" in v for v in data.values()):
        raise BadInput(
            f"{path}: not litellm's format (model: {{litellm_provider, input_cost_per_token, …}}); give it, or a price book"
        )
    return _of_litellm(path, data, region or "us-east-1")


def _of_litellm(path: str, data: dict, region: str) -> Table:
    entries, elsewhere, other = [], 0, 0
    for key, value in data.items():
        provider = value.get("litellm_provider") if isinstance(value, dict) else None
        if not str(provider).startswith("bedrock") or "commitment" in key or not (tiers := _tiers(value)):
            other += 1
            continue
        *route, name = key.split("/")
        regions = [part for part in route if REGION.fullmatch(part)]
        home = _HOME.get(parse(name).geography or "")
        if (regions and regions[0] != region) or (home and not region.startswith(home)):
            elsewhere += 1
        else:
            entries.append(Entry(key, name, tiers))
    # the others of these names are of no region
    own = {entry.name for entry in entries if region in entry.key.split("/")}
    kept = [entry for entry in entries if region in entry.key.split("/") or entry.name not in own]
    return Table(path, region, kept, elsewhere + len(entries) - len(kept), other)


def _tiers(value: dict) -> Tiers:
    """Of litellm's keys: `input_cost_per_token_above_272k_tokens_flex` and the like."""
    tiers: Tiers = {}
    for kind, base in _KEYS.items():
        for key, usd in value.items():
            if not key.startswith(base) or isinstance(usd, bool) or not isinstance(usd, int | decimal.Decimal):
                continue
            above, end = 0, key.removeprefix(base)
            if step := _ABOVE.match(end):
                above, end = int(step[1]) * 1000, end[step.end() :]
            tier = next((tier for tier, suffix in _TIERS.items() if end == suffix), None)
            if tier is not None and decimal.Decimal(usd).is_finite():
                tiers.setdefault(tier, {}).setdefault(above, {})[kind] = decimal.Decimal(usd) * 1000
    priced = tiers.get("standard", {}).get(0, {})
    return tiers if {"input", "output"} <= priced.keys() and any(priced.values()) else {}


def _of_book(path: str, book: PriceBook, on: datetime.date) -> list[Entry]:
    """As a run would be billed by it."""
    hours = {name: hour.usd_per_hour for name in book.instances if (hour := book.instance(name, on)) is not None}
    entries = [Entry(name, name, {}, decimal.Decimal(repr(usd))) for name, usd in hours.items()]
    for name, listed in book.models.items():
        tiers: Tiers = {}
        for tier in (None, *dict.fromkeys(tier for entry in listed for tier in entry.variants)):
            with contextlib.suppress(NoPrice):
                price = model_price(name, Asked(book.region, on, tier), [Book(path, book)]).price
                tiers[tier or "standard"] = flat(price) if isinstance(price, TokenPrice) else {}
        if tiers.get("standard"):
            entries.append(Entry(name, name, tiers))
    return entries


def flat(price: TokenPrice) -> dict[int, dict[str, decimal.Decimal]]:
    """The rates of a price by the prompt length above which they hold."""
    return {0: _known(price)} | {step.above: _known(step) for step in price.steps}


def _known(rates: Rates) -> dict[str, decimal.Decimal]:
    return {kind: decimal.Decimal(repr(usd)) for kind in _KEYS if (usd := getattr(rates, kind)) is not None}
