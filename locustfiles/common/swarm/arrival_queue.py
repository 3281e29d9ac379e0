"""The arrivals that the master has dealt to this process: each is handed to a free user when it is due."""

import heapq
import time

import gevent
import gevent.event
import gevent.queue

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.arrivals import Arrival

MARGIN_S = 0.0005


class ArrivalQueue:
    """`deal` takes what the master sends; `next` gives a waiting user an arrival when it is due. One stage at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, int]] = []
        self._stage: int | None = None
        self._ready: gevent.queue.SimpleQueue = gevent.queue.SimpleQueue()
        self._waiting = 0  # users
        self._dealt = gevent.event.Event()
        self._greenlet: gevent.Greenlet | None = None

    def begin(self, stage: int | None) -> None:
        """A stage begins (None: no open loop now); what was left of the one before is dropped."""
        if stage == self._stage:
            return
        self._stage, self._heap = stage, []
        while not self._ready.empty():  # the queue stays: idle users wait at it
            self._ready.get_nowait()
        for _ in range(self._waiting):  # they look what is on now
            self._ready.put((None, None))
        if self._greenlet is None and stage is not None:
            self._greenlet = gevent.spawn(self._run)

    def deal(self, stage: int, due: list[tuple[float, int | None, int | None]]) -> None:
        """Arrivals of a stage: (Unix seconds by this process's clock, prompt tokens, max_tokens)."""
        if stage == self._stage:
            for at, prompt_tokens, max_tokens in due:
                heapq.heappush(self._heap, (self._clock.perf(at), prompt_tokens or 0, max_tokens or 0))
            self._dealt.set()

    def next(self, timeout_s: float) -> Arrival | None:
        """An arrival that is due (at_s: perf_counter), or None when another stage begins, or after a while without one."""
        self._waiting += 1
        try:
            stage, arrival = self._ready.get(timeout=timeout_s)
        except gevent.queue.Empty:
            return None
        finally:
            self._waiting -= 1
        return arrival if stage == self._stage else None  # a stage may begin between a hand-over and the user's wake-up

    def _run(self) -> None:
        while True:
            if not self._heap:
                self._dealt.clear()
                self._dealt.wait()
                continue
            left = self._heap[0][0] - time.perf_counter()
            if left > MARGIN_S:
                self._dealt.clear()
                self._dealt.wait(left)  # an earlier one may be dealt meanwhile
                continue
            at, prompt_tokens, max_tokens = heapq.heappop(self._heap)
            self._ready.put((self._stage, Arrival(at, prompt_tokens or None, max_tokens or None)))
