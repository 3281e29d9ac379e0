"""The cases of a gate that compare a run with a baseline: figure by figure, over the levels of each target and payload.

A figure is missed where it is worse by more than the tolerance, at one level or over all; it is met where the levels together are
not; what can be neither said nor denied is undecided, and so is a level that has the figure in one of the runs alone. All that is
asked has one error rate (regressions.py).
"""

import dataclasses
import re
import typing

from analysis.comparison.align import key_of, payloads_of, targets_of
from analysis.gate.case import BASELINE, Case, GateState
from analysis.runs.run_reader import Run
from analysis.verdicts.difference import OF_LIMITS, SHARES, Difference
from analysis.verdicts.regressions import (
    FAMILY_ERROR,
    SHARE_TOLERANCE,
    Pair,
    Regression,
    holm,
    how_many_tell,
    regressions,
)
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column, columns
from analysis.words.level import is_open, level_text, short_level, value_of

#: what is asked where nobody names figures, as a user perceives them; costs by the hour follow from the throughput
_CLOSED = columns(lambda f: (f.latency.p50, f.latency.p95, f.ttft.p50, f.ttft.p95))
_OF_CALLS = columns(
    lambda f: (f.calls.call_latency.p50, f.calls.call_latency.p95, f.calls.call_ttft.p50, f.calls.call_ttft.p95)
)
_OPEN = columns(
    lambda f: (
        f.open_loop.intended_latency.p50,
        f.open_loop.intended_latency.p95,
        f.open_loop.intended_ttft.p50,
        f.open_loop.intended_ttft.p95,
    )
)
_THROUGHPUT = columns(lambda f: (f.throughput.throughput_per_s,))
_ERRORS, _CALL_ERRORS = columns(lambda f: (f.outcome.error_rate,)), columns(lambda f: (f.calls.call_error_rate,))
_USD = columns(lambda f: (f.cost.usd_per_transaction,))


@dataclasses.dataclass(frozen=True, slots=True)
class Aligned:
    """pairs: (baseline, now) of one level; missing: the baseline's stages that this run lacks; new: the other way round."""

    pairs: list[Pair]
    missing: list[Result]
    new: list[Result]


def align(base: list[Result], now: list[Result], runs: tuple[Run, Run]) -> Aligned:
    """By target (else by model), payload (else by its file's hash) and level, as `compare` does. runs: the baseline and this one."""
    names = targets_of(base, now, of_service=True)
    payloads = payloads_of(
        *({r.payload: _hash(run, r) for r in some} for run, some in zip(runs, (base, now), strict=True))
    )
    ours = {key_of(r, _target(r), r.payload): r for r in base}
    known = [r for r in now if _target(r) in names and r.payload in payloads]
    theirs = {key_of(r, names[_target(r)], payloads[r.payload]): r for r in known}
    pairs = [(ours[key], result) for key, result in theirs.items() if key in ours]
    paired = {id(result) for pair in pairs for result in pair}
    missing, new = ([r for r in some if id(r) not in paired] for some in (base, now))
    return Aligned(pairs, missing, new)


def _hash(run: Run, result: Result) -> str | None:
    """SHA-256 of the payload file, where it is known."""
    digest = run.manifest.payloads.get(result.payload, {}).get("sha256")
    return str(digest) if digest else None


def baseline_cases(
    aligned: Aligned, runs: tuple[Run, Run], asked: typing.Sequence[Column], tolerance: float
) -> typing.Iterator[Case]:
    """asked: the figures, none: those of every kind of stage; tolerance: as a share; runs: the baseline and this one."""
    if not aligned.pairs:
        yield Case(BASELINE, "has stages in common", "undecided", "no stage of this run is in the baseline")
    if aligned.missing:
        told = f"not in this run: {'; '.join(map(stage_text, aligned.missing))}"
        yield Case(BASELINE, "measured as the baseline was", "undecided", told)
    files = {now.payload: (_hash(runs[0], base), _hash(runs[1], now)) for base, now in aligned.pairs}
    for payload, (was, is_now) in files.items():
        if was and is_now and was != is_now:
            told = "the payload file is another one: its prompts differ from the baseline's; make a new baseline"
            yield Case(BASELINE, "asked the same prompts", "undecided", told, payload=payload)
    sound = [pair for pair in aligned.pairs if all(r.trusted for r in pair)]
    for base, now in aligned.pairs:
        if not base.trusted:
            why = f"INVALID: {base.figures.trust.reasons or 'no reason was recorded'}"
            yield Case(
                BASELINE, "the baseline can be trusted", "undecided", why, _target(now), now.payload, _level([now])
            )
    yield from _cases(judged(sound, asked, tolerance), tolerance)


def judged(pairs: list[Pair], asked: typing.Sequence[Column], tolerance: float) -> list[Regression]:
    """All figures at all levels, as one family whatever the kinds of its stages."""
    kinds: dict[tuple[Column, ...], list[Pair]] = {}
    for pair in pairs:
        kinds.setdefault(tuple(asked) or _columns_of(pair[1]), []).append(pair)
    found = [r for some, group in kinds.items() for r in regressions(group, some, tolerance)]
    adjusted = holm([r.p for r in found])
    return [
        dataclasses.replace(r, adjusted=q, state="undecided")
        if r.state == "regressed" and q is not None and q > FAMILY_ERROR
        else dataclasses.replace(r, adjusted=q)
        for r, q in zip(found, adjusted, strict=True)
    ]


def _columns_of(result: Result) -> tuple[Column, ...]:
    figures = result.figures
    times = _OPEN if is_open(figures) else _OF_CALLS if figures.retried else _CLOSED
    costs = _USD if figures.cost.price_basis == "tokens" else ()
    return (*times, *_THROUGHPUT, *(_CALL_ERRORS if figures.retried else _ERRORS), *costs)


def _cases(found: list[Regression], tolerance: float) -> typing.Iterator[Case]:
    groups: dict[tuple, list[Regression]] = {}
    for one in found:
        now = one.pairs[0][1]
        groups.setdefault((_target(now), now.payload, is_open(now.figures), one.column), []).append(one)
    for (target, payload, _, column), some in groups.items():
        levels = [r.pairs[0][1] for r in some if r.pair]
        pooled = next((r for r in some if not r.pair), None)
        yield Case(
            group=BASELINE,
            name=_name(column, tolerance),
            state=_state(pooled, [r for r in some if r.pair]),
            told=_told(pooled, [r for r in some if r.pair]),
            target=target,
            payload=payload,
            level=_level(levels),
            limit=tolerance,
        )


def _state(pooled: Regression | None, levels: list[Regression]) -> GateState:
    each = {r.state for r in levels}
    if "regressed" in each or (pooled and pooled.state == "regressed"):
        return "missed"
    if any(r.state == "not known" and _hides_a_worse_one(r) for r in levels):
        return "undecided"
    if pooled:
        return "met" if pooled.state == "not worse" else "undecided"
    return "met" if each == {"not worse"} else "undecided"


def _hides_a_worse_one(level: Regression) -> bool:
    """Where no interval is known: whether the figure is missing, or worse by more than the tolerance for all that is known."""
    found = level.difference
    if found is None or not found.ratio:
        return True
    worse = found.ratio if level.column.better == "lower" else 1 / found.ratio
    return worse - 1 > level.tolerance


def _told(pooled: Regression | None, levels: list[Regression]) -> str:
    """The change over all levels, then of those that matter by themselves."""
    parts = [] if pooled is None else [f"{_change(pooled.difference)} over {_levels(levels)}"]
    for one in levels:
        at = "" if len(levels) == 1 else f"at {level_text(one.pairs[0][1].figures)} "
        if pooled is None or one.state in ("regressed", "not known"):
            parts.append(at + (_change(one.difference) if one.difference else _why_none(one)))
    of = pooled or (levels[0] if len(levels) == 1 else None)
    if of is not None and of.state == "undecided" and of.smallest is not None:
        shares = of.difference is not None and of.difference.shares is not None
        least = f"{_points(of.smallest)} points" if shares else _percent(of.smallest)
        alone = of.p is not None and of.p <= FAMILY_ERROR / 2
        why = "worse for itself, but not surely among all that is asked" if alone else "too few samples to tell"
        parts.append(f"{why}: these would show {least} four times of five")
    return "; ".join(parts)


def _why_none(one: Regression) -> str:
    base, now = (one.column.of(r.figures) for r in one.pairs[0])
    if one.column in OF_LIMITS and base is not None and now is not None:
        return "not comparable: other limits make a request good"
    return "not known in one of the runs"


def _levels(levels: list[Regression]) -> str:
    """`3 levels`, `2 of 3 levels` where one has no interval and so no weight."""
    told = how_many_tell([r.difference for r in levels if r.difference])
    return f"{len(levels)} levels" if told == len(levels) else f"{told} of {len(levels)} levels"


def _change(found: Difference | None) -> str:
    """`+8.1 % (+6 % to +10.2 %)`; of shares `0 % → 1.2 % (+0.4 to +2.1 points)`"""
    if found is None:
        return "not known"
    if found.shares is not None:
        change = f"{show.percent(found.one)} → {show.percent(found.other)}"
        if found.low is None or found.high is None:
            return change
        return f"{change} ({_points(found.low)} to {_points(found.high)} points)"
    if found.ratio is None:
        return "no ratio, one of the two is 0"
    change = _percent(found.ratio - 1)
    if found.low is None or found.high is None:
        return f"{change} (too few samples for an interval)"
    return f"{change} ({_percent(found.low - 1)} to {_percent(found.high - 1)})"


def _points(share: float) -> str:
    """In hundredths: +0.4"""
    return f"{100 * share:+.3g}" if share else "0"


def _percent(share: float) -> str:
    """`+8.1 %`"""
    return f"{_points(share)} %"


def _name(column: Column, tolerance: float) -> str:
    """`latency p95 not worse by more than 5 %`"""
    name = column.name.removesuffix(f"_{column.unit}").replace("p99_9", "p99.9")
    words = column.heading or name.replace("_", " ")
    words = re.sub(r"\b(ttft|tpot|itl|usd)\b", lambda found: found[0].upper(), words)
    points = f", or {100 * SHARE_TOLERANCE:g} point" if column in SHARES else ""
    return f"{words} not worse by more than {show.percent(tolerance)}{points}"


def _target(result: Result) -> str:
    return result.figures.identity.target


def _level(results: list[Result]) -> str:
    """`5 users`, of several `1 to 20 users`"""
    figures = sorted((r.figures for r in results), key=value_of)
    last = level_text(figures[-1])
    return last if len(figures) == 1 else f"{short_level(figures[0])} to {last}"


def stage_text(result: Result) -> str:
    return f"{_target(result)} on {result.payload} at {level_text(result.figures)}"
