"""What one target's calls are billed at most by their tokens and units, for the budget: unknown counts are the most that
they can be."""

import collections
import dataclasses
import decimal
import math

from locustfiles.common.recording.arrived import Arrived
from locustfiles.contract.error_classes import UNBILLED
from locustfiles.contract.prices.at_most import at_most
from locustfiles.contract.prices.charge import Usage, charge, usage_of
from locustfiles.contract.prices.price import Rates, TokenPrice, exact

RECENT = 50  # calls whose mean latency says how many a second there are
NOTHING = decimal.Decimal(0)


@dataclasses.dataclass(slots=True)
class Seen:
    """The longest that was counted, whichever target's."""

    prompt_tokens: int = 0  # cached ones counted
    completion_tokens: int = 0


class PlainSum:
    """Of calls at one price by prompt and output, in whole numbers of the least part of a dollar that it has: exact, and quick."""

    def __init__(self, price: TokenPrice) -> None:
        rates = exact(price.input), exact(price.output)
        self._digits = max(0, *(-int(rate.as_tuple().exponent) for rate in rates))
        self._input, self._output = (int(rate.scaleb(self._digits)) for rate in rates)
        self._sum = self._dearest = 0

    def add(self, prompt: int, completion: int) -> None:
        parts = prompt * self._input + completion * self._output
        self._sum += parts
        if parts > self._dearest:
            self._dearest = parts

    @property
    def usd(self) -> decimal.Decimal:
        return self._usd(self._sum)

    @property
    def dearest_usd(self) -> decimal.Decimal:
        """Of one call."""
        return self._usd(self._dearest)

    def _usd(self, parts: int) -> decimal.Decimal:
        return decimal.Decimal(parts).scaleb(-self._digits - 3)  # rates are of 1,000 tokens


class TokenSpend:
    """Of one target. limit: the most output tokens that it is asked for, 0 where it has no limit."""

    def __init__(self, price: TokenPrice, limit: int, seen: Seen) -> None:
        self._price, self._limit, self._seen = price, limit, seen
        self._plain = None if price.steps or price.units else PlainSum(price)
        self._sum = NOTHING  # of all others that is known
        self._dearest = NOTHING  # of one of these calls, as far as it is known
        self._most_completion = 0  # of one call, billed
        self._unmeasured, self._their_completion = 0, 0  # calls of which too little is known
        self._uncounted = 0  # calls whose units are not known
        self._caches = False  # whether a call read from one, or wrote to it
        self._unguarded = 0  # calls of which no guardrail's units are known
        self._most_units = 1.0 if "query" in price.units else 0.0
        self._most_guardrail: dict[str, int] = {}
        self._needs_count = bool(price.units.keys() - {"query"})
        self._blind = False  # whether a call that worked came without a count of its units
        self.recent_s: collections.deque[float] = collections.deque(maxlen=RECENT)  # latencies of the last billed calls

    def take(self, record: Arrived) -> None:
        """One more record, billed at the upper end of what the report will say. Only what was refused before any output
        came is free; the count of a stream that broke off may have grown after the break."""
        if self._plain and _is_plain(record):
            return self._take_plain(self._plain, record)
        began, usage = record.ttft_ms is not None, self._note(usage_of(record))
        if record.error in UNBILLED and not began:
            return
        self.recent_s.append(record.latency_ms / 1000)
        completion, whole = usage.completion_tokens, usage.whole_prompt
        rates = self._price.rates(whole)
        self._blind |= self._needs_count and record.error is None and usage.units is None
        vague = record.error and self._vague(usage, rates)  # the report takes it as the dearest call
        if completion is None or (record.error and (began or vague)):
            completion = max(completion or 0, self._limit or self._seen.completion_tokens)
        self._most_completion = max(self._most_completion, completion)
        counts_units, self._unguarded = bool(self._price.units), self._unguarded + (record.guardrail_units is None)
        if whole is None or vague:
            self._unmeasured += 1
            self._their_completion += completion
            self._uncounted += counts_units
            usage = Usage(0, 0, units=0.0, guardrail=usage.guardrail)
        else:
            self._uncounted += counts_units and usage.units is None
            usage = usage._replace(completion_tokens=completion, units=usage.units or 0.0)
        usd = _usd(at_most(usage, rates), self._price, rates)
        self._sum += usd
        self._dearest = max(self._dearest, usd)

    def _take_plain(self, plain: "PlainSum", record: Arrived) -> None:
        """As most are, for a fraction of the rest's time."""
        prompt, completion, seen = record.prompt_tokens or 0, record.completion_tokens or 0, self._seen
        if prompt > seen.prompt_tokens:
            seen.prompt_tokens = prompt
        if completion > seen.completion_tokens:
            seen.completion_tokens = completion
        if completion > self._most_completion:
            self._most_completion = completion
        self._unguarded += 1
        self.recent_s.append(record.latency_ms / 1000)
        plain.add(prompt, completion)

    def _note(self, usage: Usage) -> Usage:
        """Its counts are among those that unknown ones are taken at; with the guardrail's units that have a price."""
        seen = self._seen
        seen.prompt_tokens = max(seen.prompt_tokens, usage.whole_prompt or 0)
        seen.completion_tokens = max(seen.completion_tokens, usage.completion_tokens or 0)
        self._caches |= bool(usage.cache_read_tokens or usage.cache_write_tokens)
        self._most_units = max(self._most_units, usage.units or 0.0)
        if not usage.guardrail:  # nearly every one
            return usage
        guardrail = {policy: n for policy, n in usage.guardrail.items() if policy in self._price.guardrail}
        for policy, units in guardrail.items():
            self._most_guardrail[policy] = max(units, self._most_guardrail.get(policy, 0))
        return usage._replace(guardrail=guardrail)

    def _vague(self, usage: Usage, rates: Rates) -> bool:
        """Whether its units, or the price of a kind of its tokens, are not known."""
        unpriced = at_most(usage, rates).prompt_tokens != (usage.prompt_tokens or 0)
        return unpriced or (usage.units is None and self._needs_count)

    @property
    def blind(self) -> bool:
        """Whether units are billed that no call has counted: nothing says what they may be at most."""
        return self._blind and not self._most_units

    def usd(self) -> float:
        """Accrued so far."""
        known, longest = self._sum + (self._plain.usd if self._plain else NOTHING), self._seen.prompt_tokens
        if self._unmeasured:  # as the longest, in case all of it was written to a cache, at the dearest step
            rates = self._price.dearest(None)
            prompts = Usage(longest * self._unmeasured, self._their_completion, units=0.0)
            known += _usd(prompts, self._price, rates.model_copy(update={"input": _dearest_prompt(rates)}))
        return float(known + self._units_usd(self._uncounted, self._unguarded))

    def _units_usd(self, uncounted: int, unguarded: int) -> decimal.Decimal:
        """Of calls whose units are not known."""
        guardrail = {policy: units * unguarded for policy, units in self._most_guardrail.items()}
        return _usd(Usage(0, 0, units=self._most_units * uncounted, guardrail=guardrail), self._price, self._price)

    def dearest_usd(self, to_send: float = 0.0, grown: float = 0.0) -> float:
        """What one call may cost: as the dearest so far, or with the longest prompt, all of it written to a cache if one is in
        use, the longest answer and the most units. The longest is one of `to_send` tokens where that reaches a price step which
        none has yet, and no less than `grown`, of a conversation that goes on."""
        longest = max(self._seen.prompt_tokens, math.ceil(grown))
        if any(longest <= step.above < to_send for step in self._price.steps):
            longest = math.ceil(to_send)
        rates = self._price.dearest(longest)
        if self._caches:
            rates = rates.model_copy(update={"input": _dearest_prompt(rates)})
        most = _usd(Usage(longest, self._most_completion, units=0.0), self._price, rates)
        units = self._units_usd(int(bool(self._price.units)), 1)
        dearest = max(self._dearest, self._plain.dearest_usd if self._plain else NOTHING)
        return float(max(dearest, most + units)) if self.recent_s else 0.0


def _is_plain(record: Arrived) -> bool:
    """It worked, and is billed by its prompt and its output alone."""
    return (
        record.error is None
        and record.prompt_tokens is not None
        and record.completion_tokens is not None
        and not record.cache_read_tokens
        and not record.cache_write_tokens
        and record.billed_units is None
        and record.guardrail_units is None
    )


def _dearest_prompt(rates: Rates) -> float:
    """USD per 1,000 tokens of the dearest kind that a prompt's tokens may be."""
    return max(usd for kind, usd in rates if kind != "output" and usd is not None)


def _usd(usage: Usage, price: TokenPrice, rates: Rates) -> decimal.Decimal:
    """Of a usage of which all is known and has a price."""
    found = charge(usage, price, rates=rates).usd
    assert found is not None
    return found
