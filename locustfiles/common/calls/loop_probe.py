"""How well this process keeps up: the event loop's lag, and its CPU over a measured window."""

import contextlib
import time
import typing

from gevent.hub import get_hub

from locustfiles.common.transport.exchange import Exchange

EVERY_S = 0.01
GAP_S = 1.0  # a loop that is called so late stood still: its process was paused, or kept from running
MOST_GAPS = 1000
LATELY_S = 1.0  # the span of a reading for those who watch


class Probe:
    """A timer that notes how late it is called, for every exchange under way and for the window."""

    def __init__(self) -> None:
        self._exchanges: dict[int, Exchange] = {}
        self._worst_s = 0.0
        self._began = (time.perf_counter(), time.process_time())
        self._lately_began, self._lately_worst_s = self._began, 0.0
        self._lately: dict[str, float] = {}  # the last whole span's
        self._probed = time.perf_counter()
        self.gaps: list[tuple[float, float]] = []  # perf_counter seconds, since the process began
        self._timer = get_hub().loop.timer(EVERY_S, EVERY_S)
        self._timer.start(self._measure)

    def _measure(self) -> None:
        now = time.perf_counter()
        lag = now - self._probed - EVERY_S
        if lag > GAP_S and len(self.gaps) < MOST_GAPS:
            self.gaps.append((self._probed, now))
        self._probed = now
        if lag > self._worst_s:
            self._worst_s = lag
        if lag > self._lately_worst_s:
            self._lately_worst_s = lag
        if now - self._lately_began[0] >= LATELY_S:
            self._read_lately(now)
        for exchange in self._exchanges.values():
            if lag > exchange.lag_s:
                exchange.lag_s = lag

    def end(self) -> None:
        self._timer.stop()

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
