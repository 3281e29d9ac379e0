"""Break-even: the volumes V (transactions/hour) at which hourly x ceil(V / capacity) < V x token cost.

With H = usd per hour, c = usd per transaction by tokens and capacity C: the k-th instance pays for
itself from V = k H / c on, and k instances carry V up to k C. So hourly is cheaper on
(max((k - 1) C, k H / c), k C], for every k if H / c < C, and never otherwise. From some k on these
intervals touch, and every larger volume is cheaper by the hour.

H and C are of one instance: where several were measured together, each is taken to carry its share, so that they can be
added one by one.
"""

import dataclasses
import math
import typing

import numpy as np
import pandas as pd

from analysis.advice.choice import choose, few_errors, priced, too_many_errors, valid
from analysis.advice.recommendation_texts import open_limits
from analysis.verdicts.place import Place
from analysis.verdicts.pooled_repeats import who_of
from analysis.verdicts.stage_results import Result, StageKey
from analysis.words import format as show
from analysis.words.level import is_open, level_text

MAX_INTERVALS = 10  # apart ones; beyond, only the volume above which hourly always wins is given
CURVE_POINTS = 400

Seat = tuple[str, str]  # (run, target)


class Sums(typing.NamedTuple):
    """What is compared, of one instance; `even`: transactions/hour at which both cost the same."""

    usd_per_hour: float
    capacity_per_hour: float
    usd_per_transaction: float
    even: float


@dataclasses.dataclass(slots=True)
class BreakEven:
    """At which volumes an hourly priced target is cheaper than a token priced one, on one dataset."""

    dataset: str
    hourly_run: str
    hourly_target: str
    token_run: str
    token_target: str
    usd_per_hour: float  # of one instance
    capacity_per_hour: float | None  # successes/hour of one instance: its share of the hourly target's best stage
    token_usd_per_transaction: float | None
    intervals: list[tuple[float, float | None]]  # transactions/hour where hourly is cheaper; None: no upper end
    curve: pd.DataFrame  # transactions_per_hour, usd_per_hour_hourly, usd_per_hour_tokens
    text: str
    token_stages: tuple[StageKey, ...] = ()  # whose calls the token cost is of; repetitions of a level are several


def intervals(usd_per_hour: float, capacity: float, usd_per_transaction: float) -> list[tuple[float, float | None]]:
    """Volumes/hour where hourly is cheaper, ascending, the last without an upper end; empty if nowhere.

    37.688 $/h, 20760/h, 0.002216 $ -> [(17007, 20760), (34014, 41520), …, (85036, None)]
    """
    if usd_per_transaction <= 0:
        return []
    even = usd_per_hour / usd_per_transaction
    if even >= capacity:
        return []
    # intervals k and k + 1 touch once (k + 1) even <= k capacity
    joined = max(1, math.ceil(even / (capacity - even)))
    apart = range(1, min(joined, MAX_INTERVALS + 1))
    found: list[tuple[float, float | None]] = [(max((k - 1) * capacity, k * even), k * capacity) for k in apart]
    return [*found, (max((joined - 1) * capacity, joined * even), None)]


def curve(usd_per_hour: float, capacity: float, usd_per_transaction: float, up_to: float) -> pd.DataFrame:
    """USD per hour of both at volumes from 0 to `up_to` transactions/hour, with the steps of added instances."""
    steps = np.arange(1, min(int(up_to // capacity), CURVE_POINTS) + 1) * capacity
    volumes = np.unique(np.concatenate([np.linspace(0, up_to, CURVE_POINTS), steps, np.nextafter(steps, np.inf)]))
    count = np.maximum(np.ceil(volumes / capacity), 1)  # one endpoint is paid for even without traffic
    return pd.DataFrame(
        {
            "transactions_per_hour": volumes,
            "usd_per_hour_hourly": usd_per_hour * count,
            "usd_per_hour_tokens": usd_per_transaction * volumes,
        }
    )


def break_evens(results: list[Result], dataset: str, hourly_prices: dict[Seat, float]) -> list[BreakEven]:
    """Every hourly target against every token target on one dataset. hourly_prices: (run, target) -> $/h in all."""
    places: dict[Place, list[Result]] = {}
    for r in results:
        if r.payload == dataset:
            places.setdefault(r.place, []).append(r)
    by_tokens = [group for group in places.values() if group[0].seat not in hourly_prices]
    by_hour = [group for group in places.values() if group[0].seat in hourly_prices]
    return [_pair(dataset, hourly, hourly_prices[hourly[0].seat], tokens) for hourly in by_hour for tokens in by_tokens]


def capacity_stage(group: list[Result]) -> Result | None:
    """The stage of most successes that keeps the limits; of few errors before others, VALID ones before SUSPECT, met before undecided."""
    fit = [r for r in group if r.trusted and r.figures.limits.slo != "missed" and r.per_minute]
    return max(fit, key=lambda r: (few_errors(r), _proven(r), r.per_minute), default=None)


def _proven(result: Result) -> bool:
    return valid(result) and result.figures.limits.slo in ("met", "none")


def _pair(dataset: str, ours: list[Result], usd_per_hour: float, theirs: list[Result]) -> BreakEven:
    hourly, token = ours[0].seat, theirs[0].seat
    best, choice = capacity_stage(ours), choose(theirs)
    count = ours[0].figures.identity.instance_count or 1
    each = round(usd_per_hour / count, 12)
    lead = f"{who_of(ours)} against {who_of(theirs)} on `{dataset}`: "
    if best is None or choice is None:
        who = who_of(ours if best is None else theirs)
        text = lead + f"no break-even, for no stage of {who} both keeps the limits and can be trusted and priced."
        return BreakEven(dataset, *hourly, *token, each, None, None, [], curve(each, 1.0, 0.0, up_to=0.0)[:0], text)
    capacity, usd = best.per_minute * 60 / count, priced(choice.pick)
    even = each / usd if usd else math.inf
    found = intervals(each, capacity, usd)
    drawn = curve(each, capacity, usd, min(3 * max(capacity, even), 20 * capacity))
    text = lead + _text(Sums(each, capacity, usd, even), found, best, count) + _labels(best, choice.pick)
    stages = choice.pick.members or (choice.pick.key,)
    return BreakEven(dataset, *hourly, *token, each, capacity, usd, found, drawn, text, stages)


def _text(sums: Sums, found: list[tuple[float, float | None]], best: Result, count: int) -> str:
    """The pair's finding in words."""
    share, instance = sums.even / sums.capacity_per_hour, "" if count == 1 else " an instance"
    numbers = (
        f"{show.price(sums.usd_per_hour)}/h{instance} against {show.money(sums.usd_per_transaction)} a transaction is "
        f"even at {show.number(sums.even / 60)} transactions per minute, {show.percent(share)} of {_capacity(sums, best, count)}"
    )
    if not found:
        return f"tokens are cheaper at every volume: {numbers}."
    above = f"above {'roughly ' if len(found) > 1 else ''}{show.number(found[-1][0] / 60)}"
    parts = f" (from {show.number(found[0][0] / 60)} on in parts: see the plot)" if len(found) > 1 else ""
    return (
        f"hourly is cheaper {above} transactions per minute{parts}, with instances added as needed; else tokens "
        f"are. By numbers: {numbers}."
    )


def _capacity(sums: Sums, best: Result, count: int) -> str:
    """`374 at 5 users, the best VALID level that keeps the limits`"""
    limits = {"met": " that keeps the limits", "none": ""}.get(
        best.figures.limits.slo or "", " not known to miss a limit"
    )
    level = f"{level_text(best.figures)}, the best {'VALID ' if _proven(best) else ''}level{limits}"
    if count == 1:
        return f"{show.number(sums.capacity_per_hour / 60)} at {level}"
    return (
        f"the {show.number(sums.capacity_per_hour / 60)} that each of {count} instances is taken to carry "
        f"({show.number(best.per_minute)} together at {level})"
    )


def _labels(best: Result, pick: Result) -> str:
    labels = []
    for r in (best, pick):
        if r.figures.trust.verdict == "SUSPECT":
            labels.append(f"{r.who} at {level_text(r.figures)} is SUSPECT")
        if not few_errors(r):
            labels.append(f"{r.who} at {level_text(r.figures)} has {too_many_errors(r)}")
        if r.figures.limits.slo in ("undecided", "unknown"):
            labels.append(f"{r.who} at {level_text(r.figures)} is {open_limits(r)}")
    if is_open(best.figures):
        labels.append(
            f"{best.who} may have room above its planned {level_text(best.figures)}, which are its capacity here"
        )
    return f" Mind: {'; '.join(dict.fromkeys(labels))}." if labels else ""
