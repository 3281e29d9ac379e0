"""Whether a stage's numbers can be trusted: VALID, SUSPECT or INVALID, by its cautions.

INVALID: records are missing, doubled or our own code failed; such a stage is never recommended.
SUSPECT: one of THRESHOLDS is passed; such a stage may be recommended with that label.

What is looked for here and in the files beside it is told as a kind with its figures; its words are in caution_kinds.py.
"""

import typing

from analysis.metrics.stage_metrics import measurements
from analysis.runs.stage import Stage
from analysis.runs.window_share import in_flight
from analysis.verdicts.answer_cautions import endpoint_cautions, served_cautions, stream_cautions, token_cautions
from analysis.verdicts.caution import Caution, caution, priced
from analysis.verdicts.echoes import Echo, echo_cautions
from analysis.verdicts.generator_cautions import (
    clock_cautions,
    cpu_cautions,
    lag_cautions,
    late_workers,
    open_cautions,
    ramp_cautions,
    trace_cautions,
    unknown_client,
)
from analysis.verdicts.prompt_cautions import length_cautions, prompt_cautions
from analysis.verdicts.session_cautions import few_sessions, turn_mix, users_missing
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.verdicts.told_stages import success_cautions, told_cautions
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.error_classes import ErrorClass, OwnCode
from locustfiles.contract.manifest import FAILED_INSIDE, StageWindow


def cautions_of(stage: Stage, found: StageFigures, echo: Echo | None) -> list[Caution]:
    """Why a stage whose measurements are in `found` is not VALID; none where it is. echo: where its answers give the prompt back."""
    if stage.visit.aggregates is not None:
        return priced(told_cautions(stage, found), stage.price)
    internal = int((stage.records["error"] == ErrorClass.INTERNAL).sum())
    invalid = [*_broken_run(stage, internal), *_broken_stage(stage, internal)] or _not_whole(stage.visit)
    return priced(invalid or _suspect(stage, found, echo), stage.price)


def _suspect(stage: Stage, found: StageFigures, echo: Echo | None) -> typing.Iterator[Caution]:
    """In the order in which they are told."""
    yield from _load_cautions(stage, found)
    for look in (unknown_client, clock_cautions, lag_cautions):
        yield from look(stage)
    yield from _sample_cautions(stage, found)
    yield from token_cautions(stage)
    yield from echo_cautions(stage, echo)
    for look in (stream_cautions, served_cautions, endpoint_cautions, _settle_cautions):
        yield from look(stage)
    if stage.open_loop:
        yield from open_cautions(stage.loaded)
        yield from trace_cautions(stage)
        yield from ramp_cautions(stage)
    yield from cpu_cautions(stage.visit)
    if _cut_short(stage.visit):
        yield caution("cut_short")
    if stage.run.manifest.status == "running":
        yield caution("not_closed")


def _not_whole(visit: StageWindow) -> list[Caution]:
    """Where nothing says why."""
    skipped = visit.ended_by == "skip" and visit.measure_from is None
    return [] if visit.whole or skipped or _cut_short(visit) else [caution("not_whole")]


def _cut_short(visit: StageWindow) -> bool:
    """By the run's end: its window or its hold."""
    unheld = visit.hold_until is None and visit.ended_by != "skip"
    return not visit.whole and (visit.ended_by in ("budget", "stop") or unheld)


def _broken_run(stage: Stage, internal: int) -> typing.Iterator[Caution]:
    """What the run says itself; not of errors of class internal where the stage's own are counted."""
    run = stage.run
    concerned = [p.text for p in run.manifest.problems if p.stages is None or stage.visit.stage in p.stages]
    at_workers = [] if stage.visit.whole else run.lost_at_workers
    for text in dict.fromkeys(text.rstrip(".") for text in (*concerned, *at_workers)):
        if internal and text == FAILED_INSIDE:
            continue
        what, _, remedy = text.partition("; ")  # as errors have it
        if run.manifest.imported:
            yield caution("told_by_import", text=text)
        elif remedy:
            yield caution("told_with_remedy", text=what, remedy=remedy)
        else:
            yield caution("told_by_run", text=text)
    for text in dict.fromkeys(text.rstrip(".") for text in run.lost):
        yield caution("file_damaged", text=text)


def _broken_stage(stage: Stage, internal: int) -> typing.Iterator[Caution]:
    if internal:
        yield caution("internal", requests=internal)
    if stage.window is None:
        yield caution("no_window", text=stage.why_no_window)
        return
    if stage.measured.empty:
        longest, window_s = stage.records["latency_ms"].max() / 1000, stage.known_window[1] - stage.known_window[0]
        if longest > window_s:  # NaN without a record
            yield caution("short_window", window_s=window_s, longest_s=longest)
        else:
            yield caution("empty_window")
    manifest = stage.run.manifest
    latest = max(v.started_at for v in manifest.stages)
    if manifest.status == "running" and stage.visit.started_at == latest:
        yield caution("not_closed_during")


def expected_in_flight(users: float, mean_s: float, think_s: float, error_pause_s: float, error_rate: float) -> float:
    """Users in flight in a closed loop: each is so for mean_s of every mean_s + think + pause after a failure."""
    return users * mean_s / (mean_s + think_s + error_rate * error_pause_s) if mean_s else 0.0


def _due(stage: Stage, found: StageFigures) -> float | None:
    """stage: of a mix all its parts, and `found` theirs. Requests that should be in flight; None where none was measured.

    With retries the users between two attempts are not in flight, and those of a call think and pause once.
    """
    scenario, users = stage.run.scenario, stage.visit.users
    left = stage.measured["error_code"] == OwnCode.CLIENT_CANCELLED  # they were in flight as planned
    ended = stage.measured[(stage.measured["error"] != ErrorClass.CANCELLED) | left]
    if ended.empty or not users:
        return None
    mean_s, think_s = ended["latency_ms"].mean() / 1000, scenario.load_of(stage.target).think_s
    if stage.calls is None or not found.calls.calls:
        return expected_in_flight(users, mean_s, think_s, scenario.error_pause_s, found.outcome.error_rate or 0.0)
    attempts, rate = found.calls.attempts_per_call_mean or 0.0, found.calls.call_error_rate or 0.0
    sending = users - stage.calls.pausing(*stage.known_window)
    return expected_in_flight(sending, attempts * mean_s, think_s, scenario.error_pause_s, rate)


def _load_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[Caution]:
    loaded = stage.loaded
    if loaded is not stage:
        found = measurements(loaded)
    own = found.throughput.in_flight_mean or 0.0
    if found.sessions.there:
        yield from users_missing(loaded, found)
    elif (due := _due(loaded, found)) is not None and own < (1 - THRESHOLDS["users_missing"].limit) * due:
        yield caution("users_missing", own=own, due=due)
    everything = in_flight(*stage.run.under_way.between(*stage.known_window), *stage.known_window)
    if everything - own > THRESHOLDS["other_stages"].limit * everything:
        yield caution("other_stages", share=(everything - own) / everything)
    if late := dict(late_workers(loaded)):
        yield caution("late_worker", workers=tuple(late), after_s=tuple(late.values()))


def _settle_cautions(stage: Stage) -> typing.Iterator[Caution]:
    visit = stage.visit
    if visit.steady is not False or visit.measure_from is None:
        return
    settled_s = visit.measure_from - (visit.settle_from or visit.started_at)
    records = stage.loaded.records
    begun = records[records["phase"] == "settle"][["error", "ended"]].sort_values("ended")
    begun = begun[begun["error"] != ErrorClass.CANCELLED]
    later = begun["error"].iloc[len(begun) // 2 :]
    failed, ended = int(later.notna().sum()), int((begun["ended"] < stage.known_window[0]).sum())
    if 2 * failed > len(later):
        yield caution("settle_failing", settled_s=settled_s, failed=failed, calls=len(later))
    elif visit.users is not None and ended < visit.users:
        yield caution("settle_slow", settled_s=settled_s, ended=ended, users=visit.users)
    elif visit.users is not None:
        yield caution("drifting", settled_s=settled_s)
    else:
        yield caution("drifting_open", settled_s=settled_s)


def _sample_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[Caution]:
    outcome, prompts = found.outcome, found.instrument
    yield from success_cautions(outcome.successes or 0)
    yield from few_sessions(found.sessions)
    yield from turn_mix(found.sessions)
    yield from prompt_cautions(stage, found)
    yield from length_cautions(stage)
    reconnects, requests = prompts.reconnects or 0, outcome.requests or 0
    if reconnects > THRESHOLDS["reconnects"].limit * requests:
        yield caution("reconnects", share=reconnects / requests, requests=requests)
