"""What a reader must know of runs whose clients left on purpose."""

import typing

from analysis.runs.run_reader import Run
from locustfiles.contract.error_classes import OwnCode

#: of calls that are billed by tokens
BILLED_OF_LEFT = (
    "Requests that their clients left on purpose (`cancel`) are taken to be billed from what was counted of them by then, or nothing, "
    "to their whole prompt and `max_tokens`. No service documents what it bills of an answer that is left; of Bedrock it is reported "
    "that bills have the whole answer, as if nobody had left (LiteLLM, issue 34147), which is the upper end."
)


def cancel_notes(runs: list[Run]) -> typing.Iterator[str]:
    """A sentence or two for each such run, then how its cost is bounded."""
    cancelled = [run for run in runs if run.scenario.cancel]
    for run in cancelled:
        cancel, records = run.scenario.cancel, run.of_stages
        assert cancel is not None
        left = int((records["error_code"] == OwnCode.CLIENT_CANCELLED).sum())
        early = (
            " Answers that were to be left and ended before are among the successes, and short: latency leans to shorter answers."
            if cancel.after_s is not None
            else ""
        )
        yield (
            f"Run {run.name}: its clients left {cancel.text} ({left} of {len(records)} in all phases), which are neither successes nor "
            f"failures. Times are of those who stayed, drawn by chance: TTFT too, for of those who left only some have one.{early}"
        )
    if cancelled:
        yield BILLED_OF_LEFT
