"""Token prices in a wrong unit: per token, or per million tokens, where USD per 1,000 tokens are meant.

No bound tells them apart: what one model costs per million another costs per 1,000. They are compared with the price of the very
model where one is known, else with the range of all that are.
"""

import datetime
import decimal
import math
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices import library
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.prices.price import KINDS, Rates, TokenPrice, exact
from locustfiles.contract.prices.sourced import Sourced

#: a price so many times another of the same model, or more, is in another unit: between them lies a factor of 1,000
OTHER_UNIT = 300.0
FAR = 10.0  # a price so many times another of the same model, or more, is told
BEYOND = 2.0  # so far beyond all that is known a new model may be
#: of a cache's price the least and the most, in prices of the input; known are 0.008 to 2.1
CACHE = (0.001, 10.0)
#: unit that was written -> what makes USD per 1,000 tokens of it
UNITS = {"USD per million tokens": "0.001", "USD per token": "1000", "USD per billion tokens": "0.000001"}


class WrongUnit(BadInput):
    """A price that is in another unit than USD per 1,000 tokens, as far as known prices tell, or in several at once."""


class Known(typing.NamedTuple):
    """What a price is compared with."""

    elsewhere: Sourced | None  # the price of the very model by another source
    model_id: str | None
    on: datetime.date


def plain(figure: float | decimal.Decimal) -> str:
    """`0.000035`, never `3.5e-05`"""
    figure = exact(figure) if isinstance(figure, float | int) else figure
    return f"{figure.normalize():f}"


def unit_caution(price: TokenPrice, known: Known) -> str | None:
    """What is odd about a price that may be right. Raises WrongUnit for one that is not, with what to write."""
    if known.model_id and parse(known.model_id).bare.startswith("local."):
        return None  # a model of one's own: nobody sells it
    cautions = []
    for at, rates in [("", price), *((f"steps[{i}].", step) for i, step in enumerate(price.steps))]:
        _check_cache(rates, at)
        if other := _other_rates(rates, known):
            cautions.append(_by_the_model(rates, at, other, known))
        cautions.append(_by_the_range(rates, at, known))
    return next(filter(None, cautions), None)


def _of(rates: Rates) -> dict[str, float]:
    return {kind: usd for kind in KINDS if (usd := getattr(rates, kind))}


def _other_rates(rates: Rates, known: Known) -> Rates | None:
    if known.elsewhere is None or not isinstance(known.elsewhere.price, TokenPrice):
        return None
    above = getattr(rates, "above", None)
    return known.elsewhere.price.rates(None if above is None else above + 1)


def _by_the_model(rates: Rates, at: str, other: Rates, known: Known) -> str | None:
    theirs = _of(other)
    ratios = [math.log(usd / theirs[kind]) for kind, usd in _of(rates).items() if kind in theirs]
    if not ratios:
        return None
    times = math.exp(sum(ratios) / len(ratios))
    assert known.elsewhere is not None
    has = f"{known.elsewhere.source.name} has {_text(other)} per 1,000 tokens of `{known.elsewhere.source.entry or known.model_id}`"
    if times >= OTHER_UNIT or times <= 1 / OTHER_UNIT:
        raise WrongUnit(_refusal(rates, at, times, has))
    if times >= FAR or times <= 1 / FAR:
        much = f"{times:.0f} times" if times > 1 else f"1/{1 / times:.0f} of"
        return f"{at}{_text(rates)} per 1,000 tokens is {much} what is known: {has}; check its unit"
    return None


def _by_the_range(rates: Rates, at: str, known: Known) -> str | None:
    """Of all that Bedrock sells for the id of one of its models, which has its vendor's name before a dot; else of all."""
    sold = library.spread(known.on)
    vendor = known.model_id and "." in known.model_id.partition("/")[0].partition(":")[0]
    bounds = sold if vendor or (known.model_id or "").startswith("arn:") else library.spread(known.on, None)
    caution = None
    for kind, usd in _of(rates).items():
        named = "embedded" if kind == "input" and not rates.output else kind
        low, high = _widest(bounds, named)
        least, most = _widest(sold, named)
        told = f"known prices of {kind} are {plain(low)} to {plain(high)} per 1,000 tokens"
        if usd > high * BEYOND or usd < low / BEYOND:
            raise WrongUnit(_refusal(rates, at, usd / (high if usd > high else low), told))
        if usd > most or usd < least:
            side = "above" if usd > most else "below"
            caution = caution or (
                f"{at}{kind} {plain(usd)} per 1,000 tokens is {side} all that Bedrock sells "
                f"({plain(least)} to {plain(most)}); check its unit"
            )
    return caution


def _widest(bounds: dict[str, tuple[float, float]], kind: str) -> tuple[float, float]:
    """What has an input price alone may be an embedding or a model whose answers are free."""
    low, high = bounds.get(kind, (0.0, math.inf))
    if kind == "embedded":
        return min(low, bounds["input"][0]), max(high, bounds["input"][1])
    return low, high


def _check_cache(rates: Rates, at: str) -> None:
    """Raises WrongUnit for a cache's price that is in another unit than the input's."""
    for kind in KINDS[2:]:
        usd = getattr(rates, kind)
        if usd and rates.input and not CACHE[0] <= usd / rates.input <= CACHE[1]:
            raise WrongUnit(
                f"{at}{kind} {plain(usd)} cannot be in the same unit as {at}input {plain(rates.input)}; write both in USD per 1,000 tokens"
            )


def _refusal(rates: Rates, at: str, times: float, known: str) -> str:
    """With the unit that the price seems to be in, by how many times it is off, and what to write."""
    if at:
        at = f"{at.removesuffix('.')}: "
    off = {unit: abs(math.log10(times * float(factor))) for unit, factor in UNITS.items()}
    unit = min(off, key=lambda each: off[each])
    factor = decimal.Decimal(UNITS[unit])
    right = ", ".join(f"{kind}: {plain(exact(usd) * factor)}" for kind, usd in _of(rates).items())
    given = ", ".join(f"{kind} {plain(usd)}" for kind, usd in _of(rates).items())
    return f"{at}{given} looks like {unit}: {known}; write {{{right}}}, in USD per 1,000 tokens"


def _text(rates: Rates) -> str:
    return f"${plain(rates.input)} in, ${plain(rates.output)} out"
