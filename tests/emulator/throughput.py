"""Measures whether the emulator keeps up: many ConverseStreams at 100 tokens/s each, its own lateness from /-/stats.

python -m tests.emulator.throughput --streams 200 --seconds 8
"""

import argparse
import asyncio
import json
import os

from tests.emulator import bodies, raw_wire
from tests.emulator_process import running_emulator

TOKENS = 50
CONFIG = {
    "engines": {"exact": {"kind": "timed", "ttft_ms": 50, "tokens_per_second": 100}},
    "models": {"m.nova": {"engine": "exact", "family": "nova"}},
}


class _Stream(asyncio.Protocol):
    """Sends one signed request again and again until told to stop; only looks for the end of each answer."""

    def __init__(self, request: bytes, counts: dict):
        self._request, self._counts, self._tail = request, counts, b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self._transport = transport

    def begin(self):
        self._transport.write(self._request)

    def data_received(self, data):
        self._tail = self._tail[-4:] + data
        if not self._tail.endswith(b"0\r\n\r\n"):
            return
        self._counts["answers"] += 1
        if self._counts["running"]:
            self.begin()
        else:
            self._transport.close()
            self.ended.set_result(None)

    def connection_lost(self, exc):
        if not self.ended.done():
            self.ended.set_exception(ConnectionError("the emulator closed a stream"))


async def _load(url: str, port: int, streams: int, seconds: float) -> int:
    loop, counts = asyncio.get_running_loop(), {"answers": 0, "running": True}
    body = json.dumps(bodies.converse(TOKENS)).encode()
    path, headers = raw_wire.signed(url, "ConverseStream", "m.nova", body)
    request = raw_wire.request_bytes(path, headers, body)
    clients = [
        (await loop.create_connection(lambda: _Stream(request, counts), "127.0.0.1", port))[1] for _ in range(streams)
    ]
    for i, client in enumerate(clients):  # spread over half a second, or all streams would tick together
        loop.call_later(0.5 * i / streams, client.begin)
    await asyncio.sleep(seconds)
    counts["running"] = False
    await asyncio.wait_for(asyncio.gather(*(c.ended for c in clients)), 10)
    return counts["answers"]


def measure(streams: int, seconds: float) -> dict:
    """Answers, tokens sent, the emulator's lateness (ms), its CPU seconds, and the seconds that it waited for its core
    because others used it. Emulator and client have a core each where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    with running_emulator(CONFIG) as e:
        try:
            if len(cores) > 1:
                os.sched_setaffinity(e.pid, cores[:1])
                os.sched_setaffinity(0, cores[1:])
            answers = asyncio.run(_load(e.url, e.port, streams, seconds))
        finally:
            os.sched_setaffinity(0, cores)
        stats = e.stats()
        ticks = open(f"/proc/{e.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]
        waited_s = int(open(f"/proc/{e.pid}/schedstat").read().split()[1]) / 1e9
        cpu_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return {
            "answers": answers,
            "requests": stats["requests"],
            "tokens": stats["token_sends"],
            "lateness_ms": stats["lateness_ms"],
            "cpu_s": cpu_s,
            "waited_s": waited_s,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
    print(json.dumps(measure(args.streams, args.seconds)))
