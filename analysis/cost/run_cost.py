"""What the run itself cost, by target: price x time under load, or its billed tokens."""

import typing

import numpy as np
import pandas as pd

from analysis.cost.bill import bill, unbilled
from analysis.cost.transaction_cost import basis, most_tokens
from analysis.runs.run_reader import Run
from locustfiles.contract.prices.price import HourlyPrice, Price, TokenPrice

CLOCK_TOLERANCE_S = 0.25  # a worker's clock, corrected, may be early by that


class RunCost(typing.NamedTuple):
    """One target of one run: its cost in USD, between bounds, and the factors that it is made of."""

    run: str
    target: str
    instance_type: str | None
    price_basis: typing.Literal["hourly", "tokens"]
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


def run_cost(run: Run, prices: dict[str, Price]) -> list[RunCost]:
    """What each target of the run cost.

    Time under load: from a first send to the last end, warm-up, holds and stages cut short included, anew each time that
    another target had its turn between or the run was resumed. What an endpoint costs before, between and after is not in it.
    """
    found, loaded = [], _under_load(run)
    for target in run.scenario.targets:
        records, price = run.records[run.records["target"] == target.name], prices[target.name]
        cost = RunCost(run.name, target.name, target.price_key, basis(price))
        if records.empty:
            found.append(cost._replace(usd=0.0, usd_low=0.0, usd_high=0.0, reason="nothing was sent"))
            continue
        duration_s = float(loaded[target.name])
        cost = cost._replace(duration_s=duration_s)
        found.append(
            _by_hours(cost, price, duration_s)
            if isinstance(price, HourlyPrice)
            else _by_tokens(cost, records, price, most_tokens(run, target))
        )
    return found


def total_of(costs: list[RunCost]) -> tuple[float | None, float | None]:
    """(at least, at most) USD of all together; None where that of a part is not known."""
    low, high = [c.usd_low for c in costs], [c.usd for c in costs]
    return _sum(low), _sum(high)


def _sum(usd: list[float | None]) -> float | None:
    known = [each for each in usd if each is not None]
    return float(pd.Series(known, dtype="float64").sum()) if len(known) == len(usd) else None


def _under_load(run: Run) -> pd.Series:
    """Target -> seconds from first send to last end, summed over its spells: while no other target was sent to."""
    records = run.records[["target", "sent", "ended"]].sort_values("sent", kind="stable")
    part = part_of(run, records["sent"].to_numpy())
    target = pd.factorize(records["target"])[0]
    spell = np.cumsum(np.diff(target, prepend=-1).astype(bool) | np.diff(part, prepend=0).astype(bool))
    spells = records.groupby(spell).agg(target=("target", "first"), first=("sent", "min"), last=("ended", "max"))
    return (spells["last"] - spells["first"]).groupby(spells["target"]).sum()


def part_of(run: Run, sent: np.ndarray) -> np.ndarray:
    """In which of the run's parts (0, 1, …) each request was sent, s from the run's epoch."""
    begins = [part.started_at - run.epoch - CLOCK_TOLERANCE_S for part in run.manifest.parts[1:]]
    return np.searchsorted(begins, sent, side="right")


def _by_hours(cost: RunCost, price: HourlyPrice, duration_s: float) -> RunCost:
    usd = duration_s / 3600 * price.usd_per_hour_in_all
    return cost._replace(
        usd_per_hour=price.usd_per_hour, instance_count=price.instance_count, usd=usd, usd_low=usd, usd_high=usd
    )


def _by_tokens(cost: RunCost, records: pd.DataFrame, price: TokenPrice, asked: int | None) -> RunCost:
    found, billed = bill(records, price, asked), records[~unbilled(records)]
    return cost._replace(
        prompt_tokens=_known_sum(billed["prompt_tokens"]),
        completion_tokens=_known_sum(billed["completion_tokens"]),
        cache_read_tokens=_known_sum(billed["cache_read_tokens"]),
        cache_write_tokens=_known_sum(billed["cache_write_tokens"]),
        usd_per_1k_input=price.input,
        usd_per_1k_output=price.output,
        usd_per_1k_cache_read=price.cache_read,
        usd_per_1k_cache_write=price.cache_write,
        usd=found.high,
        usd_low=found.low,
        usd_high=found.high,
        reason=found.reason,
    )


def _known_sum(tokens: pd.Series) -> float | None:
    """None where no count is known."""
    return float(tokens.sum()) if tokens.notna().any() else None
