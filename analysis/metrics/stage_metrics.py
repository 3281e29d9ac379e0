"""The measurements of one stage, by the definitions in METRICS. Vectorised; no price, no verdict here."""

import typing

import numpy as np
import pandas as pd

from analysis.metrics.call_metrics import call_columns
from analysis.metrics.goodput import goodput
from analysis.metrics.open_loop import achieved_rate, open_columns
from analysis.metrics.percentiles import columns_of, spread, with_failures
from analysis.metrics.worker_load import worker_columns
from analysis.runs.stage import Stage
from analysis.runs.token_totals import MAX_UNCOUNTED, prompt_total
from analysis.runs.window_share import in_flight, share
from locustfiles.contract.error_classes import ErrorClass

#: field, prefix of its columns, the sources whose shares are columns
SOURCES = (
    ("token_source", "", ("service", "tokenizer")),
    ("prompt_token_source", "prompt_", ("service", "tokenizer", "payload")),
)


def measurements(stage: Stage) -> dict[str, typing.Any]:
    """Every column of the steps table that the records alone decide."""
    row = _identity(stage) | without_window(stage) | worker_columns(stage.visit)
    if stage.window is not None:
        row |= {"window_s": stage.window[1] - stage.window[0]} | _rates(stage)
    return row


def without_window(stage: Stage) -> dict[str, typing.Any]:
    """Those that need no window, only to know which requests began in it."""
    row = _counts(stage) | _times(stage) | _tokens(stage)
    if stage.open_loop:
        row |= open_columns(stage)
    return row if stage.calls is None else row | call_columns(stage.calls)


def _identity(stage: Stage) -> dict[str, typing.Any]:
    target, visit = stage.target, stage.visit
    return {
        "run": stage.run.name,
        "stage": visit.stage,
        "repeat": visit.repeat,
        "target": target.name,
        "model": target.model or getattr(target, "model_id", None) or target.name,
        "service": target.service,
        "instance_type": target.price_key,
        "instance_count": getattr(stage.price, "instance_count", None),
        "payload": visit.payload,
        "users": visit.users,
        "rate": visit.rate if stage.open_loop else None,
        "stream": target.stream,
        "ended_by": visit.ended_by,
    }


def _counts(stage: Stage) -> dict[str, typing.Any]:
    measured, n = stage.measured, len(stage.measured)
    cancelled = int((measured["error"] == ErrorClass.CANCELLED).sum())
    classes = stage.failed["error"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    failures, counted = int(classes.sum()), n - cancelled
    distinct = int(measured["prompt_id"].nunique())
    # a prompt that is tried again is no repeat
    asked = n if stage.calls is None else len(measured[["worker", "call"]].drop_duplicates())
    return {
        "requests": n,
        "successes": len(stage.good),
        "failures": failures,
        "cancelled": cancelled,
        "error_rate": failures / counted if counted else None,
        "errors": ", ".join(f"{name} {count}" for name, count in classes.items()),
        "lag_ms_max": measured["lag_ms"].max() if n else None,
        "reconnects": None if n and measured["reconnect"].isna().all() else int((measured["reconnect"] == 1).sum()),
        "prompts_distinct": distinct,
        "prompt_repeat_share": 1 - distinct / asked if n else None,
    }


def _times(stage: Stage) -> dict[str, typing.Any]:
    good = stage.good
    per_token = good["latency_ms"] / good["completion_tokens"].where(good["completion_tokens"] > 0)
    service = good["service_latency_ms"].dropna()
    return (
        columns_of("latency", "s", spread(good["latency_ms"].to_numpy() / 1000))
        | columns_of("ttft", "s", spread(good["ttft_ms"].dropna().to_numpy() / 1000))
        | columns_of("tpot", "ms", spread(tpot_ms(good).dropna().to_numpy()))
        | {
            f"latency_{p}_all_s": v
            for p, v in with_failures(good["latency_ms"].to_numpy() / 1000, len(stage.failed)).items()
        }
        | {
            "latency_per_output_token_p50_ms": per_token.median() if per_token.notna().any() else None,
            "service_latency_p50_s": service.median() / 1000 if len(service) else None,
        }
    )


def tpot_ms(records: pd.DataFrame) -> pd.Series:
    """Time per output token after the first, ms: (last_token - ttft) / (completion_tokens - 1).

    NaN with fewer than two deltas or tokens, and where reasoning was billed that the answer does not show:
    its tokens are in the count but not in the time.
    """
    known = (records["chunks"] >= 2) & (records["completion_tokens"] >= 2) & (records["hidden_reasoning"] != 1)
    tokens = (records["completion_tokens"] - 1).where(known)
    return (records["last_token_ms"] - records["ttft_ms"]) / tokens


def _rates(stage: Stage) -> dict[str, typing.Any]:
    """Rates by span credit over all phases of the stage's records: each success by its share in the window."""
    a, b = stage.window
    all_sent, all_ended = stage.records["sent"].to_numpy(), stage.records["ended"].to_numpy()
    successes = stage.records[stage.records["error"].isna()]
    sent, ended = successes["sent"].to_numpy(), successes["ended"].to_numpy()
    credit = share(sent, ended, a, b)
    first = sent + successes["ttft_ms"].to_numpy() / 1000
    last = sent + successes["last_token_ms"].to_numpy() / 1000
    streamed = ~np.isnan(first) & ~np.isnan(last)
    writing = share(np.where(streamed, first, sent), np.where(streamed, last, ended), a, b)
    reading = share(sent, np.where(np.isnan(first), ended, first), a, b)
    throughput = float(credit.sum() / (b - a))
    return {
        "rate_achieved_per_s": achieved_rate(stage) if stage.open_loop else None,
        "goodput_per_s": goodput(stage),
        "throughput_per_s": throughput,
        "transactions_per_minute": 60 * throughput,
        "in_flight_mean": in_flight(all_sent, all_ended, a, b),
        "completion_tokens_per_s": _token_rate(successes["completion_tokens"].to_numpy(), writing, b - a),
        "prompt_tokens_per_s": _token_rate(prompt_total(successes).to_numpy(), reading, b - a),
    }


def _token_rate(tokens: np.ndarray, credit: np.ndarray, window_s: float) -> float | None:
    """Tokens a second; None when over 1 % of the credited requests have no count."""
    concerned = credit > 0
    uncounted = np.isnan(tokens) & concerned
    if uncounted.sum() > MAX_UNCOUNTED * concerned.sum():
        return None
    return float(np.nansum(tokens * credit) / window_s)


def _tokens(stage: Stage) -> dict[str, typing.Any]:
    good, n = stage.good, len(stage.good)
    counts = {"prompt_tokens": prompt_total(good)} | {
        name: good[name] for name in ("completion_tokens", "reasoning_tokens")
    }
    row = {f"{name}_mean": tokens.mean() if tokens.notna().any() else None for name, tokens in counts.items()}
    read, whole = good["cache_read_tokens"].sum(), counts["prompt_tokens"].sum()
    row["cache_read_share"] = read / whole if whole else None
    for column, prefix, sources in SOURCES:
        for source in sources:
            row[f"{prefix}{source}_token_share"] = (good[column] == source).sum() / n if n else None
    return row
