"""Tables in the form of two known studies: one stage in full, and the best configuration per model.

`most_cost_effective` at 5 users, `best_throughput` at 20 and `best_latency` at 1, one row per model,
over all its targets on one dataset. A level that was not measured is replaced by the nearest one, and the
row says at which it was measured. Limits are not applied here; INVALID stages are left out, and those of the open loop,
which have no number of users.
"""

import typing

import pandas as pd

from analysis.level import is_open, level_text
from analysis.recommend import instances_of
from analysis.results import Result, tie


class Question(typing.NamedTuple):
    """What one of the three tables asks: the best `column` at `users`."""

    table: str
    users: int
    column: str
    lowest: bool
    rule: str


QUESTIONS = (
    Question("most_cost_effective", 5, "usd_per_1m_output_tokens", True, "lowest USD per 1M output tokens at 5 users"),
    Question("best_throughput", 20, "completion_tokens_per_s", False, "most output tokens per second at 20 users"),
    Question(
        "best_latency", 1, "latency_per_output_token_p50_ms", True, "lowest median latency per output token at 1 user"
    ),
)

HOURLY_PRICE = "On-demand cost ($/h)"
#: columns of prices as a price book has them, in any table: printed with every digit
PRICES = (HOURLY_PRICE, "usd_per_hour", "usd_per_1k_input", "usd_per_1k_output")

INFORMATION = (
    "instance_type",
    "concurrency",
    "error_rate",
    "prompt_token_count_mean",
    "prompt_token_throughput",
    "completion_token_count_mean",
    "completion_token_throughput",
    "latency_mean",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "ttft_mean",
    "ttft_p50",
    "ttft_p95",
    "ttft_p99",
    "tpot_mean_ms",
    "tpot_p50_ms",
    "tpot_p95_ms",
    "tpot_p99_ms",
    "transactions_per_minute",
    "price_per_txn",
)
CALL_INFORMATION = ("calls", "call_error_rate", "attempts_per_call_mean", *(f"call_latency_{s}" for s in ("mean", "p50", "p95", "p99")))
_COLUMN = {
    "concurrency": "users",
    "prompt_token_count_mean": "prompt_tokens_mean",
    "prompt_token_throughput": "prompt_tokens_per_s",
    "completion_token_count_mean": "completion_tokens_mean",
    "completion_token_throughput": "completion_tokens_per_s",
    "price_per_txn": "usd_per_transaction",
}


def information(result: Result) -> pd.DataFrame:
    """`Information | Value` of one stage: the summary of a price-performance study."""
    rows = [("experiment_name", result.row["target"]), ("payload_file", f"{result.row['payload']}.jsonl")]
    for name in INFORMATION:
        if name == "concurrency" and is_open(result.row):
            rows.append(("rate", level_text(result.row)))
            continue
        column = _COLUMN.get(name, f"{name}_s" if name.startswith(("latency", "ttft")) else name)
        rows.append((name, result.row[column]))
    if result.row["calls"] is not None:  # requests are retried
        rows += [(name, result.row[f"{name}_s" if "latency" in name else name]) for name in CALL_INFORMATION]
    return pd.DataFrame(rows, columns=["Information", "Value"], dtype=object)


def study_tables(
    results: list[Result], dataset: str, labels: dict[tuple[str, str], dict], hourly: dict[tuple[str, str], float]
) -> dict[str, pd.DataFrame]:
    """The three tables. labels: (run, target) -> its free columns; hourly: (run, target) -> $/h in all."""
    here = [r for r in results if r.row["payload"] == dataset and r.trusted and not is_open(r.row)]
    names = list(dict.fromkeys(name for r in here for name in labels.get(r.place, {})))
    models = list(dict.fromkeys(r.row["model"] for r in here))
    tables = {}
    for question in QUESTIONS:
        rows = []
        for model in models:
            group = [r for r in here if r.row["model"] == model and r.row[question.column]]
            if group:
                rows.append(_row(question, group, names, labels, hourly))
        tables[question.table] = pd.DataFrame(rows, columns=_columns(names))
    return tables


def _columns(names: list[str]) -> list[str]:
    return [
        "Model",
        *[n.capitalize() for n in names],
        "Instance",
        "Concurrent requests",
        "Latency (ms/token) median",
        "Throughput (tokens/s)",
        HOURLY_PRICE,
        "Minutes per 1M output tokens",
        "USD per 1M output tokens",
        "Target",
        "Run",
        "Verdict",
        "Runner-up",
        "Margin",
        "Tie",
        "Note",
    ]


def _row(question: Question, group: list[Result], names: list[str], labels: dict, hourly: dict) -> list:
    level = min({r.row["users"] for r in group}, key=lambda users: (abs(users - question.users), users))
    # each target at its own nearest level would compare unlike loads: one level for the whole row
    at_level = [r for r in group if r.row["users"] == level]
    ranked = sorted(at_level, key=lambda r: r.row[question.column], reverse=not question.lowest)
    best = ranked[0]
    other = next((r for r in ranked if r.place != best.place), None)
    margin = abs(other.row[question.column] / best.row[question.column] - 1) if other else None
    row = best.row
    return [
        row["model"],
        *[labels.get(best.place, {}).get(n) for n in names],
        instances_of(row),
        level,
        row["latency_per_output_token_p50_ms"],
        row["completion_tokens_per_s"],
        hourly.get(best.place),
        row["minutes_per_1m_output_tokens"],
        row["usd_per_1m_output_tokens"],
        row["target"],
        row["run"],
        row["verdict"],
        other.row["target"] if other else None,
        margin,
        tie(best, other, question.column) if other else None,
        f"{question.users} users were not measured; nearest level shown" if level != question.users else None,
    ]
