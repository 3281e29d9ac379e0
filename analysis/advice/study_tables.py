"""Tables in the form of two known studies: one stage in full, and the best configuration per model.

`most_cost_effective` at 5 users, `best_throughput` at 20 and `best_latency` at 1, one row per model,
over all its targets on one dataset. A level that was not measured is replaced by the nearest one that all of them have, or,
where none is near, by each target's own nearest; the row says at which it was measured. Limits are not applied here; INVALID
stages are left out, and those of the open loop, which have no number of users.
"""

import typing

import pandas as pd

from analysis.verdicts.stage_results import Result, tie
from analysis.words import format as show
from analysis.words.level import is_open, level_text
from analysis.words.value_text import instances_of


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

#: a level within this factor of the one asked for is near it
NEAR = 2

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
CALL_INFORMATION = (
    "calls",
    "call_error_rate",
    "attempts_per_call_mean",
    *(f"call_latency_{s}" for s in ("mean", "p50", "p95", "p99")),
)
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
    of_dataset = [r for r in results if r.row["payload"] == dataset]
    names = list(dict.fromkeys(name for r in of_dataset for name in labels.get(r.place, {})))
    models: dict[str, list[Result]] = {}
    for r in of_dataset:
        models.setdefault(r.row["model"], []).append(r)
    tables = {}
    for question in QUESTIONS:
        rows = []
        for measured in models.values():
            group = [r for r in measured if r.trusted and not is_open(r.row) and r.row[question.column]]
            if group:
                rows.append(_row(question, group, _note(question, group, measured), names, labels, hourly))
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
        show.HOURLY_PRICE,
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


def _levels(question: Question, group: list[Result]) -> dict[tuple[str, str], int]:
    """(run, target) -> the users at which it is compared: unlike loads are compared only where the targets share no level near
    the one asked for."""
    own: dict[tuple[str, str], set[int]] = {}
    for r in group:
        own.setdefault(r.place, set()).add(r.row["users"])
    shared = [u for u in set.intersection(*own.values()) if question.users / NEAR <= u <= question.users * NEAR]
    return {place: min(shared or users, key=lambda u: (abs(u - question.users), u)) for place, users in own.items()}


def _note(question: Question, group: list[Result], measured: list[Result]) -> str | None:
    """What a reader must know of the levels compared, and which of the model's targets are not in it."""
    asked, levels, notes = question.users, _levels(question, group), []
    who = {r.place: r.who for r in measured}
    if len(set(levels.values())) > 1:
        each = ", ".join(f"{who[place]} {level}" for place, level in levels.items())
        notes.append(f"the targets share no level near {asked} users; each at its nearest: {each}")
    elif asked not in levels.values():
        everyone = "" if all(r.row["users"] != asked for r in group) else " of every target"
        notes.append(f"{asked} users were not measured{everyone}; nearest level shown")
    if left_out := [name for place, name in who.items() if place not in levels]:
        notes.append(f"left out, without such a figure that can be trusted: {', '.join(left_out)}")
    return "; ".join(notes) or None


def _row(
    question: Question, group: list[Result], note: str | None, names: list[str], labels: dict, hourly: dict
) -> list:
    levels = _levels(question, group)
    compared = [r for r in group if r.row["users"] == levels[r.place]]
    ranked = sorted(compared, key=lambda r: r.row[question.column], reverse=not question.lowest)
    best = ranked[0]
    other = next((r for r in ranked if r.place != best.place), None)
    margin = abs(other.row[question.column] / best.row[question.column] - 1) if other else None
    row = best.row
    return [
        row["model"],
        *[labels.get(best.place, {}).get(n) for n in names],
        instances_of(row),
        row["users"],
        row["latency_per_output_token_p50_ms"],
        row["completion_tokens_per_s"],
        hourly.get(best.place),
        row["minutes_per_1m_output_tokens"],
        row["usd_per_1m_output_tokens"],
        row["target"],
        row["run"],
        row["verdict"],
        other.who.replace("`", "") if other else None,
        margin,
        tie(best, other, question.column) if other else None,
        note,
    ]
