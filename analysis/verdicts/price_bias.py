"""Which way the reasons for a doubt put the price of a transaction, where they tell.

By the hour, whatever kept the load below what was planned, or the generator from sending, leaves fewer transactions to share an
hour's price: it is too high, never too low. Prompts that a cache had seen are answered faster than new ones will be: too low. By
tokens the load does not matter, and cached tokens are billed less.
"""

import typing

from locustfiles.contract.prices.price import HourlyPrice, Price

Effect = typing.Literal[
    "fewer", "warm", "cached", ""
]  # fewer transactions; warm prompts; tokens read from a cache; it is not known
Bias = typing.Literal["too high", "too low", "too high or too low"]
Doubt = tuple[str, Effect]  # a reason, and what it does

_BY_THE_HOUR: dict[Effect, Bias] = {"fewer": "too high", "warm": "too low", "cached": "too low"}
_BY_TOKENS: dict[Effect, Bias] = {"cached": "too low"}


def doubted(effect: Effect, reasons: typing.Iterable[str]) -> list[Doubt]:
    """Reasons of one effect."""
    return [(reason, effect) for reason in reasons]


def price_bias(doubts: typing.Iterable[Doubt], price: Price) -> Bias | None:
    """Of all reasons together; None where none of them moves the price a known way."""
    ways = _BY_THE_HOUR if isinstance(price, HourlyPrice) else _BY_TOKENS
    found = {ways[effect] for _, effect in doubts if effect in ways}
    return combined(found)


def combined(biases: typing.Collection[str | None]) -> Bias | None:
    """Of several stages or reasons."""
    known = {bias for bias in biases if bias}
    if known == {"too high"}:
        return "too high"
    if known == {"too low"}:
        return "too low"
    return "too high or too low" if known else None
