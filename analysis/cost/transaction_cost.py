"""What a transaction costs, and what a run cost.

hourly:  usd per transaction = usd/h x instances / (throughput x 3600)
tokens:  usd per transaction = dollars billed for the calls that began in the window / its successes
"""

import typing

import numpy as np
import pandas as pd

from analysis.cost.bill import Bill, bill, unbilled
from analysis.metrics.goodput import good_measured
from analysis.runs.run_reader import Run
from analysis.runs.stage import Stage
from locustfiles.contract.scenario.price_book import TOKENS, HourlyPrice, Price, TokenPrice
from locustfiles.contract.scenario.targets import Target

#: an endpoint is paid for when idle: its price per transaction is also shown at these shares of its full rate
USE = {"usd_per_transaction_at_10pct": 0.10, "usd_per_transaction_at_30pct": 0.30, "usd_per_transaction_at_60pct": 0.60}


CLOCK_TOLERANCE_S = 0.25  # a worker's clock, corrected, may be early by that


class StageCost(typing.NamedTuple):
    columns: dict[str, float | str | None]  # of the steps table
    billed: Bill | None  # priced by tokens: of the calls that began in the window
    reason: str | None  # why the cost is empty


def usd_per_transaction_hourly(usd_per_hour: float, transactions_per_minute: float) -> float:
    """37.688 $/h at 145/min -> 0.004332 $."""
    return usd_per_hour / (60 * transactions_per_minute)


def minutes_per_1m_tokens(tokens_per_s: float) -> float:
    """120.0942 tokens/s -> 138.78 min."""
    return 1e6 / tokens_per_s / 60


def usd_per_1m_tokens_hourly(usd_per_hour: float, tokens_per_s: float) -> float:
    """1.515 $/h at 120.0942 tokens/s -> 3.50 $."""
    return minutes_per_1m_tokens(tokens_per_s) / 60 * usd_per_hour


def stage_cost(stage: Stage, row: dict[str, typing.Any]) -> StageCost:
    """The cost columns of a stage whose measurements are in `row`."""
    if stage.window is None or not row["successes"] or not row["throughput_per_s"]:
        reason = stage.why_no_window if stage.window is None else "no success was measured"
        return StageCost({"price_basis": basis(stage.price)}, None, reason)
    found = _hourly(stage.price, row) if isinstance(stage.price, HourlyPrice) else _tokens(stage, stage.price, row)
    rate, usd = row["completion_tokens_per_s"], found.columns.get("usd_per_transaction")
    found.columns["minutes_per_1m_output_tokens"] = minutes_per_1m_tokens(rate) if rate else None
    found.columns["usd_per_10k_transactions"] = None if usd is None else 10_000 * usd
    return found


def basis(price: Price) -> str:
    return "hourly" if isinstance(price, HourlyPrice) else "tokens"


def _hourly(price: HourlyPrice, row: dict[str, typing.Any]) -> StageCost:
    hourly = price.usd_per_hour_in_all
    usd = usd_per_transaction_hourly(hourly, row["transactions_per_minute"])
    out, prompt = row["completion_tokens_per_s"], row["prompt_tokens_per_s"]
    columns = {
        "price_basis": "hourly",
        "usd_per_transaction": usd,
        "usd_per_transaction_low": usd,
        "usd_per_transaction_high": usd,
        "usd_per_1m_output_tokens": usd_per_1m_tokens_hourly(hourly, out) if out else None,
        "usd_per_1m_tokens": usd_per_1m_tokens_hourly(hourly, out + prompt) if out and prompt is not None else None,
        "usd_per_good_transaction": hourly / 3600 / row["goodput_per_s"] if row["goodput_per_s"] else None,
    }
    return StageCost(columns | {name: usd / used for name, used in USE.items()}, None, None)


def _tokens(stage: Stage, price: TokenPrice, row: dict[str, typing.Any]) -> StageCost:
    n = row["successes"]
    found = bill(stage.measured, price, most_tokens(stage.run, stage.target))
    columns: dict[str, float | str | None] = {"price_basis": "tokens"}
    if found.low is not None:
        columns["usd_per_transaction_low"] = found.low / n
    if found.high is None:
        return StageCost(columns, found, found.reason)
    usd = found.high / n
    prompt, out, good = row["prompt_tokens_mean"], row["completion_tokens_mean"], good_measured(stage)
    columns |= {
        "usd_per_transaction": usd,
        "usd_per_transaction_high": usd,
        "usd_per_1m_output_tokens": usd / out * 1e6 if out else None,
        "usd_per_1m_tokens": usd / (prompt + out) * 1e6 if prompt is not None and out else None,
        "usd_per_good_transaction": found.high / good if good else None,
    }
    return StageCost(columns, found, None)


def most_tokens(run: Run, target: Target) -> int | None:
    """The most output tokens that a call was asked for: payload lines and traces may ask for more than the target."""
    return run.manifest.most_tokens.get(target.name, target.parameters.get("max_tokens"))


def run_cost(run: Run, prices: dict[str, Price]) -> list[dict[str, typing.Any]]:
    """What the run itself cost, a row a target: price x time under load, or its billed tokens.

    Time under load: from a first send to the last end, warm-up, holds and stages cut short included, anew each time that
    another target had its turn between or the run was resumed. What an endpoint costs before, between and after is not in it.
    """
    rows, loaded = [], _under_load(run)
    for target in run.scenario.targets:
        records, price = run.records[run.records["target"] == target.name], prices[target.name]
        row = {"run": run.name, "target": target.name, "instance_type": target.price_key, "price_basis": basis(price)}
        if records.empty:
            rows.append(row | {"usd": 0.0, "usd_low": 0.0, "usd_high": 0.0, "reason": "nothing was sent"})
            continue
        row["duration_s"] = float(loaded[target.name])
        hourly = isinstance(price, HourlyPrice)
        factors = _hours(price, row["duration_s"]) if hourly else _billed(records, price, most_tokens(run, target))
        rows.append(row | factors)
    return rows


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


def _hours(price: HourlyPrice, duration_s: float) -> dict[str, typing.Any]:
    usd = duration_s / 3600 * price.usd_per_hour_in_all
    factors = {"usd_per_hour": price.usd_per_hour, "instance_count": price.instance_count}
    return factors | {"usd": usd, "usd_low": usd, "usd_high": usd}


def _billed(records: pd.DataFrame, price: TokenPrice, asked: int | None) -> dict[str, typing.Any]:
    found, billed = bill(records, price, asked), records[~unbilled(records)]
    return {
        **{name: billed[name].sum(min_count=1) for name in TOKENS},
        "usd_per_1k_input": price.input,
        "usd_per_1k_output": price.output,
        "usd_per_1k_cache_read": price.cache_read,
        "usd_per_1k_cache_write": price.cache_write,
        "usd": found.high,
        "usd_low": found.low,
        "usd_high": found.high,
        "reason": found.reason,
    }
