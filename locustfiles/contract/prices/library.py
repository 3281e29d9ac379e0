"""Token prices as the package genai-prices keeps them: one adapter, imported where a price is asked for."""

import datetime
import decimal
import functools
import importlib.metadata
import re
import typing

from locustfiles.contract.prices.model_ids import GEOGRAPHIES, canonical, undated
from locustfiles.contract.prices.price import Step, TokenPrice

#: version -> the day that it was published: the package has no date of its prices
_PUBLISHED = {"0.2.3": datetime.date(2026, 11, 10)}

#: the rates' names there; USD per million tokens
_KEYS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
}
#: a kind without a price of its own is billed there as this one
_FALLS_BACK = {"cache_read": "input", "cache_write": "input", "cache_write_1h": "cache_write"}


class Found(typing.NamedTuple):
    price: TokenPrice
    entry: str  # the model's id there
    rules: tuple[str, ...]
    dated: bool = False  # whether it keeps prices of several times

    def of_a_later_day(self, on: datetime.date) -> str | None:
        """What speaks against it as the price of a day before the library's own."""
        day = published()
        if self.dated or day is None or day <= on:
            return None
        return f"the price is of {day} ({name()}), after {on}, and has no other of before; what held then may differ"


def name() -> str:
    """`genai-prices 0.2.3`"""
    return f"genai-prices {importlib.metadata.version('genai-prices')}"


def published() -> datetime.date | None:
    """The day of the release, which its prices are not younger than; None for a version that is not known here."""
    return _PUBLISHED.get(importlib.metadata.version("genai-prices"))


def find(model_id: str, on: datetime.date, provider: str = "aws") -> Found | None:
    """The price of a model id on a day; None where the library does not know it."""
    model = _model(model_id, provider)
    if model is None:
        return None
    own = _own(model, on)
    if "input" not in own:
        return None
    rules = (*_fallbacks(own), *_of_text(model, on))
    return Found(_token_price(own), model.id, rules, isinstance(model.prices, list))


def _of_text(model: typing.Any, on: datetime.date) -> tuple[str, ...]:
    """A line where tokens of sound have prices of their own, which no call of ours is billed by."""
    audio = _prices(model, on).input_audio_mtok
    return (
        () if audio is None else (f"tokens of text: those of sound cost more (${audio} per million in), not counted",)
    )


def _fallbacks(own: dict[str, typing.Any]) -> tuple[str, ...]:
    """A line for each price that others are billed by, having none of their own."""
    billed_as: dict[str, list[str]] = {}
    for kind, other in _FALLS_BACK.items():
        if kind not in own:
            billed_as.setdefault(other if other in own else _FALLS_BACK[other], []).append(kind)
    return tuple(
        f"{', '.join(kinds)}: at the {other} price, without one of their own" for other, kinds in billed_as.items()
    )


@functools.cache
def _model(model_id: str, provider: str) -> typing.Any:
    """The library's entry of this very model. Its own search takes an id that contains another's for that one, as
    `…nova-lite-v9:0` for `…nova-lite-v1:0`, and misses other spellings of an id."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        found = get_snapshot().find_provider_model(model_id, None, provider, None)[1]
    except LookupError:
        return _spelled(provider).get(canonical(model_id))
    return found if _is(found.id, model_id) else None


@functools.cache
def _spelled(provider: str) -> dict[str, typing.Any]:
    from genai_prices.data_snapshot import get_snapshot

    models = next(each.models for each in get_snapshot().providers if each.id == provider)
    by_id = {canonical(model.id): model for model in models}
    in_region = {_bare(key): model for key, model in by_id.items() if key.startswith("regional.")}
    dated = in_region | by_id
    without_date = {undated(key): model for key, model in dated.items()}
    later = {re.sub(r"-v\d+$", "", key) for key in without_date if re.search(r"-v\d+$", key)}
    one_version = {key: model for key, model in without_date.items() if key not in later}
    return one_version | dated


@functools.cache
def ids(provider: str = "aws") -> tuple[str, ...]:
    """Of all models that it knows, without the geography."""
    return tuple(dict.fromkeys(_bare(model.id) for model in _spelled(provider).values()))


def _bare(model_id: str) -> str:
    geography, _, rest = model_id.partition(".")
    return rest if geography in (*GEOGRAPHIES, "regional") and "." in rest else model_id


def _is(entry: str, model_id: str) -> bool:
    """Whether an entry is of the model asked for: the same id but for its spelling, and the date that one may lack."""
    entry, asked = _bare(entry), _bare(model_id)
    if canonical(entry) == canonical(asked):
        return True
    one_lacks_it = (undated(entry) == canonical(entry)) != (undated(asked) == canonical(asked))
    return one_lacks_it and undated(entry) == undated(asked)


def _token_price(own: dict[str, typing.Any]) -> TokenPrice:
    starts = sorted({tier.start for value in own.values() for tier in getattr(value, "tiers", ())})
    steps = tuple(Step(above=start, **_rates(own, start)) for start in starts)
    return TokenPrice.model_validate({**_rates(own, 0), "steps": steps})


def _rates(own: dict[str, typing.Any], start: int) -> dict[str, float]:
    """USD per 1,000 tokens of every kind from a prompt length on."""
    rates = {kind: _per_1k(value, start) for kind, value in own.items()}
    for kind, other in _FALLS_BACK.items():
        rates.setdefault(kind, rates[other])
    return {"output": 0.0, **rates}  # an embedding has no output tokens, and no price for them


def _per_1k(value: typing.Any, start: int) -> float:
    reached = [tier.price for tier in getattr(value, "tiers", ()) if tier.start <= start]
    base: decimal.Decimal = reached[-1] if reached else getattr(value, "base", value)
    return float(base / 1000)


def _own(model: typing.Any, on: datetime.date) -> dict[str, typing.Any]:
    prices = _prices(model, on)
    return {kind: value for kind, key in _KEYS.items() if (value := getattr(prices, key)) is not None}


def _prices(model: typing.Any, on: datetime.date) -> typing.Any:
    return model.get_prices(datetime.datetime.combine(on, datetime.time(12), datetime.UTC))


def provider_of(url: str) -> str | None:
    """Whose address it is, of the public services that sell tokens; None for any other."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        return str(get_snapshot().find_provider(None, None, url).id)
    except LookupError:
        return None


@functools.cache
def spread(on: datetime.date, provider: str | None = "aws") -> dict[str, tuple[float, float]]:
    """Of every kind the least and the most USD per 1,000 tokens that any model costs, at a provider or (None) at all of them.

    What answers with vectors, or not at all, has an input price of its own kind, `embedded`.
    """
    from genai_prices.data_snapshot import get_snapshot

    found: dict[str, list[float]] = {}
    for each in get_snapshot().providers:
        for model in each.models if provider in (None, each.id) else ():
            own = _own(model, on)
            for kind, value in own.items():
                rates = (_per_1k(value, start) for start in (0, *(tier.start for tier in getattr(value, "tiers", ()))))
                named = "embedded" if kind == "input" and "output" not in own else kind
                found.setdefault(named, []).extend(rate for rate in rates if rate)
    return {kind: (min(rates), max(rates)) for kind, rates in found.items() if rates}
