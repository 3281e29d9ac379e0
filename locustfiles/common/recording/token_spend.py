"""What one target's calls are billed at most by their tokens and units, for the budget: unknown counts are the most that
they can be."""

import collections
import dataclasses
import decimal

from locustfiles.common.recording.arrived import Arrived
from locustfiles.contract.error_classes import UNBILLED
from locustfiles.contract.prices.at_most import at_most
from locustfiles.contract.prices.charge import Usage, charge, usage_of
from locustfiles.contract.prices.price import Rates, TokenPrice

RECENT = 50  # calls whose mean latency says how many a second there are
NOTHING = decimal.Decimal(0)


@dataclasses.dataclass(slots=True)
class Seen:
    """The longest that was counted, whichever target's."""

    prompt_tokens: int = 0  # cached ones counted
    completion_tokens: int = 0


class TokenSpend:
    """Of one target. limit: the most output tokens that it is asked for, 0 where it has no limit; guarded: whether a
    guardrail looks at its calls."""

    def __init__(self, price: TokenPrice, limit: int, guarded: bool, seen: Seen) -> None:
        self._price, self._limit, self._seen = price, limit, seen
        self._guarded = guarded and bool(price.guardrail)
        self._sum = NOTHING  # of all that is known
        self._dearest = NOTHING  # of one call, as far as it is known
        self._most_completion = 0  # of one call, billed
        self._unmeasured, self._their_completion = 0, 0  # calls whose prompt's length is not known
        self._uncounted = 0  # calls whose units are not known
        self._unguarded = 0  # calls whose guardrail's units are not known
        self._most_units = 1.0 if "query" in price.units else 0.0
        self._most_guardrail: dict[str, int] = {}
        self.recent_s: collections.deque[float] = collections.deque(maxlen=RECENT)  # latencies of the last billed calls

    def take(self, record: Arrived) -> None:
        """One more record, billed at the upper end of what the report will say. Only what was refused before any output
        came is free; the count of a stream that broke off may have grown after the break."""
        began = record.ttft_ms is not None
        if record.error in UNBILLED and not began:
            return
        self.recent_s.append(record.latency_ms / 1000)
        usage = self._with_units(usage_of(record), record.guardrail_units is None)
        completion, whole = usage.completion_tokens, usage.whole_prompt
        self._seen.completion_tokens = max(self._seen.completion_tokens, completion or 0)
        if completion is None or (record.error and began):
            completion = max(completion or 0, self._limit or self._seen.completion_tokens)
        self._most_completion = max(self._most_completion, completion)
        if whole is None:
            self._unmeasured += 1
            self._their_completion += completion
            usage = usage._replace(
                prompt_tokens=0, cache_read_tokens=0, cache_write_tokens=0, cache_write_1h_tokens=0, completion_tokens=0
            )
        else:
            self._seen.prompt_tokens = max(self._seen.prompt_tokens, whole)
            usage = at_most(usage._replace(completion_tokens=completion), self._price.rates(whole))
        usd = _usd(usage, self._price, self._price.rates(whole))
        self._sum += usd
        self._dearest = max(self._dearest, usd)

    def _with_units(self, usage: Usage, untraced: bool) -> Usage:
        """With those that have a price; what is not known is counted apart, as the most that one call had."""
        units, price = usage.units, self._price
        if price.units and units is None:
            self._uncounted += 1
        self._most_units = max(self._most_units, units or 0.0)
        if self._guarded and untraced:
            self._unguarded += 1
        guardrail = {policy: n for policy, n in usage.guardrail.items() if policy in price.guardrail}
        if guardrail:
            both = guardrail.keys() | self._most_guardrail.keys()
            self._most_guardrail = {p: max(guardrail.get(p, 0), self._most_guardrail.get(p, 0)) for p in both}
        return usage._replace(units=units or 0.0, guardrail=guardrail)

    def usd(self) -> float:
        """Accrued so far."""
        known, longest = self._sum, self._seen.prompt_tokens
        if self._unmeasured:  # in case all of it was written to a cache
            rates = self._price.dearest(longest or None)
            dearest = max(r for kind, r in rates if kind != "output" and r is not None)
            prompts = Usage(longest * self._unmeasured, self._their_completion, units=0.0)
            known += _usd(prompts, self._price, rates.model_copy(update={"input": dearest}))
        return float(known + self._units_usd(self._uncounted, self._unguarded))

    def _units_usd(self, uncounted: int, unguarded: int) -> decimal.Decimal:
        """Of calls whose units are not known."""
        guardrail = {policy: units * unguarded for policy, units in self._most_guardrail.items()}
        return _usd(Usage(0, 0, units=self._most_units * uncounted, guardrail=guardrail), self._price, self._price)

    def dearest_usd(self) -> float:
        """What one call may cost: as the dearest so far, or with the longest prompt, the longest answer and the most units."""
        longest = Usage(self._seen.prompt_tokens, self._most_completion, units=0.0)
        most = _usd(longest, self._price, self._price.rates(longest.prompt_tokens))
        units = self._units_usd(int(bool(self._price.units)), int(self._guarded))
        return float(max(self._dearest, most + units)) if self.recent_s else 0.0


def _usd(usage: Usage, price: TokenPrice, rates: Rates) -> decimal.Decimal:
    """Of a usage of which all is known and has a price."""
    found = charge(usage, price, rates=rates).usd
    assert found is not None
    return found
