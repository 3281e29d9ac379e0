"""What a call to come is billed, by recorded ones: their mix of fresh and cached tokens, another length, the step of that."""

import collections.abc
import decimal

from locustfiles.common.planning.first_call import Call
from locustfiles.contract.prices.at_most import at_most
from locustfiles.contract.prices.charge import Usage, charge
from locustfiles.contract.prices.price import Rates, TokenPrice

Calls = collections.abc.Sequence[Call]


class CallBill:
    """By one price. Calls: some whose dollars are known."""

    def __init__(self, price: TokenPrice) -> None:
        self._price = price

    def about(self, calls: Calls, tokens: float, answer: float) -> float:
        """USD of a call of so many prompt tokens, like these on average, with an answer of so many."""
        return self._usd([_of(c) for c in calls], tokens, answer, self._price.rates(tokens))

    def at_most(self, calls: Calls, tokens: float, longest: float, answer: float) -> float:
        """Like the dearest of these, all cached tokens written, at the dearest step that a prompt of `longest` reaches."""
        rates = self._price.dearest(longest)
        return max(self._usd([at_most(_written(_of(c)), rates)], tokens, answer, rates) for c in calls)

    def _usd(self, usages: list[Usage], tokens: float, answer: float, rates: Rates) -> float:
        """Prompt and guardrail in proportion to the prompt's tokens; units as they were."""
        whole = sum(usage.whole_prompt or 0 for usage in usages)
        share = tokens / whole if whole else 1 / len(usages)
        prompts = sum(self._charged(u._replace(completion_tokens=0, units=0.0), rates) for u in usages)
        units = sum(self._charged(Usage(0, 0, units=u.units), rates) for u in usages)
        thousand = self._charged(Usage(0, 1000, units=0.0), rates)
        return float(prompts) * share + float(units) / len(usages) + float(thousand) * answer / 1000

    def _charged(self, usage: Usage, rates: Rates) -> decimal.Decimal:
        found = charge(usage, self._price, rates=rates).usd
        if found is None:  # a cached kind without a price at this step
            found = charge(at_most(usage, rates), self._price, rates=rates).usd
        return found or decimal.Decimal(0)


def _of(call: Call) -> Usage:
    assert call.usage is not None  # its dollars are known
    return call.usage


def _written(usage: Usage) -> Usage:
    """Had nothing been in the cache: kept for how long is known only where a call has written."""
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    known = (usage.cache_write_tokens or 0) > 0 and usage.cache_write_1h_tokens == 0
    return usage._replace(cache_read_tokens=0, cache_write_tokens=cached, cache_write_1h_tokens=0 if known else None)
