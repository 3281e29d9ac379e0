"""The cases of a gate that one run alone decides: its limits, whether it is whole, whether everything in it answered."""

import typing

from analysis.advice.cut_short import cut_short_runs
from analysis.advice.not_compared import not_compared
from analysis.gate.baseline import stage_text
from analysis.gate.case import LIMITS, RUN, Case, GateState
from analysis.runs.run_reader import Run, model_of
from analysis.verdicts.check import Check
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column, column
from analysis.words.level import level_text, value_of
from analysis.words.user_perceived import perceived
from analysis.words.value_text import ends_of
from locustfiles.contract.manifest import Finding

#: criterion -> the column whose interval stands beside its value
_COLUMNS: dict[str, Column] = {
    "latency_mean": column(lambda f: f.latency.mean),
    "session_p50": column(lambda f: f.sessions.session_time.p50),
    "session_p90": column(lambda f: f.sessions.session_time.p90),
    "session_p95": column(lambda f: f.sessions.session_time.p95),
    "throughput": column(lambda f: f.throughput.throughput_per_s),
    "output_tokens": column(lambda f: f.tokens.completion_tokens_per_s),
    "cost_per_transaction": column(lambda f: f.cost.usd_per_transaction),
    "cost_per_1m_output_tokens": column(lambda f: f.cost.usd_per_1m_output_tokens),
}


def limit_cases(run: Run, candidates: list[Result], strict: bool) -> typing.Iterator[Case]:
    """A case for each limit at each level, and one for each class that no stage is in. strict: what is only SUSPECT is not met.

    Of a search the levels above what it found are there to miss the limits: they are judged only by a file that names them.
    """
    searches = {(f.target, f.payload): f for f in run.manifest.findings} if run.limits is None else {}
    for result in candidates:
        found = searches.get((result.figures.identity.target, result.payload))
        if found is None or (found.answer is not None and value_of(result.figures) <= found.answer):
            yield from (_case(result, check, strict) for check in result.checks)
    yield from map(_searched, searches.values())
    classes = {} if run.limits is None else run.limits.classes
    seen = {check.criterion.slo_class for result in candidates for check in result.checks}
    for name, one in classes.items():
        if name not in seen:
            told = f"no stage of the run is one ({one.where.text}); it has {_stages(run)}"
            yield Case(name, "has a stage", "undecided", told)


def _searched(found: Finding) -> Case:
    none: GateState = "missed" if any("missed" in outcomes for outcomes in found.outcomes.values()) else "undecided"
    state: GateState = none if found.answer is None else "met" if found.confirmed else "undecided"
    name = f"a level keeps the limits (search by {found.of})"
    return Case(LIMITS, name, state, found.text, found.target, found.payload, value=found.answer)


def run_cases(run: Run, results: list[Result]) -> typing.Iterator[Case]:
    """What must not pass in silence, whatever the limits: stages that are missing, INVALID, or without an answer."""
    for cut in cut_short_runs([run]):
        yield Case(RUN, "measured whole", "undecided", cut.text)
    for one in not_compared([run]):
        state: GateState = "missed" if one.measured else "undecided"
        yield Case(RUN, "answered", state, one.why, one.target, one.payload or "")
    invalid: dict[tuple[str, str, str], list[str]] = {}  # repetitions of a level together
    for result in results:
        if not result.trusted:
            who = (result.figures.identity.target, result.payload, _level(result))
            invalid.setdefault(who, []).append(result.figures.trust.reasons or "no reason was recorded")
    for who, reasons in invalid.items():
        yield Case(RUN, "can be trusted", "undecided", f"INVALID: {'; '.join(dict.fromkeys(reasons))}", *who)


def without_limits(candidates: list[Result]) -> list[str]:
    """`p4d on en at 5 users`: what no limit is set for."""
    return [stage_text(r) for r in candidates if not r.checks]


def _case(result: Result, check: Check, strict: bool) -> Case:
    criterion, who, trust = check.criterion, result.figures.identity, result.figures.trust
    state: GateState = "undecided" if check.state == "unknown" else check.state
    told = [_figure(result, check), check.why or ""]
    if not result.trusted:
        state, told = "undecided", [*told, "INVALID"]
    elif trust.verdict == "SUSPECT":
        told.append("SUSPECT")
        state = "undecided" if strict and state == "met" else state
    if check.n is not None:
        told.append(f"n {show.count(check.n)}")
    return Case(
        group=criterion.slo_class or LIMITS,
        name=criterion.text,
        state=state,
        told=", ".join(part for part in told if part),
        target=who.target,
        payload=who.payload,
        level=_level(result),
        value=check.value,
        limit=criterion.limit,
        n=check.n,
    )


def _figure(result: Result, check: Check) -> str:
    """`1.21 s (1.10 s – 1.33 s)`, of repetitions together the worst one's: `at worst 1.21 s`."""
    if check.value is None:
        return ""
    shown = check.criterion.show(check.value)
    if len(result.stages) > 1:
        return f"at worst {shown}"
    interval = show.ends(check.criterion.show, *_ends(result, check))
    return f"{shown} ({interval})" if interval else shown


def _ends(result: Result, check: Check) -> tuple[float | None, float | None]:
    """The 95 % interval of the value, where one is known."""
    criterion, user = check.criterion, perceived(result.figures)
    spreads = {"latency": user.latency, "ttft": user.ttft, "tpot": result.figures.tpot}
    if criterion.of in spreads and criterion.statistic not in (None, "mean"):
        low, high = (getattr(spreads[criterion.of], f"{criterion.statistic}_{end}") for end in ("low", "high"))
        return low, high
    of = _COLUMNS.get("_".join(part for part in (criterion.of, criterion.statistic) if part))
    return (None, None) if of is None or of.of(result.figures) != check.value else ends_of(result, of)


def _level(result: Result) -> str:
    return level_text(result.figures)


def _stages(run: Run) -> str:
    """`targets p4d (model Llama 2 13B), payloads en, users 1, 5`: what a selector can name."""
    stages = run.manifest.stages
    targets = {s.target: model_of(run.target(s.target)) for s in stages}
    named = [target if target == model else f"{target} (model {model})" for target, model in targets.items()]
    users = dict.fromkeys(f"{s.users}" for s in stages if s.users is not None)
    rates = dict.fromkeys(f"{s.rate:g}" for s in stages if s.users is None and s.rate is not None)
    kinds = {"targets": named, "payloads": dict.fromkeys(s.payload for s in stages), "users": users, "rate": rates}
    return ", ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items() if names) or "no stage"
