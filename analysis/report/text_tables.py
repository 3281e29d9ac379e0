"""The steps table as people read it: a few columns, formatted, with intervals."""

import functools

import pandas as pd

from analysis.words import format as show
from analysis.words.level import level_text, short_level
from analysis.words.value_text import Intervals, Row, bounds, cells, figure, instances_of, with_interval

BILLED = (
    ("prompt_tokens", "prompt tokens", "usd_per_1k_input"),
    ("cache_read_tokens", "read from a cache", "usd_per_1k_cache_read"),
    ("cache_write_tokens", "written to one", "usd_per_1k_cache_write"),
    ("completion_tokens", "output tokens", "usd_per_1k_output"),
)


def _errors(row: Row) -> str:
    rate = show.percent(row["error_rate"])
    rate = f"{rate} ({row['errors']})" if row["errors"] else rate
    return f"{rate}, ended early by it" if row["ended_by"] == "abort" else rate


#: every figure that the summary of a price-performance study has; with failures: a failure counts as infinity
FULL = {
    "Target": "target", "Instance": instances_of, "Level": level_text, "Requests": "requests", "Error rate": _errors,
    "Prompt tokens": "prompt_tokens_mean", "Prompt tokens/s": "prompt_tokens_per_s", "Output tokens": "completion_tokens_mean",
    "Output tokens/s": "completion_tokens_per_s", "Latency mean": "latency_mean_s", "p50": "latency_p50_s", "p95": "latency_p95_s",
    "p99": "latency_p99_s", "p50 with failures": "latency_p50_all_s", "p95 with failures": "latency_p95_all_s",
    "p99 with failures": "latency_p99_all_s", "TTFT p50": "ttft_p50_s", "TTFT p95": "ttft_p95_s", "TPOT p50": "tpot_p50_ms",
    "TPOT p95": "tpot_p95_ms", "In flight": "in_flight_mean", "Transactions/min": "transactions_per_minute",
    "Transactions/s": "throughput_per_s", "Goodput/s": "goodput_per_s", "Price per transaction": "usd_per_transaction",
    "Limits": "slo", "Verdict": "verdict",
}  # fmt: skip
COST = {
    "Target": "target", "Level": level_text, "Priced by": "price_basis", "Per transaction": "usd_per_transaction", "Bounds": bounds,
    "Per good transaction": "usd_per_good_transaction", "Per 10,000": "usd_per_10k_transactions",
    "Per 1M output tokens": "usd_per_1m_output_tokens", "Per 1M tokens": "usd_per_1m_tokens",
    "Minutes per 1M output tokens": "minutes_per_1m_output_tokens", "At 10 % use": "usd_per_transaction_at_10pct",
    "At 30 % use": "usd_per_transaction_at_30pct", "At 60 % use": "usd_per_transaction_at_60pct",
}  # fmt: skip
_WHERE = {"Run": "run", "Target": "target", "Dataset": "payload"}
#: first attempts beside what a user perceives
CALLS = _WHERE | {
    "Level": level_text, "Calls": "calls", "Failed": "calls_failed", "Call error rate": "call_error_rate",
    "Attempts per call": "attempts_per_call_mean",
    **{f"First attempt: latency {p}": f"first_attempt_latency_{p}_s" for p in ("mean", "p50", "p95", "p99")},
    **{f"User-perceived: latency {p}": f"call_latency_{p}_s" for p in ("mean", "p50", "p95", "p99")},
    **{f"User-perceived: TTFT {p}": f"call_ttft_{p}_s" for p in ("p50", "p95")},
}  # fmt: skip
#: planned and achieved rate, how late requests were sent, latency from both sends
OPENED = _WHERE | {
    "Planned": level_text, "Achieved, 1/s": "rate_achieved_per_s",
    **{f"Schedule delay {p}": f"schedule_delay_{p}_ms" for p in ("p50", "p99", "max")},
    **{f"From the send: latency {p}": f"latency_{p}_s" for p in ("p50", "p95", "p99")},
    **{f"From when it was due: latency {p}": f"intended_latency_{p}_s" for p in ("p50", "p95", "p99")},
}  # fmt: skip


def full_table(steps: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Every figure of stages of one dataset; percentiles with failures only where there are some."""
    table = cells(steps, FULL, functools.partial(with_interval, intervals=intervals))
    return table if (steps["failures"] > 0).any() else table.drop(columns=[c for c in table if "with failures" in c])


def cost_table(steps: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Every cost figure of stages of one dataset; bounds only where they differ."""
    table = cells(steps, COST, functools.partial(with_interval, intervals=intervals))
    return table if table["Bounds"].any() else table.drop(columns="Bounds")


def call_table(steps: pd.DataFrame, intervals: Intervals, several_runs: bool) -> pd.DataFrame:
    """Of the stages whose requests are retried."""
    table = cells(steps[steps["calls"].notna()], CALLS, functools.partial(with_interval, intervals=intervals))
    return table if several_runs else table.drop(columns="Run")


def open_table(steps: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """Of the open-loop stages."""
    table = cells(steps[steps["rate"].notna()], OPENED)
    return table if several_runs else table.drop(columns="Run")


#: left out of the short table where there is little room
ROOMY = ["requests", "TPOT p50", "latency p50", "out tok/s"]


def short_table(steps: pd.DataFrame, roomy: bool = True) -> pd.DataFrame:
    """Text cells for a terminal; a run or payload that all stages share has no column."""
    level = (
        "users"
        if steps["rate"].isna().all()
        else "requests/s"
        if steps["users"].isna().all()
        else "users or requests/s"
    )
    columns = {
        "run": "run", "target": "target", "payload": "payload", level: short_level, "requests": "requests", "errors": "error_rate",
        "TTFT p50": "ttft_p50_s", "TPOT p50": "tpot_p50_ms", "latency p50": "latency_p50_s", "p95": "latency_p95_s",
        "tx/min": "transactions_per_minute", "out tok/s": "completion_tokens_per_s", "$/10k tx": "usd_per_10k_transactions",
        "limits": "slo", "verdict": "verdict",
    }  # fmt: skip
    shared = [name for name in ("run", "payload") if steps[name].nunique() == 1]
    return cells(steps, columns, figure).drop(columns=shared + ([] if roomy else ROOMY))


def run_cost_table(run_cost: pd.DataFrame) -> pd.DataFrame:
    """What the run cost, with both factors."""
    rows = []
    for _, row in run_cost.iterrows():
        if not show.known(row["duration_s"]):
            factors = "nothing was sent"
        elif row["price_basis"] == "hourly":
            instances = show.count(row["instance_count"])
            factors = f"{show.number(row['duration_s'], 5)} s × {show.price(row['usd_per_hour'])}/h × {instances}"
        else:
            factors = " + ".join(
                f"{show.count(row[count])} {words} × {show.price(row[price])}/1k"
                for count, words, price in BILLED
                if "cache" not in count or (show.known(row[count]) and row[count] > 0)
            )
        rows.append(
            {
                "Run": row["run"],
                "Target": row["target"],
                "Instance": show.text(row["instance_type"]),
                "Duration": show.seconds(row["duration_s"]),
                "Factors": factors,
                "Cost": show.span(row["usd_low"], row["usd_high"]),
            }
        )
    return pd.DataFrame(rows)
