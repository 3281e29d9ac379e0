"""The repetitions of a level as one candidate: all their requests together, so that no lucky one is picked.

Stages of the same run, target, payload and level are repetitions of each other, by `repeat:` or by a search that measured a
level twice. INVALID ones are left out where others remain, and the candidate says so.

Percentiles, means and counts are those of all requests, rates those over all windows, a limit is met only if each repetition
met it, and missed if one missed it.
"""

import dataclasses
import typing

from analysis.cost.transaction_cost import stage_cost
from analysis.metrics.stage_metrics import without_window
from analysis.runs.run_reader import Run
from analysis.runs.stage import Stage, stage_of
from analysis.verdicts.intervals import with_intervals
from analysis.verdicts.pooled_intervals import pooled_intervals, pooled_series, wider
from analysis.verdicts.slo_check import Check, State, overall
from analysis.verdicts.stage_results import Result
from analysis.words.spread import Spread
from analysis.words.stage_figures import StageFigures, Throughput, Trust, Verdict
from analysis.words.told import told_together
from locustfiles.contract.prices.price import Price

Value = typing.Callable[[StageFigures], float | None]


def groups_of(results: list[Result]) -> list[list[Result]]:
    """The stages by level, each level's repetitions in the order measured."""
    found: dict[tuple, list[Result]] = {}
    for r in results:
        found.setdefault((*r.place, r.payload, r.figures.users, r.figures.rate), []).append(r)
    return list(found.values())


def candidates_of(run: Run, prices: dict[str, Price], results: list[Result]) -> list[Result]:
    """One Result a level of a run: the stage itself where it was measured once."""
    positions: typing.Mapping[typing.Any, typing.Any] | None = None
    visits = {v.stage: v for v in run.manifest.stages}
    found: list[Result] = []
    for group in groups_of(results):
        if len(group) == 1:
            found += group
            continue
        positions = positions or run.records.groupby("stage").indices
        kept = [r for r in group if r.trusted] or group
        stage = stage_of(run, [visits[r.key.stage] for r in kept], prices[group[0].figures.identity.target], positions)
        found.append(_pooled(stage, kept, group))
    return found


def _pooled(stage: Stage, kept: list[Result], group: list[Result]) -> Result:
    each = [r.figures for r in kept]
    found = told_together(each) if stage.visit.aggregates is not None else _together(without_window(stage), each)
    if stage.window is not None:
        stage = dataclasses.replace(stage, window=(0.0, found.outcome.window_s or 0.0))
    cost = stage_cost(stage, found)
    found = dataclasses.replace(found, cost=cost.figures)
    checks = [_check(list(same)) for same in zip(*(r.checks for r in kept), strict=True)]
    intervals = kept[0].intervals if len(kept) == 1 else pooled_intervals(stage, found, kept, cost.billed)
    found = dataclasses.replace(found, trust=_trust(kept, group), limits=overall(checks))
    batches = (f.throughput.batches for f in each)
    found = with_intervals(found, intervals, next((words for words in batches if words), ""))
    series = kept[0].series if len(kept) == 1 else pooled_series(stage, found, kept)
    return Result(found, checks, intervals, cost.reason, kept[0].who, tuple(r.key.stage for r in kept), series)


def _together(of_all: StageFigures, each: list[StageFigures]) -> StageFigures:
    """of_all: what all requests together tell. Rates are means over all windows, a worker's load that of the worst one."""

    def mean(value: Value) -> float | None:
        return _mean(each, value)

    def worst(value: Value) -> float | None:
        return max(_known(each, value), default=None)

    found = dataclasses.replace(
        of_all,
        identity=dataclasses.replace(each[0].identity, repeat=None),
        outcome=dataclasses.replace(of_all.outcome, window_s=sum(_known(each, _window_s)) or None),
        tokens=dataclasses.replace(
            of_all.tokens,
            prompt_tokens_per_s=mean(lambda f: f.tokens.prompt_tokens_per_s),
            completion_tokens_per_s=mean(lambda f: f.tokens.completion_tokens_per_s),
        ),
        throughput=Throughput(
            throughput_per_s=mean(lambda f: f.throughput.throughput_per_s),
            transactions_per_minute=mean(lambda f: f.throughput.transactions_per_minute),
            goodput_per_s=mean(lambda f: f.throughput.goodput_per_s),
            in_flight_mean=mean(lambda f: f.throughput.in_flight_mean),
        ),
        open_loop=dataclasses.replace(
            of_all.open_loop, rate_achieved_per_s=mean(lambda f: f.open_loop.rate_achieved_per_s)
        ),
        instrument=dataclasses.replace(
            of_all.instrument,
            worker_cpu_max=worst(lambda f: f.instrument.worker_cpu_max),
            worker_lag_ms_max=worst(lambda f: f.instrument.worker_lag_ms_max),
        ),
        ended_by=", ".join(dict.fromkeys(f.ended_by for f in each if f.ended_by)),
    )
    return _all_widened(found, each)


def _all_widened(found: StageFigures, each: list[StageFigures]) -> StageFigures:
    def widened(of: typing.Callable[[StageFigures], Spread]) -> Spread:
        return wider(of(found), [of(f) for f in each])

    return dataclasses.replace(
        found,
        latency=widened(lambda f: f.latency),
        ttft=widened(lambda f: f.ttft),
        tpot=widened(lambda f: f.tpot),
        open_loop=dataclasses.replace(
            found.open_loop,
            intended_latency=widened(lambda f: f.open_loop.intended_latency),
            intended_ttft=widened(lambda f: f.open_loop.intended_ttft),
        ),
        calls=dataclasses.replace(
            found.calls,
            first_attempt_latency=widened(lambda f: f.calls.first_attempt_latency),
            call_latency=widened(lambda f: f.calls.call_latency),
            call_ttft=widened(lambda f: f.calls.call_ttft),
        ),
    )


def _known(each: list[StageFigures], value: Value) -> list[float]:
    return [known for f in each if (known := value(f)) is not None]


def _window_s(figures: StageFigures) -> float | None:
    return figures.outcome.window_s


def _mean(each: list[StageFigures], value: Value) -> float | None:
    """Over all windows; None where one repetition's is not known."""
    windows, values = _known(each, _window_s), _known(each, value)
    if len(values) < len(each) or len(windows) < len(each) or not all(windows):
        return None
    return sum(v * w for v, w in zip(values, windows, strict=True)) / sum(windows)


def _check(same: list[Check]) -> Check:
    """One limit at all repetitions: met only where each one says so, missed where one does. The value is the worst one's."""
    states = [c.state for c in same]
    values = [c.value for c in same]
    known, beyond = [v for v in values if v is not None], any(c.beyond for c in same)
    worst = same[0].criterion.worst(known) if len(known) == len(values) else None
    n = sum(c.n or 0 for c in same)
    if len(set(states)) == 1:
        return dataclasses.replace(same[0], value=worst, n=n, beyond=beyond)
    counts = ", ".join(
        f"{state} in {states.count(state)}" for state in ("met", "missed", "undecided", "unknown") if state in states
    )
    order: tuple[State, ...] = ("missed", "unknown", "undecided")
    state = next(s for s in order if s in states)
    return Check(same[0].criterion, worst, state, f"of {len(same)} repetitions {counts}", n, beyond)


def _trust(kept: list[Result], group: list[Result]) -> Trust:
    """The worst one's; reasons by repetition, one that is INVALID beside others is left out and said so."""
    all_invalid = not kept[0].trusted
    numbers: dict[tuple[str, str], list[str]] = {}
    for number, r in enumerate(group, 1):
        if why := r.figures.trust.reasons:
            left_out = "" if r.trusted or all_invalid else " (INVALID, left out)"
            numbers.setdefault((left_out, why), []).append(str(number))
    reasons = [f"repetition {', '.join(n)}{left_out}: {why}" for (left_out, why), n in numbers.items()]
    verdict: Verdict = "INVALID" if all_invalid else "SUSPECT" if reasons else "VALID"
    return Trust(verdict=verdict, reasons="; ".join(reasons))
