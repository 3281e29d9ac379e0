"""Best price-performance in words: what the rule picked, why, against whom and by what margin."""

import collections
import dataclasses

from analysis.advice.choice import RULE, SAME, Choice, best_level, cheapest, choose, least, priced, valid
from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.slo_check import Check, open_checks
from analysis.verdicts.stage_results import Result, StageKey, tie
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.stage_figures import StageFigures
from analysis.words.user_perceived import perceived, whose
from analysis.words.value_text import instances_of, per_10k, ten_thousand


@dataclasses.dataclass(slots=True)
class Recommendation:
    """Best price-performance for one dataset: what was picked, by which rule, and against whom.

    `pick` is None when no stage can be recommended; `facts` then say why.
    """

    dataset: str
    rule: str  # in words
    criteria: list[str]  # the limits in words: "latency p95 ≤ 2 s"
    pick: StageKey | None
    label: str | None  # what must stand beside the pick: "SUSPECT: …", "SLO undecided"; None: nothing
    runner_up: StageKey | None
    margin: float | None  # runner-up's cost above the pick's, as a share of the pick's
    tie: bool | None  # the cost intervals of pick and runner-up overlap; None: not known
    worst_criterion: str | None  # the criterion that most stages failed
    facts: list[str]  # a sentence or two each, what was picked first
    warnings: list[str]  # like for like, stages never reached: why the comparison needs care
    cheaper: list[StageKey] = dataclasses.field(default_factory=list)  # not picked, though they cost less or may
    stages: list[int] = dataclasses.field(default_factory=list)  # of a pick that was measured more than once: all of it

    @property
    def text(self) -> str:
        """All facts."""
        return " ".join(self.facts)


def recommend(results: list[Result], dataset: str, warnings: list[str], without: str = "") -> Recommendation:
    """The recommendation for one dataset among all its stages. without: what could not be compared, which its first fact says."""
    here = [r for r in results if r.payload == dataset]
    criteria = list(dict.fromkeys(c.criterion.text for r in here for c in r.checks))
    worst = most_missed(here)
    choice = choose(here)
    if choice is None:
        text = f"No stage can be recommended for `{dataset}`: {why_none(here)} {without}".rstrip()
        return Recommendation(dataset, RULE, criteria, None, None, None, None, None, worst, [text], warnings)
    pick, runner_up = choice.pick, choice.runner_up
    margin = (priced(runner_up) - priced(pick)) / priced(pick) if runner_up and pick.usd else None
    tied = tie(pick, runner_up) if runner_up else None
    label = _label(choice)
    facts = [
        f"The best price-performance for `{dataset}` is {_priced(pick)}. {without}".rstrip(),
        _speed(pick.figures),
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


def _priced(result: Result) -> str:
    repeats = f" ({len(result.stages)} repetitions together)" if len(result.stages) > 1 else ""
    return f"{result.who} ({instances_of(result.figures)}) at {level_text(result.figures)}{repeats}: {per_10k(result.figures)}"


def _speed(figures: StageFigures) -> str:
    latency = perceived(figures).latency
    rate = f"{show.number(figures.throughput.transactions_per_minute)} transactions per minute"
    if figures.outcome.error_rate:
        rate += f", {show.percent(figures.outcome.error_rate)} errors"
    return f"{rate}, latency{whose(figures)} mean {show.seconds(latency.mean)}, p95 {show.seconds(latency.p95)}."


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
    parts = (at_worst + check.criterion.show(check.value), check.criterion.headroom(check.value))
    return f"{check.criterion.text} ({', '.join(part for part in parts if part)})"


def _label(choice: Choice) -> str | None:
    labels = []
    if choice.pick.figures.trust.verdict == "SUSPECT":
        labels.append(f"SUSPECT: {choice.pick.figures.trust.reasons}")
    if choice.open:
        labels.append(f"{choice.pick.figures.limits.slo} against its limits")
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
        return f"perhaps {_at(result)} ({ten_thousand(least(result))} per 10,000 or more)"
    return f"{_at(result)} ({ten_thousand(result.usd)} per 10,000, {show.number(100 * (1 - result.usd / priced(pick)))} % less)"


def _why_not(result: Result, choice: Choice) -> str:
    if result in choice.pool:
        taken = best_level([r for r in choice.pool if r.place == result.place])
        taken = choice.pick if taken in (choice.pick, result) else taken
        by = "a VALID one" if valid(taken) and not valid(result) else "the one of most transactions"
        others = "these two costs are" if taken is choice.pick else f"its cost and that of {_at(taken)} are"
        return f"{others} a tie, and of such {by} is taken"
    reasons = [open_limits(result)] if open_checks(result.checks) else []
    if result.usd is None:
        reasons.append(f"its cost has no upper bound ({result.cost_reason})")
    if result.figures.trust.verdict == "SUSPECT":
        reasons.append(f"and SUSPECT: {result.figures.trust.reasons}")
    return "it is " + "; ".join(reasons) if open_checks(result.checks) else "; ".join(reasons)


def _cheapest_valid(choice: Choice) -> str:
    """Beside a SUSPECT pick: the one that needs no such label."""
    sound = [r for r in choice.pool if valid(r)]
    if valid(choice.pick) or not sound:
        return ""
    best = cheapest(sound)
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
    if all(THROUGHPUT in r.intervals for r in without):
        return "the interval of a throughput reaches 0, too wide to tell them apart"
    return "too few successes to tell them apart"
