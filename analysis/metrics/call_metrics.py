"""What `retry:` adds to the figures of a stage: those of whole calls."""

from analysis.metrics.percentiles import spread
from analysis.runs.retried_calls import Calls
from analysis.words.user_figures import CallFigures
from locustfiles.contract.error_classes import ErrorClass


def call_figures(calls: Calls) -> CallFigures:
    """The figures that a scenario with `retry:` adds."""
    measured, good = calls.measured, calls.good
    cancelled = int((measured["error"] == ErrorClass.CANCELLED).sum())
    failed, counted = len(measured) - len(good) - cancelled, len(measured) - cancelled
    return CallFigures(
        calls=len(measured),
        calls_failed=failed,
        call_error_rate=failed / counted if counted else None,
        attempts_per_call_mean=float(measured["attempt"].mean()) if len(measured) else None,
        first_attempt_latency=spread(measured["first_latency_ms"].dropna().to_numpy() / 1000),
        call_latency=spread(good["latency_ms"].to_numpy() / 1000),
        call_ttft=spread(good["ttft_ms"].dropna().to_numpy() / 1000),
    )
