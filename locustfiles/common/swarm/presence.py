"""When each worker of a master was heard, and which of them Locust has lost sight of."""

import collections.abc
import math
import time

SILENT_S = 2.0  # twice what lies between two heartbeats


class Presence:
    """`listed`: the workers that Locust knows. `heard` says when each worker was, `back` when after a silence; perf_counter seconds."""

    def __init__(self, listed: collections.abc.Container[str]) -> None:
        self.heard: dict[str, float] = {}
        self.back: dict[str, float] = {}
        self._listed = listed
        self._resting: set[str] = set()  # have stopped their users, and are not ready again

    def note(self, worker: str, kind: str) -> None:
        """A message of it has come."""
        now = time.perf_counter()
        if now - self.heard.get(worker, -math.inf) > SILENT_S:
            self.back[worker] = now
        self.heard[worker] = now
        if kind == "client_stopped":
            self._resting.add(worker)
        elif kind == "client_ready":
            self._resting.discard(worker)

    def is_away(self, worker: str) -> bool:
        """Locust does not list it, and it does not rest."""
        return worker not in self._listed and worker not in self._resting

    def is_forgotten(self, worker: str, kind: str) -> bool:
        """Locust forgets a worker that was silent for a minute. It heeds no heartbeat of it then, and sends away one that begins
        to spawn. One that rests is not listed either."""
        return self.is_away(worker) and kind in ("heartbeat", "spawning", "spawning_complete")
