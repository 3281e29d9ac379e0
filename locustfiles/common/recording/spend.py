"""What a run has cost so far, for its budget: never less than it will turn out to be."""

import logging
import math
import statistics

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.arrived import Arrived
from locustfiles.common.recording.hour_spend import HourSpend
from locustfiles.common.recording.routed_spend import RoutedSpend
from locustfiles.common.recording.to_send import ToSend
from locustfiles.common.recording.token_spend import Seen, TokenSpend
from locustfiles.contract.prices.guards import price_words
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice

log = logging.getLogger("swarmledger")
Load = tuple[str, str | None]  # target, and the payload that it is sent; None: any of its own


class Spend:
    """Accrues what calls are billed as records arrive, and hourly prices over the time that a target is under load."""

    def __init__(self, inputs: Inputs, clock: Clock) -> None:
        self._inputs, self._clock = inputs, clock
        self._seen, self._to_send = Seen(), ToSend(inputs)
        self._by_token: dict[str, RoutedSpend] = {}  # target -> what its calls are billed
        self._longest_s = 0.0  # of one call
        self._hours = HourSpend()
        self._by_hour = any(isinstance(price, HourlyPrice) for price in inputs.prices.values())
        self._loads: tuple[Load, ...] = ()  # what is under load: of a mix each part

    def take(self, record: Arrived) -> None:
        """One more record."""
        latency_s = record.latency_ms / 1000
        if latency_s > self._longest_s:
            self._longest_s = latency_s
        if self._by_hour:
            self._hours.took(record.target, record.started_at, latency_s, self._clock.now())
        if spend := self._by_token.get(record.target) or self._spend_of(record.target):
            self._to_send.note(record)
            spend.take(record)

    def _spend_of(self, target_name: str) -> RoutedSpend | None:
        """None where a target is not billed by the call."""
        price = self._inputs.prices.get(target_name)
        if not isinstance(price, TokenPrice):
            return None
        if target_name not in self._by_token:
            limit = self._inputs.most_tokens(self._inputs.scenario.target(target_name)) or 0
            self._by_token[target_name] = RoutedSpend(
                price,
                lambda price: TokenSpend(price, limit, self._seen),
                lambda model: self._price_of(target_name, model),
            )
        return self._by_token[target_name]

    def _price_of(self, target_name: str, model: str) -> TokenPrice | None:
        """Of the model that a router chose, which is said once."""
        found = self._inputs.price_of_model(model)
        if self._inputs.scenario.budget_usd is not None:
            how = (
                f"the dearer of {price_words(found)} and its own price"
                if found
                else "its own price, for no other is known"
            )
            log.info("target `%s`: its router chose `%s`; the budget counts such calls by %s", target_name, model, how)
        return found

    def load_begins(self, *loads: Load) -> None:
        """Several: at the same time."""
        self._loads = loads
        self._hours.together = frozenset(target for target, _ in loads)
        self._load_goes_on()

    def load_ends(self) -> None:
        self._load_goes_on()
        self._loads = ()

    def _load_goes_on(self) -> None:
        now = self._clock.now()
        for target, _ in self._loads:
            self._hours.under_load(target, now, now)

    @property
    def blind(self) -> str | None:
        """A target whose calls are billed by what nobody counts: no sum holds."""
        return next((name for name, spend in self._by_token.items() if spend.blind), None)

    def usd(self) -> float:
        """Accrued so far."""
        self._load_goes_on()
        hourly = (
            price.usd_per_hour_in_all * self._hours.seconds(target) / 3600
            for target, price in self._inputs.prices.items()
            if isinstance(price, HourlyPrice)
        )
        return sum(spend.usd() for spend in self._by_token.values()) + sum(hourly)

    def to_come_usd(self, users: int, rate: float | None, unseen_s: float, dispersion: float = 1.0) -> float:
        """What stopping now still costs: the calls in flight, those of the last `unseen_s`, of which no record has come, and
        the drain's time. A call counts as the dearest so far, or as one with the longest line that may be sent, at its price
        step, or as a conversation's last turn; twice as many as are due may be in flight in the open loop, more where arrivals
        disperse more than a Poisson process."""
        prices = {target: self._inputs.prices.get(target) for target, _ in self._loads}
        hourly = sum(price.usd_per_hour_in_all for price in prices.values() if isinstance(price, HourlyPrice))
        hours_usd = hourly * self._longest_s / 3600
        by_call = [load for load in self._loads if not isinstance(prices[load[0]], HourlyPrice)]
        if self._loads and not by_call:
            return hours_usd
        longest = max((self._to_send.longest(*load) for load in by_call), default=0.0)
        grown = max((self._to_send.grown(*load) for load in by_call), default=0.0)
        dearest_usd = max((each.dearest_usd(longest, grown) for each in self._by_token.values()), default=0.0)
        recent = [spend.recent_s for target, _ in by_call if (spend := self._by_token.get(target)) and spend.recent_s]
        if not users or not recent:
            return hours_usd + users * dearest_usd
        # calls a second that so many users can make
        at_most = users / max(min(map(statistics.fmean, recent)), 0.001)
        if rate is None:
            return hours_usd + (users + at_most * unseen_s) * dearest_usd
        rate *= max(self._to_send.turns(*load) for load in by_call)
        swell, at_once = math.sqrt(max(1.0, dispersion)), max(1.0, dispersion)
        in_flight = min(users, at_once + 2 * swell * rate * self._longest_s)
        unseen = min(2 * swell * rate * unseen_s + at_once - 1, at_most * unseen_s)
        return hours_usd + (in_flight + unseen) * dearest_usd
