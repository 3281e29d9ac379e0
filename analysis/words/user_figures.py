"""What a user perceives beside single requests: whole calls where requests are retried, waiting from when a request was due."""

# ruff: noqa: RUF009  a field is made by a function that tells of it

import dataclasses

from analysis.words.figure_fields import count, number
from analysis.words.spread import Spread, spread


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenLoop:
    """Nothing is known of it in the closed loop."""

    rate_achieved_per_s: float | None = number(
        "open loop: requests sent in the window / its length; with `retry:` first attempts only",
        "1/s",
        heading="achieved requests/s",
    )
    schedule_delay_p50_ms: float | None = number(
        "open loop: median of how much later than due a request was sent", "ms", "lower"
    )
    schedule_delay_p99_ms: float | None = number("its p99", "ms", "lower")
    schedule_delay_max_ms: float | None = number("its largest", "ms", "lower")
    intended_latency: Spread = spread(
        "intended_latency",
        "s",
        "the time that a user waits: from when the request was due to the last byte, schedule delay + latency, successes "
        "(with `retry:` calls that succeeded)",
    )
    intended_ttft: Spread = spread(
        "intended_ttft",
        "s",
        "the time from when the request was due to the first output, schedule delay + TTFT, streamed successes (with "
        "`retry:` calls that succeeded)",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """Nothing is known of it unless the scenario has `retry:`; a call is a request and, after failures, its further attempts."""

    calls: int | None = count(
        "with `retry:`: calls whose first attempt began in the window; all their attempts are awaited"
    )
    calls_failed: int | None = count(
        "those of which no attempt succeeded, without those that our own stop ended", "lower"
    )
    call_error_rate: float | None = number(
        "calls_failed / (calls - those that our own stop ended in an attempt)", better="lower"
    )
    attempts_per_call_mean: float | None = number(
        "mean number of attempts made for a call", better="lower", heading="attempts per call"
    )
    first_attempt_latency: Spread = spread(
        "first_attempt_latency", "s", "the time from send to the last byte of first attempts that succeeded"
    )
    call_latency: Spread = spread(
        "call_latency",
        "s",
        "the time that a user waits: from the first attempt's send to the last byte of the attempt that succeeded, pauses "
        "included, calls that succeeded",
    )
    call_ttft: Spread = spread(
        "call_ttft",
        "s",
        "the time from the first attempt's send to the first output of the attempt that succeeded, streamed calls that succeeded",
    )
