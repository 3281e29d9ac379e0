"""The unit that a price book's token prices are written in: made USD per 1,000 tokens when it is read, exactly."""

import decimal
import typing

from locustfiles.contract.prices.price import KINDS, exact

Unit = typing.Literal["per_token", "per_1k_tokens", "per_1m_tokens"]
#: unit -> what makes USD per 1,000 tokens of a figure
FACTORS: dict[str, decimal.Decimal] = {
    "per_token": decimal.Decimal(1000),
    "per_1k_tokens": decimal.Decimal(1),
    "per_1m_tokens": decimal.Decimal("0.001"),
}


def per_1k(models: typing.Any, unit: typing.Any) -> typing.Any:
    """A copy of a book's `models:`, as they are in the file, in USD per 1,000 tokens: rates of entries, steps and variants. What
    is no figure is left for the reader to refuse."""
    factor = FACTORS.get(unit) if isinstance(unit, str) else None
    if factor is None or factor == 1 or not isinstance(models, dict):
        return models
    return {key: _entries(value, factor) for key, value in models.items()}


def _entries(value: typing.Any, factor: decimal.Decimal) -> typing.Any:
    return [_entry(each, factor) for each in value] if isinstance(value, list) else _entry(value, factor)


def _entry(value: typing.Any, factor: decimal.Decimal) -> typing.Any:
    """Below `steps:` a list of rates, below `variants:` rates by name or a bare factor."""
    if not isinstance(value, dict):
        return value
    inner: dict[str, typing.Any] = {key: _rate(each, factor) if key in KINDS else each for key, each in value.items()}
    if isinstance(steps := value.get("steps"), list):
        inner["steps"] = [_entry(step, factor) for step in steps]
    if isinstance(variants := value.get("variants"), dict):
        inner["variants"] = {name: _entry(rates, factor) for name, rates in variants.items()}
    return inner


def _rate(value: typing.Any, factor: decimal.Decimal) -> typing.Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    usd = exact(value)
    return float(usd * factor) if usd.is_finite() else value
