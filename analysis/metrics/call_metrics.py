"""What `retry:` adds to the figures of a stage: those of whole calls."""

import typing

from analysis.metrics.percentiles import columns_of, spread
from analysis.runs.retried_calls import Calls
from locustfiles.contract.error_classes import ErrorClass


def call_columns(calls: Calls) -> dict[str, typing.Any]:
    """The columns of the steps table that a scenario with `retry:` adds."""
    measured, good = calls.measured, calls.good
    cancelled = int((measured["error"] == ErrorClass.CANCELLED).sum())
    failed, counted = len(measured) - len(good) - cancelled, len(measured) - cancelled
    row = {
        "calls": len(measured),
        "calls_failed": failed,
        "call_error_rate": failed / counted if counted else None,
        "attempts_per_call_mean": measured["attempt"].mean() if len(measured) else None,
    }
    first = measured["first_latency_ms"].dropna()
    row |= columns_of("first_attempt_latency", "s", spread(first.to_numpy() / 1000))
    row |= columns_of("call_latency", "s", spread(good["latency_ms"].to_numpy() / 1000))
    return row | columns_of("call_ttft", "s", spread(good["ttft_ms"].dropna().to_numpy() / 1000))
