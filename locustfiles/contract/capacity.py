"""What it takes to generate a load, as measured: the one place that says how many cores, workers and how much memory.

The measurements, with machine and date, are in scripts/bench/README.md. Another processor may be twice as quick or as slow, so what
is worked out from these is a plan and no promise: a run itself says where its generator was too slow.
"""

import math
import typing

CALL_MS = 0.15  # of a worker's core: a call
TOKEN_MS = 0.012  # of a worker's core: every token of an answer that streams
BY_BOTO3 = 4.0  # times as much by `transport: boto3`
FULL = 0.9  # of a core: above it a stage is SUSPECT
ROOM = 0.7  # of a core a worker should need
RECORD_MS = 0.03  # of the master's core: a record, from the wire to requests.csv; of a hundred workers, of four it is half as much
STREAMS_A_CORE = 400  # at once on a worker's core, the p99 of the TTFT's error below 5 ms over HTTPS as well
WORKER_MB, STREAM_MB = 90.0, 0.05  # of a worker's memory: with few streams, and for every one more at once
MASTER_MB = 130.0


class Generator(typing.NamedTuple):
    """What a load of one kind of call takes."""

    calls_per_s: float
    call_ms: float  # of a worker's core, each
    at_once: float  # calls in flight, on average
    streams: bool

    @property
    def cores(self) -> float:
        """Of all workers together."""
        return self.calls_per_s * self.call_ms / 1000

    @property
    def workers(self) -> int:
        """With a core each and room in it; no more streams at once than are stamped in time."""
        stamped = self.at_once / STREAMS_A_CORE if self.streams else 0.0
        return max(
            1, math.ceil(round(max(self.cores / ROOM, stamped), 6))
        )  # rounding: no worker for a float's last digit

    @property
    def worker_mb(self) -> float:
        """Of one worker's memory."""
        return WORKER_MB + STREAM_MB * self.at_once / self.workers

    @property
    def master_cores(self) -> float:
        return self.calls_per_s * RECORD_MS / 1000


def call_ms(tokens: float | None, by_boto3: bool) -> float:
    """Of a worker's core, for one call. tokens: of an answer that streams; None of one in one piece."""
    return (CALL_MS + TOKEN_MS * (tokens or 0.0)) * (BY_BOTO3 if by_boto3 else 1.0)
