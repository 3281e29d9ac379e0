"""The steps table as people read it: a few columns, formatted, with intervals."""

import pandas as pd

from analysis import format as show
from analysis.level import level_text, short_level
from analysis.recommend import instances_of


def _errors(row: pd.Series) -> str:
    rate = show.percent(row["error_rate"])
    rate = f"{rate} ({row['errors']})" if row["errors"] else rate
    return f"{rate}, ended early by it" if row["ended_by"] == "abort" else rate


def with_interval(row: pd.Series, name: str, unit: str) -> str:
    """2.51 s (2.31–2.86), or (2.31–wide) where the interval has no upper end."""
    value, low, high = (row[f"{name}{part}_{unit}"] for part in ("", "_low", "_high"))
    if not show.known(value):
        return show.UNKNOWN
    format_ = show.seconds if unit == "s" else show.milliseconds
    ends = [show.number(v) if show.known(v) else "wide" for v in (low, high)]
    if unit == "s" and 0 < abs(value) < 0.1:  # shown in ms, so are its ends
        ends = [show.number(v * 1000) if show.known(v) else "wide" for v in (low, high)]
    return f"{format_(value)} ({ends[0]}–{ends[1]})"


def _with_failures(row: pd.Series, p: str) -> str:
    """`; with failures ∞ (failed)` where there are some: the percentile of all requests, a failure counting as infinity."""
    if not row["failures"]:
        return ""
    return f"; with failures {show.or_failed(show.seconds, row[f'latency_{p}_all_s'])}"


def _narrow(row: pd.Series) -> str:
    return f", {row['batches']}" if show.known(row["batches"]) else ""


def _throughput(row: pd.Series) -> str:
    """`5.21 (5.02 – 5.40)`, `…, too narrow` where the batches are shorter than requests are long."""
    text = show.between(show.number, row["throughput_per_s"], row["throughput_low"], row["throughput_high"])
    return text + (_narrow(row) if show.known(row["throughput_low"]) else "")


def _cost_interval(row: pd.Series) -> str:
    low, high = row["usd_per_transaction_ci_low"], row["usd_per_transaction_ci_high"]
    if not show.known(low):
        return ""
    return f"{show.money(low)}–{show.money(high)}" + (_narrow(row) if row["price_basis"] == "hourly" else "")


def full_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Text cells of every figure that the summary of a price-performance study has, for one dataset."""
    rows = []
    for _, row in steps.iterrows():
        rows.append(
            {
                "Target": row["target"],
                "Instance": instances_of(row),
                "Level": level_text(row),
                "Requests": show.count(row["requests"]),
                "Error rate": _errors(row),
                "Prompt tokens": show.number(row["prompt_tokens_mean"]),
                "Prompt tokens/s": show.number(row["prompt_tokens_per_s"]),
                "Output tokens": show.number(row["completion_tokens_mean"]),
                "Output tokens/s": show.number(row["completion_tokens_per_s"]),
                "Latency mean": show.seconds(row["latency_mean_s"]),
                "p50": show.seconds(row["latency_p50_s"]) + _with_failures(row, "p50"),
                "p95 (95 % interval)": with_interval(row, "latency_p95", "s") + _with_failures(row, "p95"),
                "p99 (95 % interval)": with_interval(row, "latency_p99", "s") + _with_failures(row, "p99"),
                "TTFT p50": show.seconds(row["ttft_p50_s"]),
                "TTFT p95": with_interval(row, "ttft_p95", "s"),
                "TPOT p50": show.milliseconds(row["tpot_p50_ms"]),
                "TPOT p95": with_interval(row, "tpot_p95", "ms"),
                "In flight": show.number(row["in_flight_mean"]),
                "Transactions/min": show.number(row["transactions_per_minute"]),
                "Transactions/s (95 % interval)": _throughput(row),
                "Goodput/s": show.number(row["goodput_per_s"]),
                "Price per transaction": show.money(row["usd_per_transaction"]),
                "Limits": row["slo"],
                "Verdict": row["verdict"],
            }
        )
    return pd.DataFrame(rows)


def cost_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Text cells of every cost figure, for one dataset."""
    rows = []
    for _, row in steps.iterrows():
        low, high = row["usd_per_transaction_low"], row["usd_per_transaction_high"]
        bounds = f"{show.money(low)}–{show.money(high) if show.known(high) else 'no bound'}" if low != high else ""
        rows.append(
            {
                "Target": row["target"],
                "Level": level_text(row),
                "Priced by": row["price_basis"],
                "Per transaction": show.money(row["usd_per_transaction"]),
                "Bounds": bounds if show.known(low) else "",
                "95 % interval": _cost_interval(row),
                "Per good transaction": show.money(row["usd_per_good_transaction"]),
                "Per 10,000": show.money(row["usd_per_10k_transactions"]),
                "Per 1M output tokens": show.money(row["usd_per_1m_output_tokens"]),
                "Per 1M tokens": show.money(row["usd_per_1m_tokens"]),
                "Minutes per 1M output tokens": show.number(row["minutes_per_1m_output_tokens"]),
                "At 10 % use": show.money(row["usd_per_transaction_at_10pct"]),
                "At 30 % use": show.money(row["usd_per_transaction_at_30pct"]),
                "At 60 % use": show.money(row["usd_per_transaction_at_60pct"]),
            }
        )
    return pd.DataFrame(rows)


#: left out of the short table where there is little room
ROOMY = ["requests", "TPOT p50", "latency p50", "out tok/s"]


def short_table(steps: pd.DataFrame, roomy: bool = True) -> pd.DataFrame:
    """Text cells for a terminal; a run or payload that all stages share has no column."""
    rows, level = [], "users" if steps["rate"].isna().all() else "requests/s" if steps["users"].isna().all() else "users or requests/s"
    for _, row in steps.iterrows():
        rows.append(
            {
                "run": row["run"],
                "target": row["target"],
                "payload": row["payload"],
                level: short_level(row),
                "requests": show.count(row["requests"]),
                "errors": show.percent(row["error_rate"]),
                "TTFT p50": show.seconds(row["ttft_p50_s"]),
                "TPOT p50": show.milliseconds(row["tpot_p50_ms"]),
                "latency p50": show.seconds(row["latency_p50_s"]),
                "p95": show.seconds(row["latency_p95_s"]),
                "tx/min": show.number(row["transactions_per_minute"]),
                "out tok/s": show.number(row["completion_tokens_per_s"]),
                "$/10k tx": show.money(row["usd_per_10k_transactions"]),
                "limits": row["slo"],
                "verdict": row["verdict"],
            }
        )
    table = pd.DataFrame(rows)
    shared = [name for name in ("run", "payload") if steps[name].nunique() == 1]
    return table.drop(columns=shared + ([] if roomy else ROOMY))


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
            factors = (
                f"{show.count(row['prompt_tokens'])} prompt tokens × {show.price(row['usd_per_1k_input'])}/1k + "
                f"{show.count(row['completion_tokens'])} output tokens × {show.price(row['usd_per_1k_output'])}/1k"
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
