"""Users that send nothing and hand in records, so many a second. A locustfile, run by `python -m scripts.bench.collect`; its
rate comes from the environment (BENCH_RECORDS_A_SECOND, of one worker)."""

import os
import time

import gevent
from locust import User, task

from locustfiles.common.swarm.locust_plugin import register
from locustfiles.common.swarm.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.contract.record import RequestRecord

RATE = float(os.environ["BENCH_RECORDS_A_SECOND"])
EVERY_S = 0.02


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


register(("bedrock",))
