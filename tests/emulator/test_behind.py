"""An endpoint that was kept from its core: what has become due leaves in one write a stream, with either engine."""

import asyncio
import heapq
import itertools
import json
import time

import pytest

from scripts.emulator import service as emulator
from scripts.emulator.config import Config
from scripts.emulator.http1 import Connection
from scripts.emulator.truth import Truth
from tests.helpers import openai_wire, throughput

STREAMS, TOKENS = 3, 20


class LateClock:
    """Calls back in the order that things are due, but only when it is told to."""

    def __init__(self):
        self._heap, self._order = [], itertools.count()

    def at(self, due, callback):
        heapq.heappush(self._heap, (due, next(self._order), callback))

    def catch_up(self):
        while self._heap and self._heap[0][0] <= time.perf_counter():
            heapq.heappop(self._heap)[2]()


class Written:
    """Keeps each write of a stream."""

    def __init__(self):
        self.writes = []

    def is_closing(self):
        return False

    def write(self, data):
        self.writes.append(data)

    @property
    def events(self):
        return b"".join(self.writes).count(b"data: ")


def ask(service):
    written, connection = Written(), Connection(service.serve, set())
    body = json.dumps(openai_wire.chat("exact", TOKENS, stream=True)).encode()
    connection.connection_made(written)
    connection.data_received(f"POST {openai_wire.CHAT} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    return written


@pytest.mark.parametrize("engine", ["timed", "simulated"])
def test_what_has_become_due_meanwhile_leaves_in_one_write_a_stream(engine, monkeypatch):
    clock = LateClock()
    monkeypatch.setattr(emulator, "clock", lambda loop: clock)
    config = Config(engines={"e": throughput.ENGINES[engine]}, openai={"exact": {"engine": "e"}})
    service = emulator.Service(config, Truth(None))
    asyncio.run(service.start())
    streams = [ask(service) for _ in range(STREAMS)]
    clock.catch_up()
    before = [(len(s.writes), s.events) for s in streams]
    time.sleep(0.12)  # 12 steps of 10 ms; of the timetable the tokens at 50, 60, … 120 ms
    clock.catch_up()
    for stream, (writes, events) in zip(streams, before, strict=True):
        assert len(stream.writes) - writes <= 2  # one opens the stream, where a step has to end before it joins
        assert stream.events - events >= 7
    time.sleep(0.15)
    clock.catch_up()
    for (
        stream
    ) in streams:  # the rest and the end: `role`, the tokens, `finish_reason`, [DONE]; none is lost or comes twice
        assert stream.writes[-1].endswith(b"0\r\n\r\n") and stream.events >= TOKENS + 2
        text = b"".join(stream.writes)
        assert text.count(b"data: [DONE]") == 1 and text.count(b'"content":') in (TOKENS, TOKENS + 1)
