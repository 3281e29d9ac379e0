"""What a call is charged: one function from its tokens and units, and a price, to dollars with their parts."""

import decimal
import typing

from locustfiles.contract.prices.price import Rates, TokenPrice, exact


class Usage(typing.NamedTuple):
    """What is billed of a call, or of many calls of one price step together. None: not known.

    prompt_tokens holds no cached ones; cache_write_tokens are all that were written, of which cache_write_1h_tokens for an
    hour; units are those of `TokenPrice.units`; guardrail is policy -> units.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    units: float | None = None
    guardrail: dict[str, int] = {}

    @property
    def whole_prompt(self) -> int | None:
        """Tokens of the prompt, cached ones counted: what price steps go by."""
        return whole_prompt(self)


def whole_prompt(of: typing.Any) -> int | None:
    """Of a usage or a record: prompt tokens, cached ones counted."""
    if of.prompt_tokens is None:
        return None
    tokens: int = of.prompt_tokens + (of.cache_read_tokens or 0) + (of.cache_write_tokens or 0)
    return tokens


def usage_of(record: typing.Any) -> Usage:
    """Of a record, or of as much of one as is known."""
    policies = getattr(record, "guardrail_units", None)
    return Usage(
        getattr(record, "prompt_tokens", None),
        getattr(record, "completion_tokens", None),
        getattr(record, "cache_read_tokens", None),
        getattr(record, "cache_write_tokens", None),
        getattr(record, "cache_write_1h_tokens", None),
        getattr(record, "billed_units", None),
        guardrail_units(policies) if policies else {},
    )


def guardrail_units(text: str | None) -> dict[str, int]:
    """`contentPolicyUnits=2 topicPolicyUnits=2`, as a record has it, -> policy: units."""
    pairs = (each.partition("=") for each in (text or "").split())
    return {policy: int(units) for policy, _, units in pairs if units.isdigit()}


class Part(typing.NamedTuple):
    """One line of a bill: an amount of a kind at `usd_per` for each `per` of them."""

    kind: str
    amount: float
    usd_per: float
    per: int
    usd: decimal.Decimal


class Charge(typing.NamedTuple):
    parts: list[Part]
    unknown: str | None = None  # why the whole is not known: the kind that has no count or no price

    @property
    def usd(self) -> decimal.Decimal | None:
        """The exact sum; None when a count, or the price of a counted kind, is not known."""
        return None if self.unknown else sum((part.usd for part in self.parts), decimal.Decimal(0))


def _counts(usage: Usage) -> dict[str, int | None]:
    """Kinds of tokens by the rates' names, each with how many a call has."""
    hour = usage.cache_write_1h_tokens or 0
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cache_read": usage.cache_read_tokens or 0,
        "cache_write": max((usage.cache_write_tokens or 0) - hour, 0),
        "cache_write_1h": hour,
    }


def charge(usage: Usage, price: TokenPrice, calls: int = 1, rates: Rates | None = None) -> Charge:
    """The charge of a call. Of many together: `calls` of them and their `rates`, those of one step."""
    rates = rates or price.rates(usage.whole_prompt)
    parts, unknown = [], None
    for kind, count in _counts(usage).items():
        per_1k = getattr(rates, kind)
        if count is None:
            if per_1k or price.steps:  # of what costs nothing no count is needed
                unknown = unknown or f"no count of {kind} tokens"
        elif count and per_1k is None:
            unknown = unknown or f"no `{kind}` price"
        elif count and per_1k:
            parts.append(_part(kind, count, per_1k, 1000))
    if several := several_units(price):
        unknown = unknown or several
    for unit, usd in () if several else price.units.items():
        count_of_units = usage.units if usage.units is not None else calls if unit == "query" else None
        if count_of_units is None:
            unknown = unknown or f"no count of {unit} units"
        else:
            parts.append(_part(unit, count_of_units, usd, 1))
    for policy, count in usage.guardrail.items() if price.guardrail else ():
        if count and policy not in price.guardrail:
            unknown = unknown or f"no price of the guardrail's {policy}"
        elif count:
            parts.append(_part(f"guardrail {policy}", count, price.guardrail[policy], 1))
    return Charge(parts, unknown)


def several_units(price: TokenPrice) -> str | None:
    """Why no call can be charged by a price of several units: its one count is not of all of them."""
    if len(price.units) < 2:
        return None
    return f"`units` has {' and '.join(price.units)}, and an answer has one count, which is not of both"


def _part(kind: str, count: float, usd_per: float, per: int) -> Part:
    return Part(kind, count, usd_per, per, exact(count) * exact(usd_per) / per)
