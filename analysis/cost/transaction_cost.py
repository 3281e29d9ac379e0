"""What a transaction costs.

hourly:  usd per transaction = usd/h x instances / (throughput x 3600)
tokens:  usd per transaction = dollars billed for the calls that began in the window / its successes
"""

import dataclasses
import typing

import numpy as np
import pandas as pd

from analysis.cost.bill import COUNTED, Bill, bill, usd_by_tokens
from analysis.metrics.goodput import good_measured
from analysis.runs.run_reader import Run
from analysis.runs.stage import Stage
from analysis.words import format as show
from analysis.words.cost_figures import Cost
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.prices.price import HourlyPrice, Price, TokenPrice, UnknownPrice
from locustfiles.contract.scenario.answer_limit import answer_limit
from locustfiles.contract.scenario.targets import Target


class StageCost(typing.NamedTuple):
    figures: Cost
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


def stage_cost(stage: Stage, found: StageFigures) -> StageCost:
    """What the transactions of a stage cost whose measurements are in `found`."""
    if isinstance(stage.price, UnknownPrice):
        return StageCost(Cost(), None, stage.price.why)
    if stage.visit.aggregates is not None:
        return _told(stage.price, found)
    if stage.window is None or not found.outcome.successes or not found.throughput.transactions_per_minute:
        reason = stage.why_no_window if stage.window is None else "no success was measured"
        return StageCost(Cost(price_basis=basis(stage.price)), None, reason)
    if isinstance(stage.price, HourlyPrice) and _shares_hours(stage):
        reason = "its target's hours are those of several parts of the mix, which has them as a whole"
        return StageCost(Cost(price_basis="hourly"), None, reason)
    if isinstance(stage.price, HourlyPrice):
        return StageCost(_hourly(stage.price, found, found.throughput.transactions_per_minute), None, None)
    return _tokens(stage, stage.price, found)


def _shares_hours(stage: Stage) -> bool:
    """Whether other parts of the same mix are sent to its target too."""
    return sum(part.target == stage.target.name for part in stage.run.scenario.parts) > 1


def basis(price: Price) -> typing.Literal["hourly", "tokens"] | None:
    """None: no price is known."""
    if isinstance(price, UnknownPrice):
        return None
    return "hourly" if isinstance(price, HourlyPrice) else "tokens"


def _hourly(price: HourlyPrice, found: StageFigures, per_minute: float) -> Cost:
    """At full use; an endpoint is paid for when idle, so that its price is also told at shares of its full rate."""
    hourly = price.usd_per_hour_in_all
    usd = usd_per_transaction_hourly(hourly, per_minute)
    out, prompt, good = (
        found.tokens.completion_tokens_per_s, found.tokens.prompt_tokens_per_s, found.throughput.goodput_per_s,
    )  # fmt: skip
    return Cost(
        usd_per_transaction=usd,
        usd_per_transaction_low=usd,
        usd_per_transaction_high=usd,
        usd_per_good_transaction=hourly / 3600 / good if good else None,
        usd_per_10k_transactions=10_000 * usd,
        usd_per_1m_output_tokens=usd_per_1m_tokens_hourly(hourly, out) if out else None,
        usd_per_1m_tokens=usd_per_1m_tokens_hourly(hourly, out + prompt) if out and prompt is not None else None,
        minutes_per_1m_output_tokens=minutes_per_1m_tokens(out) if out else None,
        usd_per_transaction_at_10pct=usd / 0.10,
        usd_per_transaction_at_30pct=usd / 0.30,
        usd_per_transaction_at_60pct=usd / 0.60,
        price_basis="hourly",
    )


def _tokens(stage: Stage, price: TokenPrice, found: StageFigures) -> StageCost:
    n, rate = found.outcome.successes or 0, found.tokens.completion_tokens_per_s
    billed = bill(stage.measured, price, most_tokens(stage.run, stage.target))
    cost = Cost(
        usd_per_transaction_low=None if billed.low is None else billed.low / n,
        minutes_per_1m_output_tokens=minutes_per_1m_tokens(rate) if rate else None,
        price_basis="tokens",
    )
    if billed.high is None:
        return StageCost(cost, billed, billed.reason)
    usd = billed.high / n
    prompt, out, good = found.tokens.prompt_tokens_mean, found.tokens.completion_tokens_mean, good_measured(stage)
    cost = dataclasses.replace(
        cost,
        usd_per_transaction=usd,
        usd_per_transaction_high=usd,
        usd_per_good_transaction=billed.high / good if good else None,
        usd_per_10k_transactions=10_000 * usd,
        usd_per_1m_output_tokens=usd / out * 1e6 if out else None,
        usd_per_1m_tokens=usd / (prompt + out) * 1e6 if prompt is not None and out else None,
    )
    return StageCost(cost, billed, None)


def _told(price: HourlyPrice | TokenPrice, found: StageFigures) -> StageCost:
    """Of a stage without records: by the hour from its throughput, by tokens a call with the mean counts."""
    tokens, failed = found.tokens, found.outcome.error_rate
    if isinstance(price, HourlyPrice):
        per_minute = found.throughput.transactions_per_minute
        if not per_minute:
            return StageCost(Cost(price_basis="hourly"), None, "no throughput is told of it")
        return StageCost(_hourly(price, found, per_minute), None, None)
    rate = tokens.completion_tokens_per_s
    cost = Cost(minutes_per_1m_output_tokens=minutes_per_1m_tokens(rate) if rate else None, price_basis="tokens")
    usd = usd_of_means(price, tokens.prompt_tokens_mean, tokens.completion_tokens_mean)
    if usd is None:
        return StageCost(cost, None, "its mean tokens are not told")
    cost = dataclasses.replace(cost, usd_per_transaction_low=usd)
    if failed is None or failed > 0:
        share = (
            "it is not told whether some failed" if failed is None else f"{show.percent(failed)} of its requests failed"
        )
        return StageCost(cost, None, f"{share}, and what those were billed is not known")
    prompt, out = tokens.prompt_tokens_mean or 0.0, tokens.completion_tokens_mean or 0.0
    whole = dataclasses.replace(
        cost,
        usd_per_transaction=usd,
        usd_per_transaction_high=usd,
        usd_per_10k_transactions=10_000 * usd,
        usd_per_1m_output_tokens=usd / out * 1e6 if out else None,
        usd_per_1m_tokens=usd / (prompt + out) * 1e6 if prompt + out else None,
    )
    return StageCost(whole, None, None)


def usd_of_means(price: TokenPrice, prompt_tokens: float | None, completion_tokens: float | None) -> float | None:
    """What one call with these counts is billed; None where one of them, or its price, is not known."""
    call = dict.fromkeys(COUNTED, np.nan) | {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    (usd,) = usd_by_tokens(pd.DataFrame([call], dtype="float64"), price)
    return None if np.isnan(usd) else float(usd)


def most_tokens(run: Run, target: Target) -> int | None:
    """The most output tokens that a call was asked for: payload lines and traces may ask for more than the target."""
    return run.manifest.most_tokens.get(target.name, answer_limit(target.parameters))
