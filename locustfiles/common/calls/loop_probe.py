"""How well this process keeps up: the event loop's lag, and its CPU over a measured window."""

import contextlib
import os
import time
import typing

from gevent.hub import get_hub

from locustfiles.common.transport.exchange import Exchange

EVERY_S = 0.01
CALM_EVERY_S = 0.04  # each wake-up costs an idle process 50 µs
CALM_CPU, CALM_LAG_S = 0.1, 0.004  # in the last second: less was used of a core, and nothing was later
BURST_S = 0.005  # CPU of one's own between two looks, that may have been in one piece
GAP_S = 1.0  # a loop that is called so late stood still: its process was paused, or kept from running
MOST_GAPS = 1000
LATELY_S = 1.0  # the span of a reading for those who watch


class _Spent(typing.NamedTuple):
    """Of this process, s: CPU that it used, and how long it was ready to run and waited for one."""

    used: float
    waited: float


class Probe:
    """A timer that notes how late it is called, for every exchange under way and for the window.

    After a calm second it is due four times more seldom. What comes between two calls is then taken from the kernel: a wait for a
    CPU, or a burst of work, counts as lag in full, so that no more of it is missed than by the quick timer. The first lateness has
    the timer quick again; so has load. Where the kernel does not tell (it is not Linux) it is always quick.
    """

    def __init__(self) -> None:
        self._exchanges: dict[int, Exchange] = {}
        self._worst_s = 0.0
        self._began = (time.perf_counter(), time.process_time())
        self._lately_began, self._lately_worst_s = self._began, 0.0
        self._lately: dict[str, float] = {}  # the last whole span's
        self._probed, self._every_s = time.perf_counter(), EVERY_S
        self.gaps: list[tuple[float, float]] = []  # perf_counter seconds, since the process began
        self._schedstat = _opened("/proc/self/schedstat")
        self._spent = _Spent(0.0, 0.0)  # at the last look of a calm time
        self._timer = get_hub().loop.timer(EVERY_S, EVERY_S)
        self._timer.start(self._measure)

    def _look_every(self, seconds: float) -> None:
        if seconds == self._every_s or self._schedstat is None:
            return
        self._every_s, self._spent = seconds, self._spends()
        self._timer.stop()
        self._timer.close()
        self._timer = get_hub().loop.timer(seconds, seconds)
        self._timer.start(self._measure, update=True)

    def _spends(self) -> _Spent:
        told = b"" if self._schedstat is None else os.pread(self._schedstat, 100, 0)
        return _Spent(time.process_time(), int(told.split()[1]) / 1e9 if told else 0.0)

    def _unseen_s(self) -> float:
        """The lag that a seldom timer may have missed, at most."""
        before, self._spent = self._spent, self._spends()
        burst = self._spent.used - before.used
        return max(self._spent.waited - before.waited, burst if burst > BURST_S else 0.0)

    def _measure(self) -> None:
        now = time.perf_counter()
        lag = now - self._probed - self._every_s
        if lag > GAP_S and len(self.gaps) < MOST_GAPS:
            self.gaps.append((self._probed, now))
        self._probed = now
        if self._every_s != EVERY_S:
            lag = max(lag, self._unseen_s())
        if lag > self._worst_s:
            self._worst_s = lag
        if lag > self._lately_worst_s:
            self._lately_worst_s = lag
        if now - self._lately_began[0] >= LATELY_S:
            self._read_lately(now)
        elif lag > CALM_LAG_S:
            self._look_every(EVERY_S)
        for exchange in self._exchanges.values():
            if lag > exchange.lag_s:
                exchange.lag_s = lag

    def end(self) -> None:
        self._timer.stop()
        if self._schedstat is not None:
            os.close(self._schedstat)
            self._schedstat = None

    @property
    def count(self) -> int:
        """Requests in flight."""
        return len(self._exchanges)

    @contextlib.contextmanager
    def watch(self, exchange: Exchange) -> typing.Iterator[None]:
        """The loop's worst lag meanwhile goes to `exchange.lag_s`."""
        self.enter(exchange)
        try:
            yield
        finally:
            self.leave(exchange)

    def enter(self, exchange: Exchange) -> None:
        """What `watch` does, in two parts: for each call a generator would be made."""
        self._exchanges[id(exchange)] = exchange

    def leave(self, exchange: Exchange) -> None:
        del self._exchanges[id(exchange)]

    def _read_lately(self, now: float) -> None:
        began, self._lately_began = self._lately_began, (now, time.process_time())
        cpu = (self._lately_began[1] - began[1]) / (now - began[0])
        calm = cpu < CALM_CPU and self._lately_worst_s < CALM_LAG_S
        self._look_every(CALM_EVERY_S if calm else EVERY_S)
        self._lately, self._lately_worst_s = {"cpu": cpu, "lag_ms": self._lately_worst_s * 1000}, 0.0

    def lately(self) -> dict[str, float]:
        """How the process does, for those who watch: `in_flight` requests; `cpu` and `lag_ms` as `read` has them, of the last
        whole LATELY_S whoever asks, and how often. A window's own readings are not touched."""
        return {"in_flight": self.count, **self._lately}

    def begin(self) -> None:
        """The measured window begins."""
        self._measure()  # a lateness that no timer has told yet belongs to what was before
        self._worst_s = 0.0
        self._began = (time.perf_counter(), time.process_time())

    def read(self) -> dict[str, float]:
        """Since `begin`: `cpu`, this process's share of one core, and `lag_ms`, the loop's worst lag."""
        self._measure()
        wall, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        return {"cpu": cpu / wall if wall > 0 else 0.0, "lag_ms": self._worst_s * 1000}


def _opened(path: str) -> int | None:
    """Of a file of the kernel's that tells something: kernels that do not count write zeros."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    if os.pread(descriptor, 100, 0)[:2].strip(b"0 "):
        return descriptor
    os.close(descriptor)
    return None
