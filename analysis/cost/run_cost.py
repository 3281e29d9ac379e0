"""What the run itself cost, by target: price x time under load, or its billed tokens."""

import typing

import numpy as np
import pandas as pd

from analysis.cost.bill import Bill, bill, unbilled
from analysis.cost.call_usd import counts_of
from analysis.cost.transaction_cost import basis, most_tokens
from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from locustfiles.contract.prices.price import HourlyPrice, Price, Rates, TokenPrice, UnknownPrice

#: what a target's cost may be beyond its lower bound, as a part of it
UNSPLIT, FAILED = "written to a cache, more if all for an hour", "failures of unknown tokens, at most"
CLOCK_TOLERANCE_S = 0.25  # a worker's clock, corrected, may be early by that


class CostPart(typing.NamedTuple):
    """A line of what a target cost: an amount of a kind at `usd_per` for each `per` of them. Together they are `usd_high`."""

    run: str
    target: str
    kind: str  # hours, a kind of tokens, a unit, a guardrail's policy; of calls without counts what they are taken at
    above: int | None  # of prompts above so many tokens: their price step
    amount: float
    per: int | None
    usd_per: float | None
    usd: float


class RunCost(typing.NamedTuple):
    """One target of one run: its cost in USD, between bounds, and the factors that it is made of."""

    run: str
    target: str
    instance_type: str | None
    price_basis: typing.Literal["hourly", "tokens"] | None  # None: no price is known
    duration_s: float | None = None  # under load; None: nothing was sent
    usd_per_hour: float | None = None
    instance_count: int | None = None
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    cache_read_tokens: float | None = None
    cache_write_tokens: float | None = None
    usd_per_1k_input: float | None = None
    usd_per_1k_output: float | None = None
    usd_per_1k_cache_read: float | None = None
    usd_per_1k_cache_write: float | None = None
    usd: float | None = None
    usd_low: float | None = None
    usd_high: float | None = None
    reason: str | None = None  # why it is not known
    share: float | None = (
        None  # of an instance that is this target's to pay; of this and what follows None: there is none
    )
    cache_write_1h_tokens: float | None = None  # of cache_write_tokens
    usd_per_1k_cache_write_1h: float | None = None
    unit: str | None = None
    billed_units: float | None = None
    usd_per_unit: float | None = None
    guardrail_usd: float | None = None
    parts: tuple[CostPart, ...] = ()


def run_cost(run: Run, prices: dict[str, Price]) -> list[RunCost]:
    """What each target of the run cost.

    Time under load: from a first send to the last end, warm-up, holds and stages cut short included, anew each time that
    another target had its turn between or the run was resumed. What an endpoint costs before, between and after is not in it.
    """
    found, loaded = [], _under_load(run)
    for target in run.scenario.targets:
        records, price = Rows(run.records)[run.records["target"] == target.name], prices[target.name]
        cost = RunCost(run.name, target.name, target.price_key, basis(price))
        told = [v.aggregates for v in run.manifest.stages if v.target == target.name and v.aggregates is not None]
        if records.empty and told:
            found.append(_of_told(cost, price, told))
            continue
        if records.empty:
            found.append(cost._replace(usd=0.0, usd_low=0.0, usd_high=0.0, reason="nothing was sent"))
            continue
        duration_s = float(loaded[target.name])
        cost = cost._replace(duration_s=duration_s)
        if isinstance(price, UnknownPrice):
            found.append(cost._replace(reason=price.why))
            continue
        found.append(
            _by_hours(cost, price, duration_s)
            if isinstance(price, HourlyPrice)
            else _by_tokens(cost, records, price, most_tokens(run, target))
        )
    return found


def _of_told(cost: RunCost, price: Price, told: list[dict[str, float | str]]) -> RunCost:
    """Of stages without records: by the hour, where the window of each is told."""
    windows = [float(each["window_s"]) for each in told if "window_s" in each]
    if not isinstance(price, HourlyPrice) or len(windows) < len(told):
        return cost._replace(reason="its requests were not kept, and how long it was under load is not told")
    duration_s = sum(windows)
    return _by_hours(cost._replace(duration_s=duration_s), price, duration_s)


def total_of(costs: list[RunCost]) -> tuple[float | None, float | None]:
    """(at least, at most) USD of all together; None where that of a part is not known."""
    low, high = [c.usd_low for c in costs], [c.usd for c in costs]
    return _sum(low), _sum(high)


def _sum(usd: list[float | None]) -> float | None:
    known = [each for each in usd if each is not None]
    return float(pd.Series(known, dtype="float64").sum()) if len(known) == len(usd) else None


def _under_load(run: Run) -> pd.Series:
    """Target -> seconds from first send to last end, summed over its spells: while no other target was sent to, but for those
    of one mix, whose turn is one."""
    records = run.records[["target", "stage", "sent", "ended"]].sort_values("sent", kind="stable")
    part = part_of(run, records["sent"].to_numpy())
    target = pd.factorize(records["target"])[0]
    if run.scenario.mix:  # between warm-up calls a target's turn is its own
        target = np.where(records["stage"].to_numpy() > 0, -2, target)
    spell = np.cumsum(np.diff(target, prepend=-1).astype(bool) | np.diff(part, prepend=0).astype(bool))
    spells = records.groupby([spell, "target"], observed=True, sort=False).agg(
        first=("sent", "min"), last=("ended", "max")
    )
    return (spells["last"] - spells["first"]).groupby(level="target", observed=True).sum()


def part_of(run: Run, sent: np.ndarray) -> np.ndarray:
    """In which of the run's parts (0, 1, …) each request was sent, s from the run's epoch."""
    begins = [part.started_at - run.epoch - CLOCK_TOLERANCE_S for part in run.manifest.parts[1:]]
    return np.searchsorted(begins, sent, side="right")


def _by_hours(cost: RunCost, price: HourlyPrice, duration_s: float) -> RunCost:
    usd, hours = duration_s / 3600 * price.usd_per_hour_in_all, duration_s / 3600 * price.instance_count * price.share
    return cost._replace(
        usd_per_hour=price.usd_per_hour,
        instance_count=price.instance_count,
        share=price.share if price.share < 1 else None,
        usd=usd,
        usd_low=usd,
        usd_high=usd,
        parts=(CostPart(cost.run, cost.target, "hours", None, hours, 1, price.usd_per_hour, usd),),
    )


def _by_tokens(cost: RunCost, records: Rows, price: TokenPrice, asked: int | None) -> RunCost:
    found, billed = bill(records, price, asked), records[~unbilled(records)]
    step = counts_of(billed, price).step
    used: list[Rates] = [price] if step is None else [(price, *price.steps)[n] for n in np.unique(step)]
    rates = used[0] if len(used) == 1 else None  # of several steps the parts tell
    return cost._replace(
        prompt_tokens=_known_sum(billed["prompt_tokens"]),
        completion_tokens=_known_sum(billed["completion_tokens"]),
        cache_read_tokens=_known_sum(billed["cache_read_tokens"]),
        cache_write_tokens=_known_sum(billed["cache_write_tokens"]),
        cache_write_1h_tokens=_known_sum(billed["cache_write_1h_tokens"]),
        usd_per_1k_input=rates.input if rates else None,
        usd_per_1k_output=rates.output if rates else None,
        usd_per_1k_cache_read=rates.cache_read if rates else None,
        usd_per_1k_cache_write=rates.cache_write if rates else None,
        usd_per_1k_cache_write_1h=rates.cache_write_1h if rates else None,
        usd=found.high,
        usd_low=found.low,
        usd_high=found.high,
        reason=found.reason,
        **_beside_tokens(found, price),
        parts=tuple(_parts(cost, found)),
    )


def _beside_tokens(found: Bill, price: TokenPrice) -> dict[str, typing.Any]:
    """Units, where they are of one kind, and the guardrail's charge."""
    units = [part for _, part in found.parts if part.kind in price.units]
    policies = [part.usd for _, part in found.parts if part.kind.startswith("guardrail ")]
    said: dict[str, typing.Any] = {"guardrail_usd": float(sum(policies))} if policies else {}
    if len(price.units) == 1 and units:
        amount = sum(part.amount for part in units)
        said |= {"unit": units[0].kind, "billed_units": amount, "usd_per_unit": units[0].usd_per}
    return said


def _parts(cost: RunCost, found: Bill) -> typing.Iterator[CostPart]:
    who = (cost.run, cost.target)
    for above, part in found.parts:
        yield CostPart(*who, part.kind, above, part.amount, part.per, part.usd_per, float(part.usd))
    if found.uncounted:
        yield CostPart(
            *who, "successes without counts, at the mean", None, found.uncounted, None, None, found.at_the_mean
        )
    if found.high is None or found.low is None:
        return
    if found.for_an_hour:
        yield CostPart(*who, UNSPLIT, None, found.unsplit, None, None, found.for_an_hour)
    if found.unsure and (more := found.high - found.low - found.for_an_hour) > 0:
        yield CostPart(*who, FAILED, None, found.unsure, None, None, more)


def _known_sum(tokens: pd.Series) -> float | None:
    """None where no count is known."""
    return float(tokens.sum()) if tokens.notna().any() else None
