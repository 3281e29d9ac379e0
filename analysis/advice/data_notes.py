"""What a reader must know of the data before believing it: gaps, assumptions, one sentence each.

That a run was cut short, retries or has an open loop is said elsewhere: at the report's top and in sections of their own.
"""

import typing

from analysis.advice.answer_notes import answer_notes
from analysis.advice.cancel_notes import cancel_notes
from analysis.cost.pricing import Prices
from analysis.metrics.token_counts import Comparison
from analysis.runs.run_reader import Run
from analysis.runs.texts import counted
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import level_text
from locustfiles.contract.error_classes import UNBILLED, ErrorClass
from locustfiles.contract.scenario.scenario import Scenario

ASSUMPTIONS = (
    "Failures of these classes are taken to be billed nothing, unless output had come: "
    + ", ".join(error.value for error in ErrorClass if error in UNBILLED)
    + ".",
    (
        "Hourly prices are at full use, in the open loop at the planned rate: an endpoint is paid for when idle, see the prices at "
        "10, 30 and 60 % of it."
    ),
    (
        "Idle time before and after is in no cost here: what is billed by the hour is paid for from its deployment to its "
        "deletion; the run cost covers the time under load alone."
    ),
    "Tax is in no cost here: prices are without it.",
    "Data transfer is in no cost here, neither out of AWS nor between regions.",
    "Storage is in no cost here: of models, volumes, logs and captured data.",
)


def notes_of(
    runs: list[Run], results: list[Result], compared: list[Comparison], prices: dict[str, Prices]
) -> list[str]:
    """Data quality first, then the assumptions that the costs rest on. compared: token counts, by tokens.comparisons."""
    notes = [note for run in runs for note in _run_notes(run, prices[run.name])] + [
        c.warning for c in compared if c.warning
    ]
    for r in results:
        outcome = r.figures.outcome
        if r.figures.ended_by == "abort":
            notes.append(
                f"Stage {_named(r, len(runs) > 1)} was ended early by its error rate: {show.percent(outcome.error_rate)} of "
                f"{outcome.requests} requests ({outcome.errors}). That is its result; its figures are those of a shorter window."
            )
        if r.figures.ended_by == "skip":
            notes.append(_skipped(r, len(runs) > 1))
        if r.usd is None and r.cost_reason:
            notes.append(f"No cost for stage {_named(r, len(runs) > 1)}: {r.cost_reason}.")
    notes += _different_limits(runs) + list(cancel_notes(runs))
    basis = {r.figures.cost.price_basis for r in results}
    return notes + [a for a in ASSUMPTIONS if "Hourly" not in a or "hourly" in basis]


def _skipped(result: Result, named: bool) -> str:
    stage, window_s = f"Stage {_named(result, named)} was skipped by a person", result.figures.outcome.window_s
    if window_s is None:
        return f"{stage} while it settled: it has no figures; `--resume` measures it."
    return f"{stage} {show.seconds(window_s)} after its window began: its figures are those of that shorter window."


def _run_notes(run: Run, prices: Prices) -> typing.Iterator[str]:
    manifest = run.manifest
    if manifest.imported:
        made = f"{manifest.imported.tool} {manifest.imported.version or '(its files do not say which version)'}"
        yield f"Run {run.name} was measured by {made}, and imported; what its files do not hold is empty here."
        yield from (f"Run {run.name}: {note}" for note in manifest.imported.notes)
    yield from (
        f"Run {run.name}: {sentence}"
        for sentence in dict.fromkeys([*(p.text for p in manifest.problems), *run.lost, *run.lost_at_workers])
    )
    if len(manifest.parts) > 1:
        cut = (
            f" {len(manifest.abandoned)} stages were cut short and measured again; only the cost counts them."
            if manifest.abandoned
            else ""
        )
        yield (
            f"Run {run.name} was measured in {len(manifest.parts)} parts, the later ones by `--resume`; the time between them costs "
            f"nothing here.{cut}"
        )
    yield from run.notes
    yield from answer_notes(run, prices.of_target)
    records = run.of_stages
    source = records["token_source"][records["error"].isna()]
    other = {str(name): int(n) for name, n in counted(source).items() if name != "service"}
    if other:
        counts = ", ".join(f"{name} {count}" for name, count in other.items())
        what = f"output tokens of {sum(other.values())} of {len(source)} successes"
        lacking = (
            ": what no one counted has no TPOT and no tokens/s; the target's `tokenizer:` counts it"
            if "none" in other
            else ""
        )
        yield f"Run {run.name}: {what} were not counted by the service ({counts}){lacking}."


def _named(r: Result, several: bool) -> str:
    text = f"{r.key.stage} (`{r.figures.identity.target}`, `{r.payload}`, {level_text(r.figures)})"
    return f"{text} of run {r.figures.run}" if several else text


def _different_limits(runs: list[Run]) -> list[str]:
    limits = [run.scenario.slo.model_dump(exclude={"dataset"}) for run in runs]
    if any(each != limits[0] for each in limits):
        return ["The runs set different limits; every stage is judged by those of its own run."]
    return []


def open_sentence(run: Run) -> str | None:
    """What it means for the report that a run has open-loop stages; None where it has none."""
    if all(s.users is not None for s in run.manifest.stages):
        return None
    return (
        f"Run {run.name} has open-loop stages: requests were sent when they were due, whatever became of those before. What a "
        "user perceives begins when a request was due, so limits on latency and TTFT, goodput and plots go by the times from "
        "then on (intended latency = schedule delay + latency); latency and TTFT alone are from the actual send."
    )


def retry_sentence(run: str, scenario: Scenario) -> str | None:
    """What it means for the report that a scenario retries; None where it does not."""
    retry = scenario.retry
    if retry is None:
        return None
    judged = "Its limits on latency, TTFT and error rate, and its plots, are" if _limited(scenario) else "Its plots are"
    return (
        f"Run {run} retries: after a failure that may pass a call is tried again, up to {retry.attempts} attempts in all, "
        f"with random pauses of at most {show.exact(retry.base_s)} s, doubling up to {show.exact(retry.max_s)} s. "
        f"{judged} of calls, as a user perceives them: from the first attempt's send to the last byte (for TTFT the first "
        "output) of the attempt that succeeded, pauses included; a call without success is one failure, whatever its "
        "attempts. Requests, throughput and cost count every attempt."
    )


def _limited(scenario: Scenario) -> bool:
    slo = scenario.slo
    return any(limit is not None for limit in (slo.latency_s, slo.ttft_s, slo.error_rate))
