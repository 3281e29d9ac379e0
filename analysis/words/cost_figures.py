"""What a stage's transactions and tokens cost."""

import dataclasses
import typing

from analysis.words.figure_fields import number, text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """`_low` and `_high` are the bounds of the bill, `_ci_low` and `_ci_high` the ends of the 95 % interval."""

    usd_per_transaction: float | None = number(
        "hourly: price x instances / successes per hour, at full use, in the open loop at the planned rate; tokens: dollars "
        "billed for the calls that began in the window / its successes. Where the bill of failures has bounds only, the upper one",
        "USD",
        "lower",
        ends="usd_per_transaction_ci",
    )
    usd_per_transaction_low: float | None = number(
        "with failures of unknown tokens billed nothing, and tokens written to a cache for an unknown time the price of five minutes",
        "USD",
        "lower",
    )
    usd_per_transaction_high: float | None = number(
        "with them billed their prompt and max_tokens, and the price of an hour", "USD", "lower"
    )
    usd_per_transaction_ci_low: float | None = number(
        "lower end of its 95 % interval: hourly by the interval of throughput, tokens by the spread of the calls' bills, from "
        "five successes on and, where all bills are alike, twenty",
        "USD",
    )
    usd_per_transaction_ci_high: float | None = number("its upper end", "USD")
    usd_per_good_transaction: float | None = number(
        "hourly: price x instances / goodput per hour; tokens: dollars billed for the calls that began in the window / its "
        "successes inside the limits",
        "USD",
        "lower",
        heading="$ per good transaction",
    )
    usd_per_10k_transactions: float | None = number(
        "10,000 x usd_per_transaction", "USD", "lower", heading="$ per 10k transactions"
    )
    usd_per_1m_output_tokens: float | None = number(
        "hourly: price / output tokens per hour; tokens: billed / output tokens; x 1,000,000",
        "USD",
        "lower",
        heading="$ per 1M output tokens",
    )
    usd_per_1m_tokens: float | None = number(
        "the same over prompt and output tokens", "USD", "lower", heading="$ per 1M tokens"
    )
    minutes_per_1m_output_tokens: float | None = number(
        "1,000,000 / completion_tokens_per_s / 60", "min", "lower", heading="minutes per 1M output tokens"
    )
    usd_per_transaction_at_10pct: float | None = number(
        "hourly priced: with 10 % of these transactions per hour, for an endpoint is paid for when idle",
        "USD",
        "lower",
        heading="$ per transaction at 10 % use",
    )
    usd_per_transaction_at_30pct: float | None = number(
        "the same at 30 %", "USD", "lower", heading="$ per transaction at 30 % use"
    )
    usd_per_transaction_at_60pct: float | None = number(
        "the same at 60 %", "USD", "lower", heading="$ per transaction at 60 % use"
    )
    price_basis: typing.Literal["hourly", "tokens"] | None = text("hourly or tokens")
