"""The endpoint must not be the bottleneck: 200 streams at 100 tokens/s on one core, plain, over TLS and over HTTP/2.

Nor may clients that connect make streams late."""

import sys

import pytest

from tests.helpers import throughput

SECONDS, CONTROLS = 2, 3
pytestmark = [pytest.mark.alone, pytest.mark.skipif(sys.platform != "linux", reason="pins processes to cores")]


def _on_time(limit_ms: float, streams: int, **load) -> None:
    """Best of five, with a bare timer on the emulator's core as the control: its lateness is others' work. Where others take so
    much that an emulator of half a core cannot keep up, the work it does is judged: it must leave a fifth of its core free.
    `python -m tests.helpers.throughput` prints the figures."""
    tries = []
    for _ in range(5):
        seen = throughput.measure(streams, SECONDS, **load)
        assert seen["tokens"] == seen["answers"] * throughput.TOKENS  # nothing is lost, however busy the machine
        assert seen["answers"] >= streams
        if seen["lateness_ms"]["p99"] <= limit_ms + CONTROLS * seen["control_ms"]["p99"]:
            return
        tries.append(seen)
    shared = min(seen["waited_s"] for seen in tries) > SECONDS / 20
    assert shared and min(seen["cpu_s"] for seen in tries) < 0.8 * SECONDS, tries


@pytest.mark.parametrize("load", [{}, {"tls": True}, {"http2": 1}], ids=["http", "https", "http2"])
def test_two_hundred_streams_are_sent_on_time(load):
    """p99 is 1 to 4 ms on two cores with little else to do; of HTTP/2, all on one connection."""
    _on_time(5, 200, **load)


def test_two_hundred_handshakes_at_once_make_no_stream_late():
    """A handshake costs half a millisecond: in one go, 200 made streams 70 ms late."""
    _on_time(10, 50, tls=True, storm=200)


def test_a_simulated_server_is_hardly_later_than_a_timetable_is():
    """All tokens of a step are due in one instant, so the last of 100 waits for 99 writes: about 3 ms where a timetable spreads
    them. Both in turn, for the machine's other work is in both; best of five pairs."""
    seen = []
    for _ in range(5):
        pair = {engine: throughput.measure(100, SECONDS, engine=engine) for engine in ("timed", "simulated")}
        for load in pair.values():
            assert load["tokens"] == load["answers"] * throughput.TOKENS and load["answers"] >= 100
        timed, simulated = (pair[engine]["lateness_ms"]["p99"] for engine in ("timed", "simulated"))
        if simulated <= 10 + 2 * timed:
            return
        seen.append((timed, simulated))
    pytest.fail(f"p99 of lateness, timed and simulated, in five pairs: {seen} ms")
