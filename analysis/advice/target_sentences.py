"""One sentence per dataset and target: its best level, or the true reason why there is none."""

import typing

from analysis.advice.choice import Choice, choose, few_errors, too_many_errors
from analysis.advice.recommendation_texts import cheaper_ones, open_limits, suspect, why_none
from analysis.verdicts.place import Place
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import is_open, level_text, value_of
from analysis.words.stage_figures import Slo
from analysis.words.user_perceived import perceived, whose
from analysis.words.value_text import instances_of, per_10k


class Sentence(typing.NamedTuple):
    """`run`: its run or runs; `positive`: a level is recommended, that of `users` or `rate`; `slo`: how it stands to the limits."""

    run: str
    payload: str
    target: str
    instance_type: str | None
    positive: bool
    users: int | None
    rate: float | None
    slo: Slo | None
    recommendation: str


def sentences(results: list[Result]) -> list[Sentence]:
    """Of each payload and place, in the order they were measured."""
    groups: dict[tuple[Place, str], list[Result]] = {}
    for r in results:
        groups.setdefault((r.place, r.payload), []).append(r)
    return [_sentence(payload, group) for (_, payload), group in groups.items()]


def _sentence(payload: str, group: list[Result]) -> Sentence:
    run = ", ".join(dict.fromkeys(key.run for r in group for key in (r.members or (r.key,))))
    target, instance = group[0].figures.identity.target, group[0].figures.identity.instance_type
    choice = choose(group)
    best = choice.pick if choice else _fastest(group)
    if best is None:
        return Sentence(run, payload, target, instance, False, None, None, None, negative(group))
    level, slo = best.figures, best.figures.limits.slo
    return Sentence(run, payload, target, instance, True, level.users, level.rate, slo, positive(best, group, choice))


def _fastest(group: list[Result]) -> Result | None:
    """Where no stage has a cost: the one of most transactions that keeps the limits, of few errors if there is one."""
    good = [r for r in group if r.trusted and r.figures.limits.slo in ("met", "none") and r.per_minute]
    return max(good, key=lambda r: (few_errors(r), r.per_minute), default=None)


def positive(best: Result, group: list[Result], choice: Choice | None) -> str:
    """choice: None where no stage has a cost."""
    figures, latency = best.figures, perceived(best.figures).latency
    limits = ", ".join(f"`{c.criterion.text}`" for c in best.checks)
    if not few_errors(best):
        lead = f"With {too_many_errors(best)}, and only because nothing else qualifies, the best level"
    elif not best.checks:
        lead = "The best level"
    elif figures.limits.slo == "met":
        lead = f"Within {limits}, the best level"
    elif all(c.state == "undecided" for c in best.checks):
        lead = f"Within {limits} nothing is proven (undecided, too few samples), but the best level"
    else:
        lead = f"No limit of {limits} was missed, but not all are proven ({open_limits(best)}); the best level"
    cost = per_10k(figures) if best.usd is not None else f"cost not known ({best.cost_reason})"
    prompts, answers = (
        show.count(n) for n in (figures.tokens.prompt_tokens_mean, figures.tokens.completion_tokens_mean)
    )
    text = (
        f"{lead} of `{figures.identity.target}` ({instances_of(figures)}) for `{best.payload}` is `{level_text(figures)}`: "
        f"an average latency{whose(figures)} of `{show.seconds(latency.mean)}` (p95 {show.seconds(latency.p95)}) "
        f"with prompts of {prompts} and answers of {answers} tokens on average, "
        f"`{show.number(figures.throughput.transactions_per_minute)} transactions per minute`, {cost}."
    )
    if few_errors(best) and (failed := perceived(figures).error_rate):
        text += f" {show.percent(failed)} of its {'calls' if figures.retried else 'requests'} failed."
    if figures.trust.verdict == "SUSPECT":
        text += f" {suspect(best)}."
    text += "".join(f" {words}" for words in cheaper_ones(choice)) if choice else ""
    if len(group) > 1 and value_of(figures) == max(value_of(r.figures) for r in group):
        text += (
            f" It is the highest level tested; {'a higher rate' if is_open(figures) else 'more users'} may do better."
        )
    return text


def negative(group: list[Result]) -> str:
    figures = group[0].figures
    lead = f"No level of `{figures.identity.target}` ({instances_of(figures)}) can be recommended for `{group[0].payload}`: "
    trusted = [r for r in group if r.trusted]
    if not trusted or any(r.figures.limits.slo != "missed" for r in trusted):
        return lead + why_none(group)
    names = [c.criterion.name for c in trusted[0].checks]
    missed = [_missed(trusted, n) for n in names]
    kept = [_kept(trusted, n) for n in names]
    text = lead + "; ".join(m for m in missed if m) + "."
    if any(kept):
        text += f" Kept at every level: {', '.join(k for k in kept if k)}."
    return text


def _missed(group: list[Result], name: str) -> str | None:
    """`error rate ≤ 0 % was missed at 6 of 6 levels (nearest: 6.25 % at 1 user)`"""
    checks = [(c, r) for r in group for c in r.checks if c.criterion.name == name]
    missed = [(c, r) for c, r in checks if c.state == "missed"]
    if not missed:
        return None
    text = f"`{missed[0][0].criterion.text}` was missed at {len(missed)} of {len(group)} levels"
    known = [(c.value, r) for c, r in missed if c.value is not None]
    if known:
        best = max if missed[0][0].criterion.at_least else min
        value, nearest = best(known, key=lambda pair: pair[0])
        text += f" (nearest: {missed[0][0].criterion.show(value)} at {level_text(nearest.figures)})"
    return text


def _kept(group: list[Result], name: str) -> str | None:
    checks = [c for r in group for c in r.checks if c.criterion.name == name]
    if any(c.state != "met" for c in checks):
        return None
    criterion = checks[0].criterion
    worst = criterion.worst(c.value for c in checks if c.value is not None)
    return f"`{criterion.text}` (at {'least' if criterion.at_least else 'most'} {criterion.show(worst)})"
