"""Break-even: the volumes V (transactions/hour) at which hourly x ceil(V / capacity) < V x token cost.

With H = usd per hour, c = usd per transaction by tokens and capacity C: the k-th instance pays for
itself from V = k H / c on, and k instances carry V up to k C. So hourly is cheaper on
(max((k - 1) C, k H / c), k C], for every k if H / c < C, and never otherwise. From some k on these
intervals touch, and every larger volume is cheaper by the hour.

H and C are of one instance: where several were measured together, each is taken to carry its share, so that they can be
added one by one.
"""

import math

import numpy as np
import pandas as pd

from analysis.advice.recommend import choose, open_limits
from analysis.advice.report_model import BreakEven
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import is_open, level_text

MAX_INTERVALS = 10  # apart ones; beyond, only the volume above which hourly always wins is given
CURVE_POINTS = 400


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


def break_evens(results: list[Result], dataset: str, hourly_prices: dict[tuple[str, str], float]) -> list[BreakEven]:
    """Every hourly target against every token target on one dataset. hourly_prices: (run, target) -> $/h in all."""
    places: dict[tuple[str, str], list[Result]] = {}
    for r in results:
        if r.row["payload"] == dataset:
            places.setdefault(r.place, []).append(r)
    by_tokens = [p for p in places if p not in hourly_prices]
    return [
        _pair(dataset, hourly, places[hourly], hourly_prices[hourly], token, places[token])
        for hourly in places
        if hourly in hourly_prices
        for token in by_tokens
    ]


def capacity_stage(group: list[Result]) -> Result | None:
    """The stage of most successes that keeps the limits; VALID ones before SUSPECT, met before undecided."""
    fit = [r for r in group if r.trusted and r.row["slo"] != "missed" and r.per_minute]
    return max(fit, key=lambda r: (_proven(r), r.per_minute), default=None)


def _proven(result: Result) -> bool:
    return result.row["verdict"] == "VALID" and result.row["slo"] in ("met", "none")


def _pair(
    dataset: str, hourly: tuple, ours: list[Result], usd_per_hour: float, token: tuple, theirs: list[Result]
) -> BreakEven:
    best, choice = capacity_stage(ours), choose(theirs)
    empty = pd.DataFrame(
        columns=["transactions_per_hour", "usd_per_hour_hourly", "usd_per_hour_tokens"], dtype="float64"
    )
    count = ours[0].row["instance_count"] or 1
    found = BreakEven(dataset, *hourly, *token, round(usd_per_hour / count, 12), None, None, [], empty, "")
    lead = f"{ours[0].who} against {theirs[0].who} on `{dataset}`: "
    if best is None or choice is None:
        who = (ours if best is None else theirs)[0].who
        found.text = lead + f"no break-even, for no stage of {who} both keeps the limits and can be trusted and priced."
        return found
    found.capacity_per_hour, found.token_usd_per_transaction = best.per_minute * 60 / count, choice.pick.usd
    sums = found.usd_per_hour, found.capacity_per_hour, choice.pick.usd
    found.intervals = intervals(*sums)
    even = found.usd_per_hour / choice.pick.usd if choice.pick.usd else math.inf
    found.curve = curve(*sums, min(3 * max(found.capacity_per_hour, even), 20 * found.capacity_per_hour))
    found.text = lead + _text(found, even, best, count) + _labels(best, choice.pick)
    return found


def _text(found: BreakEven, even: float, best: Result, count: int) -> str:
    """The pair's finding in words."""
    share, instance = even / found.capacity_per_hour, "" if count == 1 else " an instance"
    sums = (
        f"{show.price(found.usd_per_hour)}/h{instance} against {show.money(found.token_usd_per_transaction)} a transaction is "
        f"even at {show.number(even / 60)} transactions per minute, {show.percent(share)} of {_capacity(found, best, count)}"
    )
    if not found.intervals:
        return f"tokens are cheaper at every volume: {sums}."
    above = f"above {'roughly ' if len(found.intervals) > 1 else ''}{show.number(found.intervals[-1][0] / 60)}"
    parts = (
        f" (from {show.number(found.intervals[0][0] / 60)} on in parts: see the plot)"
        if len(found.intervals) > 1
        else ""
    )
    return (
        f"hourly is cheaper {above} transactions per minute{parts}, with instances added as needed; else tokens "
        f"are. By numbers: {sums}."
    )


def _capacity(found: BreakEven, best: Result, count: int) -> str:
    """`374 at 5 users, the best VALID level that keeps the limits`"""
    limits = {"met": " that keeps the limits", "none": ""}.get(best.row["slo"], " not known to miss a limit")
    level = f"{level_text(best.row)}, the best {'VALID ' if _proven(best) else ''}level{limits}"
    if count == 1:
        return f"{show.number(found.capacity_per_hour / 60)} at {level}"
    return (
        f"the {show.number(found.capacity_per_hour / 60)} that each of {count} instances is taken to carry "
        f"({show.number(best.per_minute)} together at {level})"
    )


def _labels(best: Result, pick: Result) -> str:
    labels = []
    for r in (best, pick):
        if r.row["verdict"] == "SUSPECT":
            labels.append(f"{r.who} at {level_text(r.row)} is SUSPECT")
        if r.row["slo"] in ("undecided", "unknown"):
            labels.append(f"{r.who} at {level_text(r.row)} is {open_limits(r)}")
    if is_open(best.row):
        labels.append(f"{best.who} may have room above its planned {level_text(best.row)}, which are its capacity here")
    return f" Mind: {'; '.join(dict.fromkeys(labels))}." if labels else ""
