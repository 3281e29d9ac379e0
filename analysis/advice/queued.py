"""What asynchronous endpoints took for which part of a call, as far as it can be known."""

from analysis.metrics.percentiles import spread
from analysis.runs.rows import Rows
from analysis.words import format as show
from locustfiles.contract.scenario.targets import SageMakerTarget, Target


def queue_note(target: Target, good: Rows) -> str | None:
    """Of a target whose requests are queued: until they were accepted, and until their answers were found in S3."""
    asked = target.async_inference if isinstance(target, SageMakerTarget) else None
    accepted = good["accepted_ms"].dropna()
    if asked is None or accepted.empty:
        return None
    first, whole = spread(accepted.to_numpy()), spread(good["latency_ms"].to_numpy())
    return (
        f"its requests were accepted after {show.milliseconds(first.mean)} on average (p95 {show.milliseconds(first.p95)}) and answered "
        f"in S3 after {show.milliseconds(whole.mean)} (p95 {show.milliseconds(whole.p95)}), found up to {show.seconds(asked.poll_s)} and a "
        "read of S3 late. What lies between is queue and model together: SageMaker does not tell them apart."
    )
