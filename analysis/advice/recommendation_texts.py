"""The recommendation's sentences: what was picked, how it stands, against whom, and what was cheaper but not chosen."""

import collections
import typing

from analysis.advice.choice import Choice, best_level, cheapest, few_errors, least, priced, too_many_errors, valid
from analysis.advice.tie import SAME, why_tied
from analysis.verdicts.caution import brief, headline
from analysis.verdicts.check import Check, open_checks
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.stage_figures import StageFigures
from analysis.words.user_perceived import errors_text, perceived, whose
from analysis.words.value_text import instances_of, per_10k, ten_thousand

Quality = typing.Callable[[Result], str]  # of a stage's target, in words: `quality 0.71`; empty: not known
IN_FULL = 3  # models that a headline tells, cheapest first


def most_missed(results: list[Result]) -> str | None:
    """The limit that most stages missed, in words."""
    counts = collections.Counter(c.criterion.text for r in results for c in r.checks if c.state == "missed")
    return counts.most_common(1)[0][0] if counts else None


def why_none(results: list[Result]) -> str:
    """Why none of these stages can be picked: the true reason, a sentence."""
    n = len(results)
    invalid = [r for r in results if not r.trusted]
    trusted = [r for r in results if r.trusted]
    if not results:
        return "it was not measured."
    if not trusted:
        return f"{'its only stage is' if n == 1 else f'all its {n} stages are'} INVALID ({invalid[0].figures.trust.reasons})."
    missed = [r for r in trusted if r.figures.limits.slo == "missed"]
    parts = []
    if missed:
        worst = most_missed(trusted)
        count = sum(1 for r in trusted for c in r.checks if c.criterion.text == worst and c.state == "missed")
        parts.append(f"{len(missed)} of {n} stages missed a limit, most often {worst} ({count} of {n})")
    costless = [r for r in trusted if r not in missed and r.usd is None]
    if costless:
        parts.append(f"{len(costless)} of {n} have no cost ({costless[0].cost_reason})")
    if invalid:
        parts.append(f"{len(invalid)} of {n} are INVALID ({invalid[0].figures.trust.reasons})")
    return "; ".join(parts) + "."


def _at(result: Result) -> str:
    return f"{result.who} at {level_text(result.figures)}"


def with_price(result: Result) -> str:
    repeats = f" ({len(result.members)} repetitions together)" if len(result.members) > 1 else ""
    where = f"{result.who} ({instances_of(result.figures)}) at {level_text(result.figures)}{repeats}"
    failed = "" if few_errors(result) else f", with {errors_text(result.figures)}"
    return f"{where}: {per_10k(result.figures)}{failed}"


def speed(figures: StageFigures) -> str:
    latency = perceived(figures).latency
    rate = f"{show.number(figures.throughput.transactions_per_minute)} transactions per minute"
    if figures.outcome.error_rate:
        attempts = f"{show.percent(figures.outcome.error_rate)} errors of attempts, "
        rate += f", {attempts if figures.retried else ''}{errors_text(figures)}"
    return f"{rate}, latency{whose(figures)} mean {show.seconds(latency.mean)}, p95 {show.seconds(latency.p95)}."


def standing(choice: Choice, criteria: list[str]) -> str:
    if not choice.pick.checks:
        return "No limits were set for it." if criteria else "No limits were set."
    if not choice.open:
        at_worst = "at worst " if len(choice.pick.members) > 1 else ""
        return f"It keeps every limit: {', '.join(_headroom(c, at_worst) for c in choice.pick.checks)}."
    return f"No stage is known to keep every limit; here nothing was missed, but {open_limits(choice.pick)}."


def open_limits(result: Result) -> str:
    """`undecided: latency p95 ≤ 2 s (too few samples: 60, 0 of them above)`"""
    checks = open_checks(result.checks)
    parts = {state: ", ".join(c.open_text for c in checks if c.state == state) for state in ("undecided", "unknown")}
    return "; ".join(f"{state}: {texts}" for state, texts in parts.items() if texts)


def _headroom(check: Check, at_worst: str) -> str:
    """`latency p95 ≤ 2 s (1.50 s, 25.0 % below)`; at_worst: what is said before a figure that is the worst repetition's."""
    parts = (at_worst + check.criterion.show(check.value), check.criterion.headroom(check.value))
    return f"{check.criterion.text} ({', '.join(part for part in parts if part)})"


def label_of(choice: Choice) -> str | None:
    """What must stand beside the pick."""
    labels = [] if few_errors(choice.pick) else [f"the best only of those with errors: {too_many_errors(choice.pick)}"]
    if choice.pick.figures.trust.verdict == "SUSPECT":
        labels.append(f"SUSPECT: {headline(choice.pick.cautions)}")
    if choice.open:
        labels.append(f"{choice.pick.figures.limits.slo} against its limits")
    return "; ".join(labels) or None


def suspect(result: Result) -> str:
    """`SUSPECT: 2.78 requests in flight where 4.00 were due, so its price is too high`"""
    return f"SUSPECT: {brief(result.cautions)}"


def cheaper_ones(choice: Choice) -> list[str]:
    """What would have cost less and why it was not chosen: the cheapest outside the pool, and of the pool's."""
    outside = [r for r in choice.cheaper if r not in choice.pool]
    inside = [r for r in choice.cheaper if r in choice.pool]
    found = []
    for group in (outside, inside):
        if group:
            rest = f" ({len(group) - 1} more like it)" if len(group) > 1 else ""
            found.append(
                f"Cheaper but not chosen{rest}: {_price_of(group[0], choice.pick)}, for {_why_not(group[0], choice)}."
            )
    return found


def _price_of(result: Result, pick: Result) -> str:
    if result.usd is None:
        return f"perhaps {_at(result)} ({ten_thousand(least(result))} per 10,000 or more)"
    return f"{_at(result)} ({ten_thousand(result.usd)} per 10,000, {show.number(100 * (1 - result.usd / priced(pick)))} % less)"


def _why_not(result: Result, choice: Choice) -> str:
    if result in choice.pool:
        taken = best_level([r for r in choice.pool if r.place == result.place])
        taken = choice.pick if taken in (choice.pick, result) else taken
        by = "a VALID one" if valid(taken) and not valid(result) else "the one of most transactions"
        others = "these two costs are" if taken is choice.pick else f"its cost and that of {_at(taken)} are"
        doubt = f" (it is {suspect(result)})" if by == "a VALID one" else ""
        return f"{others} a tie, and of such {by} is taken{doubt}"
    reasons = [open_limits(result)] if open_checks(result.checks) else []
    if not few_errors(result):
        reasons.append(f"it has {too_many_errors(result)}")
    if result.usd is None:
        reasons.append(f"its cost has no upper bound ({result.cost_reason})")
    if result.figures.trust.verdict == "SUSPECT":
        reasons.append(f"and {suspect(result)}")
    return "it is " + "; ".join(reasons) if open_checks(result.checks) else "; ".join(reasons)


def cheapest_valid(choice: Choice) -> str:
    """Beside a SUSPECT pick: the one that needs no such label."""
    sound = [r for r in choice.pool if valid(r)]
    if valid(choice.pick) or not sound:
        return ""
    best = cheapest(sound)
    return f"The cheapest VALID one is {_at(best)} ({ten_thousand(best.usd)} per 10,000)."


def against(pick: Result, runner_up: Result | None, margin: float | None, tied: bool | None) -> str:
    if runner_up is None:
        return "There is no runner-up: no other stage qualifies."
    cost = f"{ten_thousand(runner_up.usd)} per 10,000"
    if margin is not None and abs(margin) <= SAME:
        cost += " as well"
    elif margin is not None:
        cost += f", {show.number(100 * abs(margin))} % {'more' if margin >= 0 else 'less'}"
    if not tied:
        return f"Runner-up: {_at(runner_up)} ({cost})."
    return f"A tie with {_at(runner_up)} ({cost}): {why_tied(pick, runner_up)}."


def per_model(dataset: str, picks: typing.Mapping[str, Result | None], quality: Quality | None) -> str:
    """By model, the best price-performance for `en`: Mistral 7B $13.35 per 10,000 (`m7` at 4 users); … The cheapest first."""
    known = sorted(((m, r) for m, r in picks.items() if r is not None), key=lambda pair: priced(pair[1]))
    none = [model for model, r in picks.items() if r is None]
    told = [_of_model(model, r, quality) for model, r in known[:IN_FULL]]
    if more := len(known) - IN_FULL:
        told += [f"{more} dearer, listed below"] if more > 0 else []
    told += [f"none of {', '.join(none)} can be recommended"] if none else []
    return f"By model, the best price-performance for `{dataset}`: {'; '.join(told)}."


def _of_model(model: str, pick: Result, quality: Quality | None) -> str:
    mark = "" if valid(pick) else f", {pick.figures.trust.verdict}"
    of = f", {words}" if quality and (words := quality(pick)) else ""
    errors = "" if few_errors(pick) else f", {errors_text(pick.figures)}"
    slo = pick.figures.limits.slo
    limits = f", {slo} against its limits" if slo in ("undecided", "unknown") else ""
    return f"{model} {ten_thousand(pick.usd)} per 10,000 ({_at(pick)}{of}{errors}{mark}{limits})"


def across(pick: Result, models: typing.Mapping[str, list[Result]], quality: Quality | None) -> str:
    """The cheapest of all models, which is no choice between them."""
    measured = quality is not None and all(quality(some[0]) for some in models.values())
    mind = (
        "weigh its price against the quality that their labels tell"
        if measured
        else "how good their answers are was not measured here"
    )
    return f"Across these {len(models)} models, which do not answer alike ({mind}), it is {with_price(pick)}."
