"""Best price-performance: the cheapest stage that keeps every limit, with rule, runner-up and margin."""

import collections
import typing

from analysis import format as show
from analysis.report_data import Recommendation
from analysis.results import Result, tie
from analysis.slo import Check

RULE = (
    "the lowest cost per transaction among the stages that keep every limit and are not INVALID; of one target's "
    "stages whose 95 % cost intervals overlap the lowest, the one of most transactions per minute"
)


class Choice(typing.NamedTuple):
    """The stage that the rule picks, and the best other one; `undecided`: some of its limits are."""

    pick: Result
    runner_up: Result | None
    undecided: bool


def choose(results: list[Result]) -> Choice | None:
    """Apply the rule to stages of one dataset; None when none can be picked.

    A stage whose limits are undecided is picked only when no stage is known to keep them all.
    """
    usable = [r for r in results if r.trusted and r.usd is not None]
    decided = [r for r in usable if r.row["slo"] in ("met", "none")]
    pool = decided or [r for r in usable if r.row["slo"] == "undecided"]
    if not pool:
        return None
    pick = _cheapest(pool)
    others = [r for r in pool if r.place != pick.place] or [r for r in pool if r is not pick]
    return Choice(pick, _cheapest(others) if others else None, not decided)


def _cheapest(pool: list[Result]) -> Result:
    """The cheapest; of the same target's stages that tie with it, the one of most transactions."""
    cheapest = min(pool, key=lambda r: (r.usd, -r.rate))
    same = [r for r in pool if r is cheapest or (r.place == cheapest.place and tie(r, cheapest))]
    return max(same, key=lambda r: r.rate)


def recommend(results: list[Result], dataset: str, warnings: list[str]) -> Recommendation:
    """The recommendation for one dataset among all its stages."""
    here = [r for r in results if r.row["payload"] == dataset]
    criteria = list(dict.fromkeys(c.criterion.text for r in here for c in r.checks))
    worst = most_missed(here)
    choice = choose(here)
    if choice is None:
        text = f"No stage can be recommended for `{dataset}`: {why_none(here)}"
        return Recommendation(dataset, RULE, criteria, None, None, None, None, None, worst, text, warnings)
    pick, runner_up = choice.pick, choice.runner_up
    margin = (runner_up.usd - pick.usd) / pick.usd if runner_up and pick.usd else None
    tied = tie(pick, runner_up) if runner_up else None
    label = _label(choice)
    text = f"The best price-performance for `{dataset}` is {_described(pick)}. {_standing(choice, criteria)}"
    if label:
        text += f" It is {label}."
    text += f" {_against(runner_up, margin, tied)}"
    key = runner_up.key if runner_up else None
    return Recommendation(dataset, RULE, criteria, pick.key, label, key, margin, tied, worst, text, warnings)


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
        return f"{_all(n)} INVALID ({invalid[0].row['reasons']})."
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


def _all(n: int) -> str:
    return "its only stage is" if n == 1 else f"all its {n} stages are"


def users_of(row: dict) -> str:
    return f"{row['users']} user" + ("" if row["users"] == 1 else "s")


def _described(result: Result) -> str:
    row = result.row
    rate, mean, p95 = row["transactions_per_minute"], row["latency_mean_s"], row["latency_p95_s"]
    return (
        f"`{row['target']}` ({show.text(row['instance_type'])}) at {users_of(row)}: {show.money(result.usd)} a "
        f"transaction ({show.money(row['usd_per_10k_transactions'])} per 10,000), {show.number(rate)} transactions per "
        f"minute, latency mean {show.seconds(mean)}, p95 {show.seconds(p95)}"
    )


def _standing(choice: Choice, criteria: list[str]) -> str:
    if not criteria:
        return "No limits were set."
    if not choice.undecided:
        return f"It keeps every limit: {', '.join(_headroom(c) for c in choice.pick.checks)}."
    open_ones = [c.criterion.text for c in choice.pick.checks if c.state == "undecided"]
    return f"No stage is known to keep every limit; here nothing was missed, but undecided: {', '.join(open_ones)}."


def _headroom(check: Check) -> str:
    """`latency p95 ≤ 2 s (1.50 s, 25.0 % below)`"""
    limit, shown = check.criterion.limit, check.criterion.show(check.value)
    if not limit:
        return f"{check.criterion.text} ({shown})"
    return f"{check.criterion.text} ({shown}, {show.number(100 * (1 - check.value / limit))} % below)"


def _label(choice: Choice) -> str | None:
    labels = []
    if choice.pick.row["verdict"] == "SUSPECT":
        labels.append(f"SUSPECT: {choice.pick.row['reasons']}")
    if choice.undecided:
        labels.append("undecided against its limits, for too few samples or unknown values")
    return "; ".join(labels) or None


def _against(runner_up: Result | None, margin: float | None, tied: bool | None) -> str:
    if runner_up is None:
        return "There is no runner-up: no other stage qualifies."
    row = runner_up.row
    who = f"`{row['target']}` at {users_of(row)} ({show.money(runner_up.usd)} a transaction"
    if margin is not None:
        who += f", {show.number(100 * abs(margin))} % {'more' if margin >= 0 else 'less'}"
    if tied is None:
        return f"Runner-up: {who}); whether that is a tie cannot be told from so few samples."
    if tied:
        return f"A tie: {who}) lies inside the 95 % intervals."
    return f"Runner-up: {who})."
