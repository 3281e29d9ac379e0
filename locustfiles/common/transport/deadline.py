"""When an exchange must have ended: one timer a connection, which runs on from one exchange to the next."""

import collections.abc
import time

from gevent.hub import get_hub


class Deadline:
    """`passed` is called when it has. Times are perf_counter seconds."""

    def __init__(self, passed: collections.abc.Callable[[], None]) -> None:
        self._passed = passed
        self._at: float | None = None
        self._called_at = 0.0  # by the timer, once it is started
        self._timer = get_hub().loop.timer(0.0)

    def set(self, at: float) -> None:
        """The timer is started anew only where it would come too late, or has come."""
        self._at = at
        if not self._timer.active or at < self._called_at:
            self._start(at)

    def _start(self, at: float) -> None:
        self._timer.close()
        self._called_at = at
        self._timer = get_hub().loop.timer(max(0.0, at - time.perf_counter()))
        # `update`: from now, not from the loop's cached time, which is older by all that ran since it woke
        self._timer.start(self._look, update=True)

    def _look(self) -> None:
        if self._at is None:
            return
        if time.perf_counter() < self._at:
            self._start(self._at)
        else:
            self._passed()

    def clear(self) -> None:
        self._at = None

    def close(self) -> None:
        self._timer.close()
