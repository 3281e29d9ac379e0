"""The columns of a finished stage: those of steps.csv that are shown while a run is under way, under their own names."""

import math
import typing

import numpy as np

from analysis.verdicts.stage_results import Result
from analysis.words.columns import columns, row_of

SHOWN = columns(
    lambda f: (
        f.identity.stage, f.identity.target, f.identity.model, f.identity.payload, f.users, f.rate, f.identity.repeat,
        f.outcome.window_s, f.outcome.requests, f.outcome.successes, f.outcome.failures, f.outcome.cancelled,
        f.outcome.errors, f.outcome.error_rate,
        f.throughput.throughput_per_s, f.throughput.throughput_low, f.throughput.throughput_high,
        f.tokens.completion_tokens_per_s, f.latency.p50, f.latency.p50_low, f.latency.p50_high, f.latency.p95,
        f.latency.p95_low, f.latency.p95_high, f.ttft.p50, f.ttft.p50_low, f.ttft.p50_high, f.ttft.p95, f.ttft.p95_low,
        f.ttft.p95_high, f.tpot.p50, f.tpot.p50_low, f.tpot.p50_high, f.tpot.p95, f.tpot.p95_low, f.tpot.p95_high,
        f.tokens.prompt_tokens_mean, f.tokens.completion_tokens_mean, f.tokens.cache_read_share,
        f.cost.usd_per_transaction, f.cost.usd_per_transaction_ci_low, f.cost.usd_per_transaction_ci_high,
        f.cost.usd_per_10k_transactions, f.identity.mix, f.identity.mix_share, f.sessions.sessions, f.sessions.sessions_finished,
        f.sessions.sessions_failed, f.sessions.sessions_ended_early, f.sessions.sessions_cut, f.sessions.session_time.p50,
        f.sessions.session_time.p50_low, f.sessions.session_time.p50_high, f.sessions.session_time.p95,
        f.sessions.session_time.p95_low, f.sessions.session_time.p95_high, f.sessions.usd_per_session,
        f.trust.verdict, f.trust.reasons, f.limits.slo, f.limits.slo_failed, f.ended_by,
    )
)  # fmt: skip


def row(result: Result) -> dict[str, typing.Any]:
    """steps.csv's values of a stage; not known is None."""
    every = row_of(result.figures)
    return {column.name: plain(every[column.name]) for column in SHOWN}


def plain(value: typing.Any) -> typing.Any:
    """As JSON can hold it: a number that is none, or is endless, is not known."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
