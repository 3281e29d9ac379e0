"""Wake-ups at exact times. The event loop's own timers are rounded up to a millisecond; on Linux a timerfd is not.

Times are seconds of CLOCK_MONOTONIC, as `time.perf_counter` gives them on Linux and the event loop everywhere.
"""

import contextlib
import ctypes
import heapq
import itertools
import os
import sys
import time
from collections.abc import Callable

_CLOCK_MONOTONIC, _ABSOLUTE = 1, 1
_REST_S = 0.0005  # between two wake-ups, so that a busy clock does several callbacks at each
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)


class TimerfdClock:
    """All wake-ups on one timer of the kernel."""

    def __init__(self, loop):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._spec = (ctypes.c_long * 4)()  # interval s, ns; value s, ns
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._armed: float | None = None
        self._loop = loop
        loop.add_reader(self._fd, self._fire)

    def at(self, due: float, callback: Callable[[], None]) -> None:
        """Call `callback()` at `due`, or as soon as possible after it. There is no cancelling: let the callback
        look."""
        heapq.heappush(self._heap, (due, next(self._order), callback))
        if self._armed is None or due < self._armed:
            self._arm(due)

    def catch_up(self) -> None:
        """Call back what is due, where a turn of the loop takes long: between two of many requests that came at once."""
        if self._armed == 0.0 or not self._heap or self._heap[0][0] > time.perf_counter():  # 0: it is doing so
            return
        try:
            self._fire()
        except Exception as e:  # not the caller's
            self._loop.call_exception_handler({"message": "a callback of the clock failed", "exception": e})

    def _arm(self, due: float) -> None:
        self._armed = due
        due = max(due, 1e-9)  # zero would disarm
        self._spec[2], self._spec[3] = int(due), max(1, int((due % 1) * 1e9))
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, self._spec, None)

    def _fire(self) -> None:
        heap, now = self._heap, time.perf_counter()
        self._armed = 0.0  # nothing is earlier: the timer is set once, after the callbacks
        try:
            while heap and heap[0][0] <= now:
                heapq.heappop(heap)[2]()
        finally:  # one that raises does not stop the others
            self._armed = None
            if heap:  # which also takes back that it rang
                self._arm(max(heap[0][0], time.perf_counter() + _REST_S))
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._fd, 8)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)


class LoopClock:
    """The same on the event loop's timers, where there is no timerfd."""

    def __init__(self, loop):
        self._loop = loop

    def at(self, due: float, callback: Callable[[], None]) -> None:
        self._loop.call_at(due, callback)

    def catch_up(self) -> None:
        pass

    def close(self) -> None:
        pass


def clock(loop) -> TimerfdClock | LoopClock:
    return TimerfdClock(loop) if sys.platform == "linux" else LoopClock(loop)
