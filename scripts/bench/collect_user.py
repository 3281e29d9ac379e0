"""Users that send nothing and hand in records, so many a second, and what tells how late the master's loop is. A locustfile, run
by `python -m scripts.bench.collect`; its settings come from the environment (BENCH_RECORDS_A_SECOND, of one worker; BENCH_LAGS,
a file)."""

import array
import os
import pathlib
import time

import gevent
from gevent.hub import get_hub
from locust import User, events, task
from locust.runners import MasterRunner

from locustfiles.common.swarm.locust_plugin import register
from locustfiles.common.swarm.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.contract.record import RequestRecord

RATE = float(os.environ["BENCH_RECORDS_A_SECOND"])
EVERY_S = 0.02
LOOK_S = 0.01
SERVICES = ("bedrock",)


class Maker(User):
    """Makes records as a busy worker would; one user makes all of its worker's."""

    def on_start(self) -> None:
        self.worker_side = self.environment.swarmledger
        self.number = self.worker_side.take_number()
        self._made, self._began = 0, time.perf_counter()

    @task
    def make(self) -> None:
        sender = self.worker_side.sender
        spec, phase = sender.spec, sender.phase
        gevent.sleep(EVERY_S)
        if spec is None or self.number > 1:
            return
        due = int((time.perf_counter() - self._began) * RATE) - self._made
        for _ in range(due):
            self._made += 1
            sender.sink(self.record(spec, phase))

    def record(self, spec, phase: str) -> RequestRecord:
        return RequestRecord(
            started_at=time.time(), worker=self.worker_side.sender.worker, user=self.number, target=spec.target, service="bedrock",
            operation="ConverseStream", payload=spec.payload, prompt_id=str(self._made % 500), stage=spec.stage, repeat=1,
            users=spec.users, phase=phase, call=self._made + 10, reconnect=0, latency_ms=612.345, ttft_ms=103.5, ttft_visible_ms=103.5,
            last_token_ms=611.9, chunks=50, max_gap_ms=14.2, prompt_tokens=80, completion_tokens=50, prompt_token_source="service",
            token_source="service", response_bytes=9123, stop_reason="max_tokens", http_status=200,
            request_id=f"7a4e1c9e-0000-4000-8000-{self._made:012d}", service_latency_ms=601.0, in_flight=60, lag_ms=1.2,
        )  # fmt: skip


class LoopLag:
    """A timer of the master's loop, due every LOOK_S: pairs of (monotonic s, how late it came, ms)."""

    def __init__(self) -> None:
        self._found, self._before = array.array("d"), time.monotonic()
        self._timer = get_hub().loop.timer(LOOK_S, LOOK_S)
        self._timer.start(self._look)

    def _look(self) -> None:
        now = time.monotonic()
        self._found.extend((now, 1000 * max(0.0, now - self._before - LOOK_S)))
        self._before = now

    def save(self, **_: object) -> None:
        pathlib.Path(os.environ["BENCH_LAGS"]).write_bytes(self._found.tobytes())


@events.init.add_listener
def _look_at_the_master(environment, runner, **_) -> None:
    if isinstance(runner, MasterRunner):
        environment.events.quitting.add_listener(LoopLag().save)


register(SERVICES)
