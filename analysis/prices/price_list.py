"""Items of AWS's Price List API, read: which hour or token of what each of them prices, and in which unit.

| offer | names a model by | its unit | usage types |
|---|---|---|---|
| AmazonSageMaker | `instanceName` | Hrs | USE1-Host:ml.g5.xlarge |
| AmazonBedrock | `model`, or its id where the usage type has `-mantle` | 1K tokens | USE1-NovaPro-input-tokens-batch |
| AmazonBedrockService | `model` | 1K tokens | USE1-Claude4Sonnet-input-tokens-long-context-cross-region-global |
| AmazonBedrockFoundationModels | `servicename` | 1M tokens | USE1-MP:USE1_cache_write_tokens_1h_global_standard-Units |

Reranking is billed by the search unit: USE1-AmazonRerank-v1-searchunits, USE1-MP:USE1_search_units-Units. Images are not read: they have
a price for each size and quality, and a book has one.

A word of a usage type that is not known (audio, reserved, provisioned, …) makes it the price of something else, which is passed over.
"""

import decimal
import re
import typing

HOSTING, BEDROCK, MARKETPLACE = "AmazonSageMaker", "AmazonBedrock", "AmazonBedrockFoundationModels"
SERVICE = "AmazonBedrockService"  # some Claude models that AWS bills itself, in the form of AmazonBedrock
EDITION = " (Amazon Bedrock Edition)"

_TIERS = {"batch", "flex", "priority"}
#: words of a usage type that say nothing of the price
_FILLING = {"token", "tokens", "count", "million", "standard", "text", "cross", "region", "5m"}
_LONG = ({"l", "ctx"}, {"long", "ctx"}, {"long", "context"}, {"lctx"})
_WORD = re.compile(r"\d+[a-z]+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_HOUR = re.compile(r"\b1[-_]?hour\b", re.IGNORECASE)
_MARKETPLACE = re.compile(r"(?:[A-Z0-9]+-)?MP:[A-Z0-9]+_(.+?)(?:-Units)?")
_OF_BEDROCK = re.compile(
    r"(?:[A-Z]{2,4}\d{0,2}-)?(?P<name>.+?)-(?P<what>(?:text-)?(?:input|output|cache-(?:read|write))-.+)"
)
_SEARCH = re.compile(
    r"(?:[A-Z]{2,4}\d{0,2}-)?(?:MP:[A-Z0-9]+_|(?P<name>.+)-)search[-_]?units(?:-Units)?", re.IGNORECASE
)
#: USD of a search unit: a figure above is not of one, but of many
MOST_A_SEARCH = decimal.Decimal("0.05")
_HOST = re.compile(r"(?:[A-Z0-9]+-)?Host:(ml\.[a-z0-9.-]+)")
#: before `-input-tokens` in a usage type, it is no text
_OTHER_MODALITY = re.compile(r"-(speech|audio|image|video|customization|custom-model)$", re.IGNORECASE)


class Meter(typing.NamedTuple):
    """What a usage type counts."""

    kind: str  # input, output, cache_read, cache_write, cache_write_1h, as rates are called
    tier: str = "standard"
    everywhere: bool = False  # of a global inference profile
    long: bool = False  # of prompts above the model's step


class TokenRow(typing.NamedTuple):
    """The price of a meter of one model, as an offer names it."""

    name: str
    model_id: str | None  # where the usage type has it
    meter: Meter
    usd_per_1k: decimal.Decimal
    offer: str


class Read(typing.NamedTuple):
    """What an offer's items say, and what they do not."""

    hours: dict[str, decimal.Decimal]
    tokens: list[TokenRow]
    searches: dict[str, decimal.Decimal]  # a model's name -> USD of a search unit
    passed: int  # items that price something else
    unclear: list[str]  # items of ours whose price cannot be told, with why


def read(offer: str, items: typing.Iterable[dict]) -> Read:
    """The items of an offer, `GetProducts`' PriceList."""
    found = Read({}, [], {}, 0, [])
    passed = 0
    for item in items:
        attributes = _part(_part(item, "product"), "attributes")
        usage = str(attributes.get("usagetype", ""))
        try:
            done = _hosting(found, attributes, item) if offer == HOSTING else _tokens(found, offer, attributes, item)
        except ValueError as e:
            found.unclear.append(f"{usage}: {e}")
        else:
            passed += not done
    return found._replace(passed=passed)


def _hosting(found: Read, attributes: dict, item: dict) -> bool:
    """Whether it is the hour of an instance of a real-time endpoint, which is then kept. Raises ValueError."""
    match = _HOST.fullmatch(str(attributes.get("usagetype", "")))
    if match is None or str(attributes.get("component", "Hosting")).lower() != "hosting":
        return False
    price = _price(item)
    if price is None or price.unit.lower() not in ("hrs", "hours", "hour"):
        return False
    if found.hours.get(match[1], price.usd) != price.usd:
        raise ValueError(f"two prices, ${found.hours[match[1]]} and ${price.usd}")
    found.hours[match[1]] = price.usd
    return True


def _tokens(found: Read, offer: str, attributes: dict, item: dict) -> bool:
    usage = str(attributes.get("usagetype", ""))
    of_marketplace = offer == MARKETPLACE
    if search := _SEARCH.fullmatch(usage):
        return _search(found, attributes, search["name"], item)
    match = (_MARKETPLACE if of_marketplace else _OF_BEDROCK).fullmatch(usage)
    if match is None or (not of_marketplace and _OTHER_MODALITY.search(match["name"])):
        return False
    meter = meter_of(match[1] if of_marketplace else match["what"], attributes)
    if meter is None:
        return False
    price = _price(item)
    if price is None:
        return False
    model_id = (
        match["name"].removesuffix("-mantle") if not of_marketplace and match["name"].endswith("-mantle") else None
    )
    named = attributes.get("servicename") if of_marketplace else attributes.get("model") or attributes.get("titanModel")
    name = str(named or (match["name"] if not of_marketplace else "")).removesuffix(EDITION)
    found.tokens.append(TokenRow(name, model_id, meter, price.usd / _per_1k(price, of_marketplace), offer))
    return True


def _search(found: Read, attributes: dict, short: str | None, item: dict) -> bool:
    """Whether it is the price of a search unit of a model that reranks, which is then kept. Raises ValueError."""
    price = _price(item)
    if price is None:
        return False
    named = attributes.get("model") or short or attributes.get("servicename") or ""
    name = str(named).removesuffix(EDITION)
    if price.usd > MOST_A_SEARCH:
        raise ValueError(f"${price.usd} is more than a search unit costs; its unit is `{price.unit}`")
    if found.searches.get(name, price.usd) != price.usd:
        raise ValueError(f"two prices, ${found.searches[name]} and ${price.usd}")
    found.searches[name] = price.usd
    return True


def meter_of(what: str, attributes: dict) -> Meter | None:
    """Of the end of a usage type: `cache_write_tokens_1h_global_standard`. None: it counts something else."""
    words = [word.lower() for word in _WORD.findall(_HOUR.sub("1h", what))]
    rest = set(words)
    kinds = [kind for kind, marks in _KINDS.items() if marks <= rest]
    if not kinds:
        return None
    kind = kinds[0]
    rest -= _KINDS[kind] | ({"input"} if kind.startswith("cache") else set())
    long = next((marks for marks in _LONG if marks <= rest), set())
    tiers = (rest & _TIERS) or ({"latency_optimized"} if {"latency", "optimized"} <= rest else set())
    rest -= long | tiers | _FILLING | {"global", "latency", "optimized"}
    if rest or len(tiers) > 1:
        return None
    tier = next(iter(tiers), None) or _tier_beside(attributes)
    return Meter(kind, tier, "global" in words, bool(long)) if tier else None


#: kind of tokens -> the words that make it, the most telling first
_KINDS = {
    "cache_read": {"cache", "read"},
    "cache_write_1h": {"cache", "write", "1h"},
    "cache_write_30m": {"cache", "write", "30m"},
    "cache_write": {"cache", "write"},
    "input": {"input"},
    "output": {"output"},
}


def _tier_beside(attributes: dict) -> str | None:
    """Of the attributes, where the usage type is silent; None for what is not billed by the call."""
    feature = str(attributes.get("feature", "")).lower()
    if any(word in feature for word in ("provisioned", "custom", "reserved")):
        return None
    tier = str(attributes.get("service_tier", "")).lower()
    return "batch" if "batch" in feature else tier if tier in _TIERS else "standard"


class _Price(typing.NamedTuple):
    usd: decimal.Decimal
    unit: str
    description: str


def _price(item: dict) -> _Price | None:
    """The one on-demand price of an item; None where it is free or has none in US dollars. Raises ValueError for several."""
    found = set()
    for term in _part(_part(item, "terms"), "OnDemand").values():
        for dimension in _part(term, "priceDimensions").values():
            try:
                usd = decimal.Decimal(str(_part(dimension, "pricePerUnit")["USD"]))
            except (KeyError, decimal.InvalidOperation):
                continue
            if usd.is_finite() and usd > 0:
                found.add(_Price(usd, str(dimension.get("unit", "")), str(dimension.get("description", ""))))
    if len({(price.usd, price.unit) for price in found}) > 1:
        raise ValueError("several prices, by volume")
    return min(found, default=None)


def _per_1k(price: _Price, of_marketplace: bool) -> int:
    """By what to divide, to have USD per 1,000 tokens. Raises ValueError for a unit that is not tokens."""
    unit = " ".join(price.unit.lower().split())
    if unit in ("1k tokens", "1000 tokens", "1,000 tokens"):
        return 1
    if unit in ("1m tokens", "million tokens", "1,000,000 tokens"):
        return 1000
    if unit == "units" and of_marketplace and "million" in price.description.lower():
        return 1000
    raise ValueError(f"its unit, `{price.unit}`, is not known as one of tokens")


def _part(value: typing.Any, key: str) -> dict:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}
