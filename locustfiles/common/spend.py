"""What a run has cost so far, for its budget: never less than it will turn out to be."""

from locustfiles.common.clock import Clock
from locustfiles.common.collect import Row, cell
from locustfiles.common.errors import UNBILLED
from locustfiles.common.inputs import Inputs
from locustfiles.common.price_book import HourlyPrice, TokenPrice


def _count(row: Row, field: str) -> int | None:
    text = cell(row, field)
    return int(text) if text else None


class Spend:
    """Accrues billed tokens as records arrive, and hourly prices over the time that a target is under load."""

    def __init__(self, inputs: Inputs, clock: Clock) -> None:
        self._inputs, self._clock = inputs, clock
        self._token_usd = 0.0
        self._dearest_usd = 0.0  # of one call
        self._longest_s = 0.0  # of one call
        self._most_prompt_tokens = 0
        self._seconds: dict[str, float] = {}  # target -> under load in spells that are over
        self._loaded: tuple[str, float] | None = None  # target under load, since when

    def take(self, row: Row) -> None:
        """One more record. Unknown tokens count as the most they can be: the prompt and max_tokens."""
        self._longest_s = max(self._longest_s, float(cell(row, "latency_ms")) / 1000)
        price = self._inputs.prices[cell(row, "target")]
        if not isinstance(price, TokenPrice) or cell(row, "error") in UNBILLED:
            return
        prompt, completion = _count(row, "prompt_tokens"), _count(row, "completion_tokens")
        self._most_prompt_tokens = max(self._most_prompt_tokens, prompt or 0)
        usd = price.usd(prompt, completion, _count(row, "cache_read_tokens"), _count(row, "cache_write_tokens"))
        if usd is None:
            most = self._inputs.scenario.target(cell(row, "target")).parameters.get("max_tokens", 0)
            usd = price.usd(prompt or self._most_prompt_tokens, completion if completion is not None else most)
        self._token_usd += usd
        self._dearest_usd = max(self._dearest_usd, usd)

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
        return self._token_usd + sum(hourly)

    def to_come_usd(self, users: int, rate: float | None) -> float:
        """What stopping now still costs: a call of every user in flight (open loop: of those begun within the longest
        call's time), one each not reported yet, the drain's time."""
        price = self._inputs.prices[self._loaded[0]] if self._loaded else None
        if isinstance(price, HourlyPrice):
            return price.usd_per_hour_in_all * self._longest_s / 3600
        at_once = users if rate is None else min(users, 1 + rate * (1 + self._longest_s))
        return 2 * at_once * self._dearest_usd
