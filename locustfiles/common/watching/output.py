"""Bytes on their way to a terminal that may be slow, or stopped with Ctrl-S: the loop that measures never waits for it."""

import os
import select

MOST_WAITING = 1 << 20  # bytes; what a terminal does not take is not kept for ever
PIECE = 4096


class Output:
    """The terminal of a descriptor, opened anew: not to wait is a setting of the opened file, which others share."""

    def __init__(self, of: int) -> None:
        try:
            self._fd = os.open(os.ttyname(of), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            self._own = True
        except OSError:  # a terminal without a name here, as in a container
            self._fd, self._own = of, False
        self._waiting = bytearray()
        self.bytes = 0

    def put(self, data: bytes) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting += data
        self.flush()

    def flush(self) -> bool:
        """As far as it takes it now; whether nothing waits any more."""
        while self._waiting:
            try:
                done = os.write(self._fd, self._waiting[:PIECE])
            except BlockingIOError:
                return False
            except OSError:  # it is gone
                self._waiting.clear()
                return True
            self.bytes += done
            del self._waiting[:done]
        return True

    def close(self, within_s: float) -> None:
        """At the end it is waited for."""
        while not self.flush() and select.select([], [self._fd], [], within_s)[1]:
            pass
        if self._own:
            os.close(self._fd)
