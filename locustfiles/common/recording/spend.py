"""What a run has cost so far, for its budget: never less than it will turn out to be."""

import collections
import statistics

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.arrived import Arrived
from locustfiles.contract.error_classes import UNBILLED
from locustfiles.contract.prices.charge import charge, usage_of
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice

RECENT = 50  # calls whose mean latency says how many a second there are


class Spend:
    """Accrues billed tokens as records arrive, and hourly prices over the time that a target is under load."""

    def __init__(self, inputs: Inputs, clock: Clock) -> None:
        self._inputs, self._clock = inputs, clock
        self._token_usd = 0.0
        self._unknown_prompts = 0.0  # USD per 1,000 tokens of all calls' prompts of unknown length
        self._dearest_usd = 0.0  # of one call
        self._longest_s = 0.0  # of one call
        self._most_prompt_tokens = 0
        self._most_completion_tokens = 0
        self._limits: dict[str, int] = {}  # target -> the most output tokens that it is asked for
        self._recent_s: dict[str, collections.deque[float]] = {}  # target -> latencies of its last billed calls
        self._seconds: dict[str, float] = {}  # target -> under load in spells that are over
        self._loaded: tuple[str, float] | None = None  # target under load, since when

    def take(self, record: Arrived) -> None:
        """One more record, billed at the upper end of what the report will say: unknown tokens, and those of a stream that
        broke off, are the most that they can be. Only what was refused before any output came is free."""
        latency_s, price, began = (
            record.latency_ms / 1000,
            self._inputs.prices[record.target],
            record.ttft_ms is not None,
        )
        self._longest_s = max(self._longest_s, latency_s)
        if not isinstance(price, TokenPrice) or (record.error in UNBILLED and not began):
            return
        self._recent_s.setdefault(record.target, collections.deque(maxlen=RECENT)).append(latency_s)
        completion = record.completion_tokens
        self._most_completion_tokens = max(self._most_completion_tokens, completion or 0)
        if completion is None or (record.error and began):  # its count may have grown after the break
            completion = max(completion or 0, self._most_tokens(record.target))
        output = completion / 1000 * price.output
        usd = output + self._prompt_usd(record, price)
        self._token_usd += usd
        self._dearest_usd = max(self._dearest_usd, usd, output + self._most_prompt_tokens / 1000 * price.input)

    def _prompt_usd(self, record: Arrived, price: TokenPrice) -> float:
        """A prompt of unknown length counts, in `usd`, as the longest so far, in case all of it was written to a cache.
        Where cached tokens have no price, they count as others."""
        prompt, read, write = record.prompt_tokens, record.cache_read_tokens, record.cache_write_tokens
        if prompt is None:
            self._unknown_prompts += max(price.input, price.cache_write or 0.0)
            return 0.0
        whole = prompt + (read or 0) + (write or 0)
        self._most_prompt_tokens = max(self._most_prompt_tokens, whole)
        usd = charge(usage_of(record)._replace(completion_tokens=0), price).usd
        return whole / 1000 * price.rates(whole).input if usd is None else float(usd)

    def _most_tokens(self, target_name: str) -> int:
        """The most output tokens that any call of a target asks for; without a limit, the most seen."""
        if target_name not in self._limits:
            self._limits[target_name] = self._inputs.most_tokens(self._inputs.scenario.target(target_name)) or 0
        return self._limits[target_name] or self._most_completion_tokens

    def load_begins(self, target: str) -> None:
        self._loaded = (target, self._clock.now())

    def load_ends(self) -> None:
        if self._loaded:
            target, since = self._loaded
            self._seconds[target] = self._seconds.get(target, 0.0) + self._clock.now() - since
            self._loaded = None

    def usd(self) -> float:
        """Accrued so far."""
        seconds = dict(self._seconds)
        if self._loaded:
            target, since = self._loaded
            seconds[target] = seconds.get(target, 0.0) + self._clock.now() - since
        hourly = (
            price.usd_per_hour_in_all * seconds.get(target, 0.0) / 3600
            for target, price in self._inputs.prices.items()
            if isinstance(price, HourlyPrice)
        )
        return self._token_usd + self._unknown_prompts * self._most_prompt_tokens / 1000 + sum(hourly)

    def to_come_usd(self, users: int, rate: float | None, unseen_s: float) -> float:
        """What stopping now still costs: the calls in flight, those of the last `unseen_s`, of which no record has come, and
        the drain's time. A call counts as the dearest so far; twice as many as are due may be in flight in the open loop."""
        target = self._loaded[0] if self._loaded else ""
        price = self._inputs.prices.get(target)
        if isinstance(price, HourlyPrice):
            return price.usd_per_hour_in_all * self._longest_s / 3600
        recent = self._recent_s.get(target)
        if not users or not recent:
            return users * self._dearest_usd
        at_most = users / max(statistics.fmean(recent), 0.001)  # calls a second that so many users can make
        if rate is None:
            return (users + at_most * unseen_s) * self._dearest_usd
        in_flight = min(users, 1 + 2 * rate * self._longest_s)
        return (in_flight + min(2 * rate, at_most) * unseen_s) * self._dearest_usd
