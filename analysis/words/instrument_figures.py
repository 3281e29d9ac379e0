"""What is told of the load generator and the prompts of a stage."""

import dataclasses

from analysis.words.figure_fields import count, number


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Whether the load generator and the prompts were what the figures take them for."""

    service_latency_p50_s: float | None = number(
        "median of the latency that the service itself reports, successes", "s", "lower"
    )
    lag_ms_max: float | None = number(
        "worst event-loop lag while a request that began in the window was under way, after the window too",
        "ms",
        "lower",
        heading="event-loop lag while a request was under way, most (ms)",
    )
    worker_cpu_max: float | None = number(
        "largest share of one core that a worker used in the window", better="lower", heading="worker's CPU, most"
    )
    worker_lag_ms_max: float | None = number(
        "worst event-loop lag of a worker in the window, requests under way or not",
        "ms",
        "lower",
        heading="worker's event-loop lag in the window, most (ms)",
    )
    reconnects: int | None = count(
        "requests of the window that had to open a connection; empty where the transport does not tell", "lower"
    )
    prompts_distinct: int | None = count("different prompts sent in the window")
    prompt_repeat_share: float | None = number(
        "requests whose prompt had been sent in the window before / requests; attempts of one call count once",
        better="lower",
    )
