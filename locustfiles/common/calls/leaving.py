"""Clients that leave on purpose: which requests, and when."""

import collections.abc
import functools

from locustfiles.common.dialects.request import Body
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.shuffled_blocks import ShuffledBlocks
from locustfiles.common.transport.exchange import Exchange
from locustfiles.contract.scenario.cancels import Cancel


class Leaving:
    """Of one process. Of every block of its streamed requests exactly the share is left."""

    def __init__(self, cancel: Cancel | None) -> None:
        self._cancel = cancel
        self.seed_text: collections.abc.Callable[[], str] = lambda: ""
        self._draws: ShuffledBlocks | None = None

    def draw(self) -> bool:
        """Whether the client of the next request leaves."""
        if self._cancel is None:
            return False
        if self._draws is None:
            self._draws = ShuffledBlocks(self._cancel.counts, f"{self.seed_text()}/cancel")
        return bool(next(self._draws))

    def prepare(self, exchange: Exchange, body: Body) -> None:
        """An exchange that its client will leave, if it goes on until then."""
        if self._cancel is not None and self._cancel.after_s is not None:
            exchange.leave_after_s = self._cancel.after_s
        else:
            exchange.leaves = functools.partial(_has_output, body, exchange)


def _has_output(body: Body, exchange: Exchange) -> bool:
    """Whether the first token of what has come so far is there: it is read for such a request alone, and as it arrives."""
    if exchange.status is None:
        return False
    return parse_answer(body, exchange.status, exchange.headers, exchange.chunks, False).first_output is not None
