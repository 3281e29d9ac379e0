"""Which way a caution puts the price of a transaction, where it tells.

By the hour, whatever kept the load below what was planned, or the generator from sending, leaves fewer transactions to share an
hour's price: it is too high, never too low. Prompts that a cache had seen are answered faster than new ones will be: too low. By
tokens the load does not matter, and cached tokens are billed less. Early turns of conversations have shorter prompts than the
whole of them, late ones longer: too low, too high.
"""

import typing

from locustfiles.contract.prices.price import HourlyPrice, Price

# fewer transactions; warm prompts; tokens read from a cache; early or late turns of conversations; it is not known
Effect = typing.Literal["fewer", "warm", "cached", "early", "late", ""]
Bias = typing.Literal["too high", "too low", "too high or too low"]

_BY_TOKENS: dict[Effect, Bias] = {"cached": "too low", "early": "too low", "late": "too high"}
_BY_THE_HOUR: dict[Effect, Bias] = _BY_TOKENS | {"fewer": "too high", "warm": "too low"}


def bias_of(effect: Effect, price: Price) -> Bias | None:
    """None where it does not move the price a known way."""
    return (_BY_THE_HOUR if isinstance(price, HourlyPrice) else _BY_TOKENS).get(effect)


def combined(biases: typing.Collection[Bias | None]) -> Bias | None:
    """Of several cautions."""
    known = {bias for bias in biases if bias}
    if known == {"too high"}:
        return "too high"
    if known == {"too low"}:
        return "too low"
    return "too high or too low" if known else None
