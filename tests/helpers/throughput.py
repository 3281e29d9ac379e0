"""Measures whether the emulator keeps up: many streams at 100 tokens/s each, its own lateness from /-/stats.

python -m tests.helpers.throughput --streams 200 --seconds 8
python -m tests.helpers.throughput --tls --route openai
python -m tests.helpers.throughput --engine simulated
python -m tests.helpers.throughput --http2 1
"""

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import urllib.request

from scripts.bench.endpoint import make_certificate
from tests.helpers import bodies, openai_wire, raw_wire
from tests.helpers.emulator_process import running_emulator
from tests.helpers.http2_wire import Client

TOKENS = 50
ENGINES = {
    "timed": {"kind": "timed", "ttft_ms": 50, "tokens_per_second": 100},
    # a step of 10 ms, however many are in it
    "simulated": {
        "kind": "simulated", "prefill_tokens_per_second": 1e6, "decode_base_ms": 10, "decode_per_sequence_ms": 0, "batch_limit": 2000,
    },
}  # fmt: skip


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


class _Streams(asyncio.Protocol):
    """The same over HTTP/2: `many` streams of one connection at a time."""

    def __init__(self, request: tuple, counts: dict, many: int):
        self._request, self._counts, self._many = request, counts, many
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self._transport, self._client = transport, Client(transport.write)

    def begin(self):
        for i in range(self._many):
            asyncio.get_running_loop().call_later(0.5 * i / self._many, self._ask)

    def _ask(self):
        self._client.ask(*self._request)

    def data_received(self, data):
        for _ in self._client.receive(data):
            self._counts["answers"] += 1
            if self._counts["running"]:
                self._ask()
            elif not self._client.under_way() and not self.ended.done():
                self._transport.close()
                self.ended.set_result(None)

    def connection_lost(self, exc):
        if not self.ended.done():
            self.ended.set_exception(ConnectionError("the emulator closed a connection"))


def _request(url: str, route: str) -> tuple[str, dict, bytes]:
    """Path, headers and body of `converse` or `openai`."""
    if route == "converse":
        body = json.dumps(bodies.converse(TOKENS)).encode()
        return *raw_wire.signed(url, "ConverseStream", "m.nova", body), body
    body = json.dumps(openai_wire.chat("exact", TOKENS, stream=True)).encode()
    return openai_wire.CHAT, {"Host": "localhost", "Content-Length": str(len(body))}, body


async def _storm(port: int, tls: ssl.SSLContext | None, connections: int, after_s: float) -> None:
    """So many connections at once, which ask for nothing."""
    await asyncio.sleep(after_s)
    loop = asyncio.get_running_loop()
    opening = (loop.create_connection(asyncio.Protocol, "127.0.0.1", port, ssl=tls) for _ in range(connections))
    for transport, _ in await asyncio.gather(*opening):
        transport.close()


#: a bare timer: rings every 5 ms until it is told to end, then prints how late it was, ms
TIMER = """
import select, sys, time
late, due = [], time.perf_counter()
while not select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
    late.append(max(0.0, time.perf_counter() - due) * 1000)
    due = max(due + 0.005, time.perf_counter())
late.sort()
print(late[len(late) // 2], late[int(0.99 * len(late))])
"""


@contextlib.contextmanager
def _control(core: int):
    """How late a bare timer on that core was in the block: p50 and p99, ms, once it has ended."""
    found: dict[str, float] = {}
    command = [sys.executable, "-S", "-c", TIMER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as timer:
        os.sched_setaffinity(timer.pid, [core])
        try:
            yield found
        finally:
            said, _ = timer.communicate("end\n", timeout=60)
            found["p50"], found["p99"] = map(float, said.split())


async def _load(e, make, tls: ssl.SSLContext | None, connections: int, seconds: float, storm: int) -> int:
    loop, counts = asyncio.get_running_loop(), {"answers": 0, "running": True}
    clients = [
        (await loop.create_connection(lambda: make(counts), "127.0.0.1", e.port, ssl=tls))[1]
        for _ in range(connections)
    ]
    for i, client in enumerate(clients):  # spread over half a second, or all streams would tick together
        loop.call_later(0.5 * i / connections, client.begin)
    await asyncio.gather(asyncio.sleep(seconds), _storm(e.port, tls, storm, seconds / 2))
    counts["running"] = False
    await asyncio.wait_for(asyncio.gather(*(c.ended for c in clients)), 120)
    return counts["answers"]


def _config(engine: str) -> dict:
    models, openai = {"m.nova": {"engine": "exact", "family": "nova"}}, {"exact": {"engine": "exact"}}
    return {"engines": {"exact": ENGINES[engine]}, "models": models, "openai": openai}


def measure(
    streams: int,
    seconds: float,
    route: str = "converse",
    tls: bool = False,
    storm: int = 0,
    engine: str = "timed",
    http2: int = 0,
) -> dict:
    """Answers, tokens sent, the emulator's lateness (ms), its CPU seconds, and the seconds that it waited for its core
    because others used it. `control_ms` is the lateness of a bare timer on
    the emulator's core. Emulator and client have a core each where there are two. Half-way `storm` more connections
    are opened at once. `http2`: so many connections have all the streams; without it each has one of its own, of HTTP/1.1."""
    cores, context = sorted(os.sched_getaffinity(0)), None
    with tempfile.TemporaryDirectory() as folder:
        arguments = ()
        if tls:
            certificate, key = make_certificate(pathlib.Path(folder))
            arguments = ("--tls-cert", str(certificate), "--tls-key", str(key))
            context = ssl.create_default_context(cafile=certificate)
        with running_emulator(_config(engine), pathlib.Path(folder) / "truth.jsonl", arguments, forked=False) as e:
            try:
                if len(cores) > 1:
                    os.sched_setaffinity(e.pid, cores[:1])
                    os.sched_setaffinity(0, cores[1:])
                request = _request(e.url, route)

                def make(counts):
                    if http2:
                        return _Streams(request, counts, streams // http2)
                    return _Stream(raw_wire.request_bytes(*request), counts)

                with _control(cores[0]) as control:
                    answers = asyncio.run(_load(e, make, context, http2 or streams, seconds, storm))
            finally:
                os.sched_setaffinity(0, cores)
            stats = json.load(urllib.request.urlopen(f"{e.url}/-/stats", timeout=10, context=context))
            ticks = pathlib.Path(f"/proc/{e.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
            waited_s = int(pathlib.Path(f"/proc/{e.pid}/schedstat").read_text().split()[1]) / 1e9
            return {
                "answers": answers,
                "requests": stats["requests"],
                "tokens": stats["token_sends"],
                "lateness_ms": stats["lateness_ms"],
                "cpu_s": sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
                "control_ms": control,
                "waited_s": waited_s,
            }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--route", choices=("converse", "openai"), default="converse")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="timed")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--storm", type=int, default=0, metavar="N", help="open N more connections at once, half-way")
    parser.add_argument("--http2", type=int, default=0, metavar="N", help="HTTP/2, all streams on N connections")
    print(json.dumps(measure(**vars(parser.parse_args()))))
