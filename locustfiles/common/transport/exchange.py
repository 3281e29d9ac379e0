"""One request and what came back."""

import collections.abc
import dataclasses
import math
import re
import typing

from locustfiles.common.transport.limits import KEPT_OF_BROKEN, KEPT_OF_TOO_LARGE, Broken
from locustfiles.contract.error_classes import ErrorClass

KEEP_ALIVE_MARGIN_S = 0.5  # an idle connection is given up so long before the server said it would close it


@dataclasses.dataclass(slots=True)
class Exchange:
    """One request and what came back. Times are perf_counter seconds."""

    sent_at: float = 0.0
    done_at: float = 0.0
    accepted_at: float | None = None  # a request that is queued: when its place in the queue was told
    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)  # names in lower case
    chunks: list[tuple[float, bytes]] = dataclasses.field(default_factory=list)  # body pieces as they arrived
    ended: bool = False  # the body came whole, by HTTP's own framing
    error: ErrorClass | None = None
    error_code: str | None = None
    error_message: str | None = None
    reconnect: int | None = 0
    lag_s: float = 0.0  # worst lateness of the event loop meanwhile
    stamp_delay_s: float | None = None  # worst of the loop's stamps minus the kernel's, where those are taken
    received: int | None = None  # body bytes, where the pieces are not kept
    request_bytes: int | None = None  # of the request's body; None: there was nothing to send
    pieces: list[tuple[float, typing.Any]] | None = None  # what boto3 handed over instead: bytes, or events
    # a client that leaves before the answer has ended: so long after the send, or once this says so, asked whenever more has come
    leave_after_s: float | None = None
    leaves: collections.abc.Callable[[], bool] | None = None

    @property
    def response_bytes(self) -> int:
        return self.received if self.received is not None else sum(len(data) for _, data in self.chunks)

    def fail(self, why: Broken) -> None:
        """It broke; of what came the beginning is kept, which is all of it where it is of a usual size."""
        self.error, self.error_code, self.error_message = why.error, why.code, why.message
        self.received, left = self.response_bytes, KEPT_OF_TOO_LARGE if why.code else KEPT_OF_BROKEN
        for number, (_, data) in enumerate(self.chunks):
            left -= len(data)
            if left < 0:
                del self.chunks[number:]
                break

    def begin_again(self) -> None:
        """As if nothing had been sent: what it was sent into was closed, and nobody took it. `sent_at` stays."""
        self.error = self.error_code = self.error_message = self.received = self.stamp_delay_s = None


def idle_seconds(keep_alive: str) -> float:
    """How long a connection may be idle by `Keep-Alive: timeout=5, max=100`, less a margin."""
    found = re.search(r"timeout=(\d{1,6})", keep_alive)
    return max(0.0, int(found[1]) - KEEP_ALIVE_MARGIN_S) if found else math.inf
