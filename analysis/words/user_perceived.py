"""Which figures say what a user perceives: of a request, of a call with its retries, or from when it was due."""

import dataclasses

from analysis.words import format as show
from analysis.words.level import is_open
from analysis.words.spread import Spread
from analysis.words.stage_figures import StageFigures


@dataclasses.dataclass(frozen=True, slots=True)
class Perceived:
    """Latency, TTFT and error rate of a stage as a user perceives them, and how many failures that were."""

    latency: Spread
    ttft: Spread
    error_rate: float | None
    failures: int | None


def perceived(figures: StageFigures) -> Perceived:
    """In the open loop times are from when a request was due; with `retry:` error rate and failures are of calls."""
    calls, late = figures.calls, figures.open_loop
    if calls.calls is None:
        latency, ttft, error_rate = figures.latency, figures.ttft, figures.outcome.error_rate
        failures = figures.outcome.failures
    else:
        latency, ttft, error_rate = calls.call_latency, calls.call_ttft, calls.call_error_rate
        failures = calls.calls_failed
    if is_open(figures):
        latency, ttft = late.intended_latency, late.intended_ttft
    return Perceived(latency, ttft, error_rate, failures)


def errors_text(figures: StageFigures) -> str:
    """`12 % errors`; with `retry:` whose they are: `7.04 % errors of calls`."""
    return f"{show.percent(perceived(figures).error_rate)} errors{' of calls' if figures.retried else ''}"


def whose(figures: StageFigures) -> str:
    """What belongs behind `latency` in words: nothing, ` of a call, …`, ` from when it was due`."""
    calls = " of a call, retries included," if figures.retried else ""
    return calls + (" from when it was due" if is_open(figures) else "")
