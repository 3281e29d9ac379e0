"""The clock of a process: one wall-clock anchor, then the monotonic clock, so that it never jumps."""

import time


class Clock:
    def __init__(self) -> None:
        self._offset = time.time() - time.perf_counter()

    def now(self) -> float:
        """Unix seconds."""
        return self.at(time.perf_counter())

    def at(self, perf: float) -> float:
        """Unix seconds of a perf_counter reading."""
        return self._offset + perf

    def perf(self, at: float) -> float:
        """The perf_counter reading at Unix seconds `at`."""
        return at - self._offset
