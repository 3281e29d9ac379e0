"""The rule of the best price-performance: the cheapest stage that keeps every limit."""

import itertools
import math
import typing

from analysis.advice.tie import SAME, tie
from analysis.verdicts.place import Place
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.stage_figures import Slo
from analysis.words.user_perceived import errors_text, perceived

#: the most errors of a stage that may go before others, where no limit on errors is set. One failure in a hundred is what a retry
#: mends without being felt; above it the price leaves out what the failures cost those who asked, and shedding load looks cheap
MOST_ERRORS = 0.01

RULE = (
    "the lowest cost per transaction among the stages that keep every limit and are not INVALID. Where none is known to keep them "
    "all, those with an undecided limit take their place, then those with an unknown one; of either first those of which no such "
    f"figure, failures counted as above it, is beyond its limit. Where no limit on errors is set, stages of more than "
    f"{show.percent(MOST_ERRORS)} errors are taken only if nothing else qualifies. Two costs are a tie where the 95 % interval of their "
    "ratio holds 1: the half-widths of both, on the log scale, combined as those of independent estimates; a cost without an interval "
    "is taken as known to 2/√successes of itself, or as its throughput is where that is wider. A stage stands in a tie only if it ties "
    "with every cheaper one. Of a tie a VALID stage is taken before a SUSPECT one, then, of one place's levels, the one of most "
    "transactions per minute, of several places the cheapest. A place is what is called (endpoint or model id), its region, instances, "
    "price and parameters; repetitions of a level there, in one run or several, are one stage, which keeps a limit only if each of "
    "them does. Models are compared within themselves first"
)


class Choice(typing.NamedTuple):
    """The stage that the rule picks, and the best other one; `open`: some of its limits are undecided or unknown."""

    pick: Result
    runner_up: Result | None
    open: bool
    pool: list[Result]  # what it was picked from
    cheaper: list[Result]  # not picked, though they cost less or may, cheapest first


#: states of the limits; a stage of a later row is picked only when there is none of an earlier one
STATES: tuple[tuple[Slo, ...], ...] = (("met", "none"), ("undecided",), ("unknown",))


def choose(results: list[Result]) -> Choice | None:
    """Apply the rule to stages of one dataset; None when none can be picked."""
    usable = [r for r in results if r.trusted and r.usd is not None]
    pools = [
        [r for r in usable if few_errors(r) is few and r.figures.limits.slo in states and within(r) is kept]
        for few in (True, False)
        for states in STATES
        for kept in (True, False)
    ]
    pool = next((p for p in pools if p), None)
    if pool is None:
        return None
    pick = cheapest(pool)
    others = [r for r in pool if r.place != pick.place] or [r for r in pool if r is not pick]
    unmissed = [r for r in results if r.trusted and r.figures.limits.slo != "missed"]
    cheaper = sorted((r for r in unmissed if least(r) < (1 - SAME) * priced(pick)), key=least)
    return Choice(pick, cheapest(others) if others else None, pick.figures.limits.slo not in STATES[0], pool, cheaper)


def few_errors(result: Result) -> bool:
    """Whether no more failed than is taken for granted; a limit of its own decides where there is one."""
    if any(c.criterion.of == "error_rate" and c.criterion.failure is None for c in result.checks):
        return True
    return (perceived(result.figures).error_rate or 0.0) <= MOST_ERRORS


def too_many_errors(result: Result) -> str:
    """`58 % errors, above the 1 % that are taken where no limit is set`"""
    return f"{errors_text(result.figures)}, above the {show.percent(MOST_ERRORS)} that are let pass where no limit on errors is set"


def within(result: Result) -> bool:
    """Whether no limit that is undecided or unknown is exceeded by the stage's own figure, whatever the samples say."""
    return not any(c.beyond for c in result.checks)


def priced(result: Result) -> float:
    """The cost of a transaction, of a stage that has one."""
    if result.usd is None:
        raise ValueError(f"{result.key} has no cost")
    return result.usd


def least(result: Result) -> float:
    """The least that a transaction may cost; where the bill has no upper bound, its lower one."""
    low = result.figures.cost.usd_per_transaction_low
    return result.usd if result.usd is not None else math.inf if low is None else low


def cheapest(pool: list[Result]) -> Result:
    """By the rule: of each place the best of its levels that tie with its cheapest, then the cheapest of these."""
    places: dict[Place, list[Result]] = {}
    for r in pool:
        places.setdefault(r.place, []).append(r)
    best = [best_level(levels) for levels in places.values()]
    return min(_in_tie(best), key=lambda r: (not valid(r), priced(r)))


def best_level(levels: list[Result]) -> Result:
    """Of one place's."""
    return max(_in_tie(levels), key=lambda r: (valid(r), r.per_minute))


def _in_tie(some: list[Result]) -> list[Result]:
    """Those that tie with every cheaper one: a wide interval of the cheapest hides no certain difference between others."""
    ascending = sorted(some, key=priced)  # most are told apart from the cheapest at once

    def cheaper(usd: float) -> typing.Iterator[Result]:
        return itertools.takewhile(lambda other: priced(other) < usd, ascending)

    return [r for r in some if all(tie(r, other) for other in cheaper(priced(r)))]


def valid(result: Result) -> bool:
    """Without any doubt."""
    return result.figures.trust.verdict == "VALID"
