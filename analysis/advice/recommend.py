"""Best price-performance: the cheapest stage that keeps every limit, with rule, runner-up and margin."""

import collections
import math
import typing

from analysis.advice.report_model import Recommendation
from analysis.verdicts.slo_checks import Check, open_checks
from analysis.verdicts.stage_results import USD, Result, tie
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.user_perceived import perceived, whose
from analysis.words.value_text import instances_of, per_10k, ten_thousand

RULE = (
    "the lowest cost per transaction among the stages that keep every limit and are not INVALID. Where none is known to keep them "
    "all, those with an undecided limit take their place, then those with an unknown one; of either first those of which no such "
    "figure, failures counted as above it, is beyond its limit. Costs whose 95 % intervals overlap are a tie; one without an "
    "interval is taken as known to 2/√successes of itself, or as its throughput is where that is wider. A stage stands in a tie "
    "only if it ties with every cheaper one. Of a tie a VALID stage is taken before a SUSPECT one, then, of one target's levels, the "
    "one of most transactions per minute, of several targets the cheapest. Repetitions of a level are one stage, which keeps a limit "
    "only if each of them does"
)

SAME = 1e-9  # prices closer than this share differ by the rounding of sums only


class Choice(typing.NamedTuple):
    """The stage that the rule picks, and the best other one; `open`: some of its limits are undecided or unknown."""

    pick: Result
    runner_up: Result | None
    open: bool
    pool: list[Result]  # what it was picked from
    cheaper: list[Result]  # not picked, though they cost less or may, cheapest first


#: states of the limits; a stage of a later row is picked only when there is none of an earlier one
STATES = (("met", "none"), ("undecided",), ("unknown",))


def choose(results: list[Result]) -> Choice | None:
    """Apply the rule to stages of one dataset; None when none can be picked."""
    usable = [r for r in results if r.trusted and r.usd is not None]
    pools = [
        [r for r in usable if r.row["slo"] in states and _within(r) is within]
        for states in STATES
        for within in (True, False)
    ]
    pool = next((p for p in pools if p), None)
    if pool is None:
        return None
    pick = _cheapest(pool)
    others = [r for r in pool if r.place != pick.place] or [r for r in pool if r is not pick]
    cheaper = [r for r in results if r.trusted and r.row["slo"] != "missed" and _least(r) < (1 - SAME) * pick.usd]
    return Choice(
        pick, _cheapest(others) if others else None, pick.row["slo"] not in STATES[0], pool, sorted(cheaper, key=_least)
    )


def _within(result: Result) -> bool:
    """Whether no limit that is undecided or unknown is exceeded by the stage's own figure, whatever the samples say."""
    return not any(c.beyond for c in result.checks)


def _least(result: Result) -> float:
    """The least that a transaction may cost; where the bill has no upper bound, its lower one."""
    low = result.row["usd_per_transaction_low"]
    return result.usd if result.usd is not None else math.inf if low is None else low


def _cheapest(pool: list[Result]) -> Result:
    """By the rule: of each target the best of its levels that tie with its cheapest, then the cheapest of these."""
    best = [_of_levels([r for r in pool if r.place == place]) for place in dict.fromkeys(r.place for r in pool)]
    return min(_in_tie(best), key=lambda r: (r.row["verdict"] != "VALID", r.usd))


def _of_levels(levels: list[Result]) -> Result:
    """Of one target's."""
    return max(_in_tie(levels), key=lambda r: (r.row["verdict"] == "VALID", r.per_minute))


def _in_tie(some: list[Result]) -> list[Result]:
    """Those that tie with every cheaper one: a wide interval of the cheapest hides no certain difference between others."""
    return [r for r in some if all(tie(r, other) for other in some if other.usd < r.usd)]


def recommend(results: list[Result], dataset: str, warnings: list[str]) -> Recommendation:
    """The recommendation for one dataset among all its stages."""
    here = [r for r in results if r.row["payload"] == dataset]
    criteria = list(dict.fromkeys(c.criterion.text for r in here for c in r.checks))
    worst = most_missed(here)
    choice = choose(here)
    if choice is None:
        text = f"No stage can be recommended for `{dataset}`: {why_none(here)}"
        return Recommendation(dataset, RULE, criteria, None, None, None, None, None, worst, [text], warnings)
    pick, runner_up = choice.pick, choice.runner_up
    margin = (runner_up.usd - pick.usd) / pick.usd if runner_up and pick.usd else None
    tied = tie(pick, runner_up) if runner_up else None
    label = _label(choice)
    facts = [
        f"The best price-performance for `{dataset}` is {_priced(pick)}.",
        _speed(pick.row),
        _standing(choice, criteria),
        f"It is {label}." if label else "",
        _against(pick, runner_up, margin, tied),
        *_cheaper(choice),
        _cheapest_valid(choice),
    ]
    key, cheaper = runner_up.key if runner_up else None, [r.key for r in choice.cheaper]
    facts = [fact for fact in facts if fact]
    return Recommendation(
        dataset, RULE, criteria, pick.key, label, key, margin, tied, worst, facts, warnings, cheaper, list(pick.stages)
    )


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
        return f"{'its only stage is' if n == 1 else f'all its {n} stages are'} INVALID ({invalid[0].row['reasons']})."
    missed = [r for r in trusted if r.row["slo"] == "missed"]
    parts = []
    if missed:
        worst = most_missed(trusted)
        count = sum(1 for r in trusted for c in r.checks if c.criterion.text == worst and c.state == "missed")
        parts.append(f"{len(missed)} of {n} stages missed a limit, most often {worst} ({count} of {n})")
    costless = [r for r in trusted if r not in missed and r.usd is None]
    if costless:
        parts.append(f"{len(costless)} of {n} have no cost ({costless[0].cost_reason})")
    if invalid:
        parts.append(f"{len(invalid)} of {n} are INVALID ({invalid[0].row['reasons']})")
    return "; ".join(parts) + "."


def _at(result: Result) -> str:
    return f"{result.who} at {level_text(result.row)}"


def _priced(result: Result) -> str:
    repeats = f" ({len(result.stages)} repetitions together)" if len(result.stages) > 1 else ""
    return f"{result.who} ({instances_of(result.row)}) at {level_text(result.row)}{repeats}: {per_10k(result.row)}"


def _speed(row: dict) -> str:
    mean, p95 = perceived(row, "latency_mean_s"), perceived(row, "latency_p95_s")
    rate = f"{show.number(row['transactions_per_minute'])} transactions per minute"
    return f"{rate}, latency{whose(row)} mean {show.seconds(mean)}, p95 {show.seconds(p95)}."


def _standing(choice: Choice, criteria: list[str]) -> str:
    if not choice.pick.checks:
        return "No limits were set for it." if criteria else "No limits were set."
    if not choice.open:
        at_worst = "at worst " if len(choice.pick.stages) > 1 else ""
        return f"It keeps every limit: {', '.join(_headroom(c, at_worst) for c in choice.pick.checks)}."
    return f"No stage is known to keep every limit; here nothing was missed, but {open_limits(choice.pick)}."


def open_limits(result: Result) -> str:
    """`undecided: latency p95 ≤ 2 s (too few samples: 60, 0 of them above)`"""
    checks = open_checks(result.checks)
    parts = {state: ", ".join(c.open_text for c in checks if c.state == state) for state in ("undecided", "unknown")}
    return "; ".join(f"{state}: {texts}" for state, texts in parts.items() if texts)


def _headroom(check: Check, at_worst: str) -> str:
    """`latency p95 ≤ 2 s (1.50 s, 25.0 % below)`; at_worst: what is said before a figure that is the worst repetition's."""
    limit, shown = check.criterion.limit, at_worst + check.criterion.show(check.value)
    if not limit:
        return f"{check.criterion.text} ({shown})"
    return f"{check.criterion.text} ({shown}, {show.number(100 * (1 - check.value / limit))} % below)"


def _label(choice: Choice) -> str | None:
    labels = []
    if choice.pick.row["verdict"] == "SUSPECT":
        labels.append(f"SUSPECT: {choice.pick.row['reasons']}")
    if choice.open:
        labels.append(f"{choice.pick.row['slo']} against its limits")
    return "; ".join(labels) or None


def _cheaper(choice: Choice) -> list[str]:
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
        return f"perhaps {_at(result)} ({ten_thousand(_least(result))} per 10,000 or more)"
    return f"{_at(result)} ({ten_thousand(result.usd)} per 10,000, {show.number(100 * (1 - result.usd / pick.usd))} % less)"


def _why_not(result: Result, choice: Choice) -> str:
    if result in choice.pool:
        taken = _of_levels([r for r in choice.pool if r.place == result.place])
        taken = choice.pick if taken in (choice.pick, result) else taken
        by = (
            "a VALID one"
            if (taken.row["verdict"], result.row["verdict"]) == ("VALID", "SUSPECT")
            else "the one of most transactions"
        )
        others = "these two costs are" if taken is choice.pick else f"its cost and that of {_at(taken)} are"
        return f"{others} a tie, and of such {by} is taken"
    reasons = [open_limits(result)] if open_checks(result.checks) else []
    if result.usd is None:
        reasons.append(f"its cost has no upper bound ({result.cost_reason})")
    if result.row["verdict"] == "SUSPECT":
        reasons.append(f"and SUSPECT: {result.row['reasons']}")
    return "it is " + "; ".join(reasons) if open_checks(result.checks) else "; ".join(reasons)


def _cheapest_valid(choice: Choice) -> str:
    """Beside a SUSPECT pick: the one that needs no such label."""
    valid = [r for r in choice.pool if r.row["verdict"] == "VALID"]
    if choice.pick.row["verdict"] == "VALID" or not valid:
        return ""
    best = _cheapest(valid)
    return f"The cheapest VALID one is {_at(best)} ({ten_thousand(best.usd)} per 10,000)."


def _against(pick: Result, runner_up: Result | None, margin: float | None, tied: bool | None) -> str:
    if runner_up is None:
        return "There is no runner-up: no other stage qualifies."
    cost = f"{ten_thousand(runner_up.usd)} per 10,000"
    if margin is not None and abs(margin) <= SAME:
        cost += " as well"
    elif margin is not None:
        cost += f", {show.number(100 * abs(margin))} % {'more' if margin >= 0 else 'less'}"
    if not tied:
        return f"Runner-up: {_at(runner_up)} ({cost})."
    return f"A tie with {_at(runner_up)} ({cost}): {_why_tied(pick, runner_up)}."


def _why_tied(pick: Result, runner_up: Result) -> str:
    without = [r for r in (pick, runner_up) if USD not in r.intervals]
    if not without:
        return "the 95 % intervals overlap"
    if all("throughput_per_s" in r.intervals for r in without):
        return "the interval of a throughput reaches 0, too wide to tell them apart"
    return "too few successes to tell them apart"
