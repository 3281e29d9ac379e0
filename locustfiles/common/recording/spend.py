"""What a run has cost so far, for its budget: never less than it will turn out to be."""

import statistics

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.arrived import Arrived
from locustfiles.common.recording.token_spend import Seen, TokenSpend
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice


class Spend:
    """Accrues what calls are billed as records arrive, and hourly prices over the time that a target is under load."""

    def __init__(self, inputs: Inputs, clock: Clock) -> None:
        self._inputs, self._clock = inputs, clock
        self._seen = Seen()
        self._by_token: dict[str, TokenSpend] = {}  # target -> what its calls are billed
        self._longest_s = 0.0  # of one call
        self._seconds: dict[str, float] = {}  # target -> under load in spells that are over
        self._loaded: tuple[str, float] | None = None  # target under load, since when

    def take(self, record: Arrived) -> None:
        """One more record."""
        self._longest_s = max(self._longest_s, record.latency_ms / 1000)
        if spend := self._spend_of(record.target):
            spend.take(record)

    def _spend_of(self, target_name: str) -> TokenSpend | None:
        """None where a target is not billed by the call."""
        price = self._inputs.prices.get(target_name)
        if not isinstance(price, TokenPrice):
            return None
        if target_name not in self._by_token:
            target = self._inputs.scenario.target(target_name)
            limit = self._inputs.most_tokens(target) or 0
            self._by_token[target_name] = TokenSpend(price, limit, self._seen)
        return self._by_token[target_name]

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
        return sum(spend.usd() for spend in self._by_token.values()) + sum(hourly)

    def to_come_usd(self, users: int, rate: float | None, unseen_s: float) -> float:
        """What stopping now still costs: the calls in flight, those of the last `unseen_s`, of which no record has come, and
        the drain's time. A call counts as the dearest so far; twice as many as are due may be in flight in the open loop."""
        target = self._loaded[0] if self._loaded else ""
        price, spend = self._inputs.prices.get(target), self._by_token.get(target)
        if isinstance(price, HourlyPrice):
            return price.usd_per_hour_in_all * self._longest_s / 3600
        dearest_usd = max((each.dearest_usd() for each in self._by_token.values()), default=0.0)
        if not users or not spend or not spend.recent_s:
            return users * dearest_usd
        at_most = users / max(statistics.fmean(spend.recent_s), 0.001)  # calls a second that so many users can make
        if rate is None:
            return (users + at_most * unseen_s) * dearest_usd
        in_flight = min(users, 1 + 2 * rate * self._longest_s)
        return (in_flight + min(2 * rate, at_most) * unseen_s) * dearest_usd
