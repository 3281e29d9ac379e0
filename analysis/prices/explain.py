"""How the price of one transaction comes about: its source, its rates, and every part of the charge."""

import decimal
import typing

from locustfiles.contract.prices.charge import Charge, Usage, charge
from locustfiles.contract.prices.price import HourlyPrice, Rates, TokenPrice
from locustfiles.contract.prices.sourced import Sourced

KINDS = {
    "input": "input",
    "output": "output",
    "cache_read": "cache read",
    "cache_write": "cache write, 5 min",
    "cache_write_1h": "cache write, 1 h",
}
#: what no price here holds
NOT_IN_IT = "not in it: tax, data transfer, storage, idle time, discounts that no book names"
_CENT = decimal.Decimal("0.01")
_A_MINUTE = (60, 600)  # transactions, as examples for what is paid by the hour


class Explained(typing.NamedTuple):
    """One priced thing. usage: None for what is paid by the hour."""

    name: str
    sourced: Sourced
    usage: Usage | None

    @property
    def charge(self) -> Charge | None:
        price = self.sourced.price
        return charge(self.usage, price) if self.usage is not None and isinstance(price, TokenPrice) else None


def as_json(explained: Explained) -> dict:
    """For programs: figures as they are, dollars of the charge as exact text."""
    price, source = explained.sourced
    bill = explained.charge
    parts = [part._asdict() | {"usd": f"{part.usd.normalize():f}"} for part in bill.parts] if bill else None
    return {
        "name": explained.name,
        "price": price.model_dump(mode="json", exclude_none=True),
        "source": source.model_dump(mode="json", exclude_none=True),
        "usage": explained.usage._asdict() if explained.usage and bill else None,
        "parts": parts,
        "unknown": bill.unknown if bill else None,
        "usd": _usd(bill.usd) if bill else None,
    }


def as_text(explained: Explained) -> list[str]:
    """For people, a line each."""
    price = explained.sourced.price
    lines = [explained.name, *_source_lines(explained.sourced)]
    if isinstance(price, HourlyPrice):
        return [*lines, *_hour_lines(price), f"  {NOT_IN_IT}"]
    lines += _rate_lines(price, explained.usage)
    bill = explained.charge
    return [*lines, *_bill_lines(explained.usage, price, bill), f"  {NOT_IN_IT}"] if bill and explained.usage else lines


def _source_lines(sourced: Sourced) -> list[str]:
    source = sourced.source
    told = [("source", source.text), ("entry", source.entry), ("says", source.source)]
    told += [("rule", rule) for rule in source.rules] + [("caution", caution) for caution in source.cautions]
    return [f"  {name:<8} {value}" for name, value in told if value]


def _rate_lines(price: TokenPrice, usage: Usage | None) -> list[str]:
    """The rates below and above each step, and those that are not by tokens; a guardrail's where it is asked for."""
    spans = [
        "every prompt" if not price.steps else f"prompts of up to {price.steps[0].above:,} tokens, cached ones counted"
    ]
    spans += [f"prompts above {step.above:,} tokens, the whole call" for step in price.steps]
    lines = ["  USD per 1,000 tokens"]
    for span, rates in zip(spans, (price, *price.steps), strict=True):
        lines.append(f"    {span}: {_rates(rates)}")
    lines += [f"  USD per {unit}: {shown(usd)}" for unit, usd in price.units.items()]
    policies = ", ".join(f"{policy} {shown(usd)}" for policy, usd in price.guardrail.items())
    if not policies:
        return lines
    asked = usage and usage.guardrail
    return [
        *lines,
        f"  USD per unit of a guardrail: {policies}"
        if asked
        else '  a guardrail has a price, too: --guardrail "contentPolicyUnits=2" adds it',
    ]


def _rates(rates: Rates) -> str:
    known = {words: getattr(rates, kind) for kind, words in KINDS.items()}
    told = ", ".join(f"{words} {shown(usd)}" for words, usd in known.items() if usd is not None)
    lacking = [words for words, usd in known.items() if usd is None]
    return told + (f" (not known: {', '.join(lacking)})" if lacking else "")


def _bill_lines(usage: Usage, price: TokenPrice, bill: Charge) -> list[str]:
    """Every part with its product, and their sum."""
    whole = usage.whole_prompt
    step = next((s for s in reversed(price.steps) if whole is not None and whole > s.above), None)
    lines = ["  one transaction"]
    if price.steps:
        reached = f"above {step.above:,}" if step else f"up to {price.steps[0].above:,}"
        lines.append(f"    step: {whole or 0:,} prompt tokens, cached ones counted, are {reached}")
    rows = [(_amount(part.kind, part.amount, part.per), part) for part in bill.parts]
    width = max((len(words) for words, _ in rows), default=0)
    for words, part in rows:
        per = f" / {part.per:,}" if part.per != 1 else ""
        lines.append(f"    {words:<{width}}  × {shown(part.usd_per)}{per} = {_dollars(part.usd)}")
    if bill.usd is None:
        return [*lines, f"    total: not known, {bill.unknown}"]
    return [*lines, f"    total: {_dollars(bill.usd)}; of 10,000 such transactions {_dollars(bill.usd * 10_000)}"]


def _amount(kind: str, amount: float, per: int) -> str:
    if kind in KINDS:
        return f"{amount:,} tokens {KINDS[kind]}"
    return f"{amount:,} × {kind}" if per == 1 else f"{amount:,} {kind}"


def _hour_lines(price: HourlyPrice) -> list[str]:
    parts = f"{shown(price.usd_per_hour)} an hour × {price.instance_count}"
    parts += f" × share {price.share:g}" if price.share != 1 else ""
    hour = decimal.Decimal(repr(price.usd_per_hour_in_all))
    lines = [f"  {parts} = {_dollars(hour)} an hour, whatever is sent"]
    for rate in _A_MINUTE:
        each = (hour / (60 * rate) * 10_000).quantize(decimal.Decimal("0.0001"))
        lines.append(
            f"  at {rate} transactions a minute: {_dollars(hour)} / {60 * rate:,}, {_dollars(each)} for 10,000"
        )
    return lines


def shown(usd: float) -> str:
    """A price to every digit; of a cent and more with cents: $8.50, $0.00006."""
    return _dollars(decimal.Decimal(repr(usd)))


def _usd(usd: decimal.Decimal | None) -> str | None:
    return None if usd is None else f"{usd.normalize():f}"


def _dollars(usd: decimal.Decimal) -> str:
    text = f"{usd.normalize():f}"
    whole, _, part = text.partition(".")
    return f"${whole}.{part:0<2}" if usd >= _CENT and len(part) < 2 else f"${text}"
