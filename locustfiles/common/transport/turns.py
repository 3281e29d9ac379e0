"""Greenlets whose answers have ended go on one by one, each when no socket has anything to be read: what reads one answer keeps
no other from being stamped.
"""

import collections
import select
import time

from gevent.hub import Waiter, get_hub
from gevent.monkey import get_original

LATEST_S = (
    0.02  # an answer that has waited for so long is read when the next one ends, whatever there is to be received
)


class Turns:
    """Of one event loop."""

    def __init__(self) -> None:
        self._loop = get_hub().loop
        self._sockets = get_original("select", "poll")()  # gevent's own would wait in this loop
        self._sockets.register(self._loop.fileno(), select.POLLIN)  # readable when one that is watched has an event
        self._idle = self._loop.idle()
        self._waiting: collections.deque[tuple[float, Waiter]] = collections.deque()

    def take(self, waiter: Waiter) -> None:
        """Switch to who waits, later."""
        now = time.perf_counter()
        self._waiting.append((now, waiter))
        if self._waiting[0][0] < now - LATEST_S:
            self._loop.run_callback(self._waiting.popleft()[1].switch, None)
        elif len(self._waiting) == 1:
            self._loop.run_callback(self._go_on)

    def _go_on(self) -> None:
        """As far as there is nothing to be read; else again once the loop has nothing else to do."""
        while self._waiting and not self._sockets.poll(0):
            self._waiting.popleft()[1].switch(None)
        if not self._waiting:
            self._idle.stop()
        elif not self._idle.active:
            self._idle.start(self._go_on)
