"""The endpoint must not be the bottleneck: 200 streams at 100 tokens/s, 20,000 tokens a second, on one core."""

import sys

import pytest

from tests.emulator import throughput


@pytest.mark.skipif(sys.platform != "linux", reason="pins processes to cores")
def test_two_hundred_streams_are_sent_on_time():
    """Best of three. Where other processes took the emulator's core for more than a twentieth of the time, its lateness
    is theirs and says nothing: skipped. `python -m tests.emulator.throughput` prints the figures; p99 is 1 to 4 ms on
    two cores with little else to do."""
    seconds, waited_s = 2, []
    for _ in range(3):
        seen = throughput.measure(streams=200, seconds=seconds)
        assert seen["tokens"] == seen["answers"] * throughput.TOKENS  # nothing is lost, however busy the machine
        assert seen["answers"] >= 200
        if seen["lateness_ms"]["p99"] <= 5:
            return
        waited_s.append(seen["waited_s"])
    if min(waited_s) > seconds / 20:
        pytest.skip(f"the machine is busy: the emulator waited {min(waited_s):.2f} s for its core")
    pytest.fail(f"p99 of the emulator's own lateness is above 5 ms in three attempts: {seen}")
