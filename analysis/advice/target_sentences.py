"""One sentence per dataset and target: its best level, or the true reason why there is none."""

import pandas as pd

from analysis.advice.recommend import choose, open_limits, why_none
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import is_open, level_text, value_of
from analysis.words.user_perceived import perceived, whose
from analysis.words.value_text import instances_of, per_10k

COLUMNS = ["run", "payload", "target", "instance_type", "positive", "users", "rate", "slo", "recommendation"]


def sentences(results: list[Result]) -> pd.DataFrame:
    """A row per (run, payload, target), in the order they were measured."""
    groups: dict[tuple, list[Result]] = {}
    for r in results:
        groups.setdefault((*r.place, r.row["payload"]), []).append(r)
    rows = []
    for (run, target, payload), group in groups.items():
        best = _best(group)
        text = negative(group) if best is None else positive(best, group)
        found = [best.row[name] if best else None for name in ("users", "rate", "slo")]
        rows.append([run, payload, target, group[0].row["instance_type"], best is not None, *found, text])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"users": "Int64", "rate": "float64"})


def _best(group: list[Result]) -> Result | None:
    """By the rule of recommend.py; where no stage has a cost, the one of most transactions that keeps the limits."""
    choice = choose(group)
    if choice:
        return choice.pick
    good = [r for r in group if r.trusted and r.row["slo"] in ("met", "none") and r.per_minute]
    return max(good, key=lambda r: r.per_minute, default=None)


def positive(best: Result, group: list[Result]) -> str:
    row = best.row
    limits = ", ".join(f"`{c.criterion.text}`" for c in best.checks)
    if not best.checks:
        lead = "The best level"
    elif row["slo"] == "met":
        lead = f"Within {limits}, the best level"
    elif all(c.state == "undecided" for c in best.checks):
        lead = f"Within {limits} nothing is proven (undecided, too few samples), but the best level"
    else:
        lead = f"No limit of {limits} was missed, but not all are proven ({open_limits(best)}); the best level"
    cost = per_10k(row) if best.usd is not None else f"cost not known ({best.cost_reason})"
    mean, p95 = perceived(row, "latency_mean_s"), perceived(row, "latency_p95_s")
    prompts, answers = show.count(row["prompt_tokens_mean"]), show.count(row["completion_tokens_mean"])
    text = (
        f"{lead} of `{row['target']}` ({instances_of(row)}) for `{row['payload']}` is `{level_text(row)}`: "
        f"an average latency{whose(row)} of `{show.seconds(mean)}` (p95 {show.seconds(p95)}) "
        f"with prompts of {prompts} and answers of {answers} tokens on average, "
        f"`{show.number(row['transactions_per_minute'])} transactions per minute`, {cost}."
    )
    if row["verdict"] == "SUSPECT":
        text += f" SUSPECT: {row['reasons']}."
    if len(group) > 1 and value_of(row) == max(value_of(r.row) for r in group):
        text += f" It is the highest level tested; {'a higher rate' if is_open(row) else 'more users'} may do better."
    return text


def negative(group: list[Result]) -> str:
    row = group[0].row
    lead = f"No level of `{row['target']}` ({instances_of(row)}) can be recommended for `{row['payload']}`: "
    trusted = [r for r in group if r.trusted]
    if not trusted or any(r.row["slo"] != "missed" for r in trusted):
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
        value, nearest = min(known, key=lambda pair: pair[0])
        text += f" (nearest: {missed[0][0].criterion.show(value)} at {level_text(nearest.row)})"
    return text


def _kept(group: list[Result], name: str) -> str | None:
    checks = [c for r in group for c in r.checks if c.criterion.name == name]
    if any(c.state != "met" for c in checks):
        return None
    return f"`{checks[0].criterion.text}` (at most {checks[0].criterion.show(max(c.value for c in checks))})"
