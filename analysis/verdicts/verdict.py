"""Whether a stage's numbers can be trusted: VALID, SUSPECT or INVALID, with reasons.

INVALID: records are missing, doubled or our own code failed; such a stage is never recommended.
SUSPECT: one of THRESHOLDS is passed; such a stage may be recommended with that label.
"""

import typing

from analysis.runs.stage import Stage
from analysis.runs.window_share import in_flight
from analysis.verdicts.answer_cautions import endpoint_cautions, served_cautions, stream_cautions, token_cautions
from analysis.verdicts.cache_purpose import caches_on_purpose
from analysis.verdicts.echoes import echo_cautions
from analysis.verdicts.generator_cautions import (
    clock_cautions,
    lag_cautions,
    late_workers,
    open_cautions,
    overloaded,
    trace_cautions,
    unknown_client,
)
from analysis.verdicts.price_bias import Doubt, doubted, price_bias
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.verdicts.told_stages import few, told_cautions
from analysis.words import format as show
from analysis.words.stage_figures import StageFigures, Trust
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import StageWindow


def verdict_of(stage: Stage, found: StageFigures) -> Trust:
    """The verdict on a stage whose measurements are in `found`."""
    if stage.visit.aggregates is not None:
        return Trust(verdict="SUSPECT", reasons="; ".join(told_cautions(stage, found)))
    invalid = _broken_run(stage) + _broken_stage(stage) or _not_whole(stage.visit)
    if invalid:
        return Trust(verdict="INVALID", reasons="; ".join(invalid))
    suspect = [
        *doubted("fewer", _load_cautions(stage, found)),
        *doubted("", unknown_client(stage)),
        *doubted("", clock_cautions(stage)),
        *doubted("fewer", lag_cautions(stage)),
        *_sample_cautions(stage, found),
    ]
    for cautions in (token_cautions, echo_cautions, stream_cautions, served_cautions):
        suspect += doubted("", cautions(stage))
    suspect += doubted("fewer", endpoint_cautions(stage)) + doubted("", _settle_cautions(stage))
    if stage.open_loop:
        suspect += doubted("fewer", open_cautions(stage)) + doubted("", trace_cautions(stage))
    if full := overloaded(stage.visit, THRESHOLDS["worker_cpu"].limit):
        suspect += doubted("fewer", [full])
    if _cut_short(stage.visit):
        suspect.append(("it was cut short: what was under way in its window ended under a falling load", "fewer"))
    if stage.run.manifest.status == "running":
        suspect.append(("the run was never closed (killed, its disk full, or still running)", ""))
    return Trust(
        verdict="SUSPECT" if suspect else "VALID",
        reasons="; ".join(dict.fromkeys(reason for reason, _ in suspect)),
        price_bias=price_bias(suspect, stage.price),
    )


def _not_whole(visit: StageWindow) -> list[str]:
    """Where nothing says why."""
    if visit.whole or _cut_short(visit):
        return []
    return ["it is not whole: records of it did not arrive in time, or a worker that began it was gone by its end"]


def _cut_short(visit: StageWindow) -> bool:
    """By the run's end: its window or its hold."""
    return not visit.whole and (visit.ended_by in ("budget", "stop") or visit.hold_until is None)


def _broken_run(stage: Stage) -> list[str]:
    concerned = (p for p in stage.run.manifest.problems if p.stages is None or stage.visit.stage in p.stages)
    at_workers = [] if stage.visit.whole else stage.run.lost_at_workers
    sentences = [*(p.text for p in concerned), *at_workers, *stage.run.lost]
    return [s.rstrip(".") for s in dict.fromkeys(sentences)]


def _broken_stage(stage: Stage) -> list[str]:
    reasons = []
    internal = int((stage.records["error"] == ErrorClass.INTERNAL).sum())
    if internal:
        reasons.append(f"{internal} requests ended by a fault of the load generator itself (class internal)")
    if stage.window is None:
        return [*reasons, stage.why_no_window]
    if stage.measured.empty:
        reasons.append(f"no request began in its window{_longer_than_window(stage)}")
    manifest = stage.run.manifest
    latest = max(v.started_at for v in manifest.stages)
    if manifest.status == "running" and stage.visit.started_at == latest:
        reasons.append("the run was never closed during this stage: its last records may be missing")
    return reasons


def _longer_than_window(stage: Stage) -> str:
    """The remedy, where calls of the stage took longer than its window."""
    longest, window_s = stage.records["latency_ms"].max() / 1000, stage.known_window[1] - stage.known_window[0]
    if not longest > window_s:  # NaN without a record
        return ""
    return (
        f" of {show.seconds(window_s)}, for its longest call took {show.seconds(longest)}: raise `measure_s` above that"
    )


def expected_in_flight(users: float, mean_s: float, think_s: float, error_pause_s: float, error_rate: float) -> float:
    """Users in flight in a closed loop: each is so for mean_s of every mean_s + think + pause after a failure."""
    return users * mean_s / (mean_s + think_s + error_rate * error_pause_s) if mean_s else 0.0


def _due(stage: Stage, found: StageFigures) -> float | None:
    """Requests that should be in flight; None where none was measured.

    With retries the users between two attempts are not in flight, and those of a call think and pause once.
    """
    scenario, users = stage.run.scenario, stage.visit.users
    ended = stage.measured[stage.measured["error"] != ErrorClass.CANCELLED]
    if ended.empty or not users:
        return None
    mean_s, think_s = ended["latency_ms"].mean() / 1000, scenario.load_of(stage.target).think_s
    if stage.calls is None or not found.calls.calls:
        return expected_in_flight(users, mean_s, think_s, scenario.error_pause_s, found.outcome.error_rate or 0.0)
    attempts, rate = found.calls.attempts_per_call_mean or 0.0, found.calls.call_error_rate or 0.0
    sending = users - stage.calls.pausing(*stage.known_window)
    return expected_in_flight(sending, attempts * mean_s, think_s, scenario.error_pause_s, rate)


def _load_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[str]:
    own, due = found.throughput.in_flight_mean or 0.0, _due(stage, found)
    if due is not None and own < (1 - THRESHOLDS["users_missing"].limit) * due:
        yield f"{show.number(own)} requests in flight where {show.number(due)} were due"
    records = stage.run.records
    everything = in_flight(records["sent"].to_numpy(), records["ended"].to_numpy(), *stage.known_window)
    if everything - own > THRESHOLDS["other_stages"].limit * everything:
        yield f"{show.percent((everything - own) / everything)} of the load came from other stages' requests"
    for worker, after_s in late_workers(stage):
        yield f"worker {worker} joined in mid-stage: its first request came {show.seconds(after_s)} after the window began"


def _settle_cautions(stage: Stage) -> typing.Iterator[str]:
    visit = stage.visit
    if visit.steady is not False or visit.measure_from is None:
        return
    after = f"after {show.seconds(visit.measure_from - (visit.settle_from or visit.started_at))} of settling"
    begun = stage.records[stage.records["phase"] == "settle"].sort_values("ended")
    later = begun["error"].iloc[len(begun) // 2 :]
    failed, ended = int(later.notna().sum()), int((begun["ended"] < stage.known_window[0]).sum())
    if 2 * failed > len(later):
        yield f"its calls still failed {after} ({failed} of the last {len(later)}): see why; if it was starting up, longer settle_at_most_s"
    elif visit.users is not None and ended < visit.users:
        yield f"only {ended} of the first {visit.users} calls had ended {after}: longer settle_at_most_s"
    else:
        why = "longer settle_at_most_s" + (", or the rate is above capacity" if visit.users is None else "")
        yield f"its latencies were still drifting {after}: {why}"


def _sample_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[Doubt]:
    outcome, prompts, reads = found.outcome, found.instrument, found.tokens.cache_read_share or 0.0
    if (outcome.successes or 0) < THRESHOLDS["successes"].limit:
        yield few(outcome.successes or 0), ""
    warm = caches_on_purpose(
        stage.run, stage.target, stage.visit.payload
    )  # which is what is measured, and said in a note
    if not warm and (prompts.prompt_repeat_share or 0.0) > THRESHOLDS["prompt_repeats"].limit:
        share = show.percent(prompts.prompt_repeat_share)
        yield f"{share} of the prompts were repeats ({prompts.prompts_distinct} different ones)", "warm"
    if not warm and reads > THRESHOLDS["cache_reads"].limit:
        yield f"{show.percent(reads)} of the prompt tokens were read from a cache", "cached"
    if (prompts.reconnects or 0) > THRESHOLDS["reconnects"].limit * (outcome.requests or 0):
        yield f"{prompts.reconnects} of {outcome.requests} requests had to open a connection", "fewer"
