"""The repetitions of a level as one candidate: all their requests together, so that no lucky one is picked.

Stages of the same place, payload and level are repetitions of each other: by `repeat:`, by a search that measured a level
twice, or by several runs. INVALID ones are left out where others remain, and the candidate says so.

Percentiles, means and counts are those of all requests, rates those over all windows, a limit is met only if each repetition
met it, and missed if one missed it.
"""

import dataclasses
import typing

from analysis.cost.transaction_cost import stage_cost
from analysis.metrics.stage_metrics import without_window
from analysis.runs.run_reader import Run
from analysis.verdicts.caution import Caution, alike, brief, caution, trust_of
from analysis.verdicts.check import Check, State, overall
from analysis.verdicts.echoes import echo_of
from analysis.verdicts.intervals import with_intervals
from analysis.verdicts.pooled_intervals import pooled_intervals, pooled_series, widened, wider, wider_times
from analysis.verdicts.session_cautions import few_sessions
from analysis.verdicts.session_intervals import session_intervals, session_series
from analysis.verdicts.slo_checks import check
from analysis.verdicts.stage_results import Result
from analysis.verdicts.stages_again import StagesAgain, conversations_again
from analysis.verdicts.told_stages import success_cautions
from analysis.words.spread import Spread
from analysis.words.stage_figures import StageFigures, Throughput
from analysis.words.told import told_together
from locustfiles.contract.prices.price import Price

MOST_NAMED = 3  # runs that a candidate's name names
Value = typing.Callable[[StageFigures], float | None]


def groups_of(results: list[Result]) -> list[list[Result]]:
    """The stages by level of a place, each level's repetitions in the order measured. Prompts are taken to be the same where no
    two payload files of the name are known to differ."""
    files: dict[tuple, set[str | None]] = {}
    for r in results:
        files.setdefault((r.place, r.payload), set()).add(r.prompts)
    found: dict[tuple, list[Result]] = {}
    for r in results:
        prompts = r.prompts if len(files[r.place, r.payload] - {None}) > 1 else None
        found.setdefault((r.place, r.payload, prompts, r.figures.users, r.figures.rate), []).append(r)
    return list(found.values())


def candidates_among(runs: list[Run], prices: dict[str, dict[str, Price]], results: list[Result]) -> list[Result]:
    """One Result a level: the stage itself where it was measured once; stages of one place are repetitions of each other, whichever
    run they are of. prices: run -> target -> its price."""
    stages = StagesAgain(runs, prices)
    return [group[0] if len(group) == 1 else _pooled(stages, group) for group in groups_of(results)]


def _pooled(stages: StagesAgain, group: list[Result]) -> Result:
    kept = [r for r in group if r.trusted] or group
    stage, each = stages.of(kept), [r.figures for r in kept]
    found = told_together(each) if stage.visit.aggregates is not None else _together(without_window(stage), each)
    if stage.window is not None:
        stage = dataclasses.replace(stage, window=(0.0, found.outcome.window_s or 0.0))
    cost = stage_cost(stage, found)
    talk = conversations_again(stages, stage, kept, cost.figures)
    found = dataclasses.replace(
        found, cost=cost.figures, sessions=wider_times(talk.sessions, [f.sessions for f in each])
    )
    checks = [_check(list(same)) for same in zip(*_same_checks(stages, kept), strict=True)]
    intervals = kept[0].intervals if len(kept) == 1 else pooled_intervals(stage, found, kept, cost.billed)
    if len(kept) > 1:
        intervals |= widened(session_intervals(stage, found, talk.table, intervals), found, kept)
    cautions = _cautions(kept, group, found)
    found = dataclasses.replace(found, trust=trust_of(cautions), limits=overall(checks))
    batches = (f.throughput.batches for f in each)
    found = with_intervals(found, intervals, next((words for words in batches if words), ""))
    members, who = tuple(r.key for r in kept), who_of(kept)
    series = kept[0].series if len(kept) == 1 else pooled_series(stage, found, kept)
    if len(kept) > 1:
        series |= widened(session_series(talk.table), found, kept)
    place, prompts, echo = kept[0].place, kept[0].prompts, echo_of(stage)
    good_by = kept[0].good_by
    return Result(found, checks, intervals, cost.reason, who, members, series, place, prompts, echo, good_by, cautions)


def _same_checks(stages: StagesAgain, kept: list[Result]) -> list[list[Check]]:
    """Each repetition's checks of all limits that one of them has: runs may disagree on them, and what was measured keeps all."""
    criteria = {c.criterion.text: c.criterion for r in kept for c in r.checks}
    every = []
    for r in kept:
        own = {c.criterion.text: c for c in r.checks}
        missing = {text for text in criteria if text not in own}
        stage = stages.of([r]) if missing else None
        every.append(
            [
                own[text] if stage is None or text in own else check(criterion, stage, r.figures, r.cost_reason)
                for text, criterion in criteria.items()
            ]
        )
    return every


def who_of(some: list[Result]) -> str:
    """Results of one place in texts: `p4d`, of several runs `p4d` of runs monday and tuesday; `p4d` of run monday and `old` of
    run tuesday."""
    runs = list(dict.fromkeys(key.run for r in some for key in (r.members or (r.key,))))
    names = list(dict.fromkeys(r.figures.identity.target for r in some))
    if len(runs) == 1 or len(names) > 1:
        return " and ".join(dict.fromkeys(r.who for r in some))
    listed = (
        f"{', '.join(runs[:-1])} and {runs[-1]}" if len(runs) <= MOST_NAMED else f"{runs[0]} and {len(runs) - 1} more"
    )
    return f"`{names[0]}` of runs {listed}"


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


def _cautions(kept: list[Result], group: list[Result], together: StageFigures) -> tuple[Caution, ...]:
    """Those of the repetitions, each with the numbers of those that it is of; but how many successes, and conversations that finished,
    there are is judged of all together. An INVALID one beside others is left out, and said so."""
    numbers = {id(r): n for n, r in enumerate(group, 1)}
    of_each = [dataclasses.replace(c, repetitions=(numbers[id(r)],)) for r in kept for c in r.cautions]
    found: list[Caution] = []
    if kept[0].trusted:
        found = [*success_cautions(together.outcome.successes), *few_sessions(together.sessions)]
    for same in alike(c for c in of_each if c.kind not in ("few_successes", "no_success", "few_sessions")):
        of_all = len({c.repetitions for c in same}) == len(kept)
        found += [dataclasses.replace(c, repetitions=()) for c in same] if of_all else same
    left_out = [r for r in group if kept[0].trusted and not r.trusted]
    found += [caution("left_out", repetitions=numbers[id(r)], why=brief(r.cautions)) for r in left_out]
    return tuple(found)
