"""A client of the master's port that is not (yet) a worker of this run: what the gate knows of it."""

import dataclasses
import time

from locust.rpc import Message
from locust.runners import STATE_INIT

APART_S = 0.9  # a little less than what lies between two heartbeats


@dataclasses.dataclass(slots=True)
class Outsider:
    """Times are monotonic."""

    ready: Message | None = None  # its `client_ready`, which Locust hears of once it has introduced itself
    knocked: bool = False  # it has our locustfile
    proved: bool = False
    refused: bool = False
    heartbeats: int = 0  # that count
    dropped: list[str] = dataclasses.field(default_factory=list)  # kinds of its messages, a few
    _beat_at: float = float("-inf")
    _asked_at: float = float("-inf")

    def may_be_asked(self) -> bool:
        """For the token, now: not more often than it may answer."""
        now = time.monotonic()
        if now - self._asked_at < APART_S:
            return False
        self._asked_at = now
        return True

    def beats(self, state: object) -> bool:
        """Whether a heartbeat that comes now counts. ZeroMQ keeps those that were sent while nobody listened, as after a master's
        kill, or while this process stood still, and hands them over at once: no answer can lie between them. A worker that ends
        its users, as an earlier master has told it, listens to nobody until it is ready."""
        now = time.monotonic()
        if state != STATE_INIT or now - self._beat_at < APART_S:
            return False
        self._beat_at, self.heartbeats = now, self.heartbeats + 1
        return True
