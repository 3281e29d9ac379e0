"""What one target's calls are billed at most, where a prompt router may choose the model, and with it the price."""

import collections.abc

from locustfiles.common.recording.arrived import Arrived
from locustfiles.common.recording.token_spend import TokenSpend
from locustfiles.contract.prices.price import TokenPrice


class RoutedSpend:
    """Calls that one model answered count by the dearer of its price, where that is known, and of the target's own. One that
    names no model is taken to be the dearest's."""

    def __init__(
        self,
        price: TokenPrice,
        spend: collections.abc.Callable[[TokenPrice], TokenSpend],
        price_of: collections.abc.Callable[[str], TokenPrice | None],
    ) -> None:
        """price_of: a model's price by its id, None where it is not known."""
        self._price, self._spend, self._price_of = price, spend, price_of
        self._of_model: dict[str | None, list[TokenSpend]] = {None: [spend(price)]}  # by each price that may hold

    def take(self, record: Arrived) -> None:
        """One more record."""
        model = record.invoked_model
        if model is None and len(self._of_model) > 1:
            model = max(self._of_model, key=lambda each: _dearest_usd(self._of_model[each], 0.0))
        if model not in self._of_model:
            self._of_model[model] = [self._spend(price) for price in self._prices(model)]
        for spend in self._of_model[model]:
            spend.take(record)

    def _prices(self, model: str | None) -> list[TokenPrice]:
        found = self._price_of(model) if model else None
        if found is None:
            return [self._price]
        return [self._price, found.model_copy(update={"guardrail": self._price.guardrail or found.guardrail})]

    @property
    def recent_s(self) -> list[float]:
        """Latencies of the last billed calls."""
        return [s for spends in self._of_model.values() for s in spends[0].recent_s]

    @property
    def blind(self) -> bool:
        """Whether calls are billed by what nobody counts, by the target's own price."""
        return any(spends[0].blind for spends in self._of_model.values())

    def usd(self) -> float:
        """Accrued so far."""
        return sum(max(spend.usd() for spend in spends) for spends in self._of_model.values())

    def dearest_usd(self, longest: float, grown: float = 0.0) -> float:
        """What one call may cost whose prompt has up to so many tokens; grown: of a conversation's."""
        return max(_dearest_usd(spends, longest, grown) for spends in self._of_model.values())


def _dearest_usd(spends: list[TokenSpend], longest: float, grown: float = 0.0) -> float:
    return max(spend.dearest_usd(longest, grown) for spend in spends)
