"""The cost table as Markdown, and the remarks below it."""

import pandas as pd

from analysis.locust_csv.steps import TOTAL
from analysis.words.format import count, money, number, percent, seconds, text
from analysis.words.safe_text import markdown_text

COLUMNS = {  # of the printed table; a column without any value is left out
    "run": ("run", text),
    "users": ("users", count),
    "name": ("name", text),
    "seconds": ("seconds", number),
    "successes": ("successes", count),
    "failures": ("failures", count),
    "error_rate": ("error rate", percent),
    "successes_per_s": ("successes/s", number),
    "latency_mean_s": ("mean latency", seconds),
    "p50_s": ("p50 (rounded)", seconds),
    "p95_s": ("p95 (rounded)", seconds),
    "p99_s": ("p99 (rounded)", seconds),
    "prompt_tokens_mean": ("prompt tokens", number),
    "completion_tokens_mean": ("output tokens", number),
    "cost_per_transaction": ("$ per transaction", money),
    "cost_per_10k_transactions": ("$ per 10k", money),
    "cost_per_1m_output_tokens": ("$ per 1M output tokens", money),
    "minutes_per_1m_output_tokens": ("minutes per 1M output tokens", number),
}


def markdown_table(table: pd.DataFrame) -> list[str]:
    """Lines of a Markdown table of a cost_table, without the columns that are empty or alike throughout."""
    shown = [column for column in COLUMNS if table[column].notna().any()]
    for column in ("run", "name"):  # worth a column only where they differ
        if column in shown and table[column].nunique() == 1:
            shown.remove(column)
    lines = ["| " + " | ".join(COLUMNS[column][0] for column in shown) + " |"]
    lines.append("|" + "|".join("---" if column in ("run", "name") else "---:" for column in shown) + "|")
    for _, row in table.iterrows():
        cells = [markdown_text(COLUMNS[column][1](row[column])).replace("|", "\\|") for column in shown]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def remarks(table: pd.DataFrame, steps: pd.DataFrame, name: str | None, settle_s: float) -> list[str]:
    """What a reader of the table has to know: `steps` holds every request name, `table` the rows that were costed."""
    said = ["Locust's files hold sums, not requests, so none of these figures has a confidence interval."]
    if table["failures"].sum():
        said.append(
            "Mean latency covers failures as well as successes, as Locust counts it; cost counts successes only."
        )
    if table["p50_s"].notna().any():
        where = "over its last ~10 s of the step" if table["step"].notna().any() else "over the whole run"
        said.append(f"Percentiles are rounded to two digits by Locust, {where}.")
    slow = table["step"].notna() & (table["latency_mean_s"] > settle_s)
    if slow.any():
        said.append(
            f"In {slow.sum()} of {len(table)} steps the mean latency is above the {settle_s:g} s left out at the start,"
            " so answers to calls of the level before are counted; use a larger --settle-s."
        )
    others = sorted(set(steps["name"]) - {TOTAL, name})
    if name and others and (table["priced_by"] == "hour").any():
        said.append(f"The whole hourly price is charged to {name}; other requests ran as well: {', '.join(others)}.")
    elif not name and len(others) > 1:
        said.append(
            f"Requests of {len(others)} names are taken together; --name costs one of them: {', '.join(others)}."
        )
    unknown = table["completion_tokens_mean"].isna() & table["successes"].gt(0)
    if unknown.any():
        said.append(
            f"Mean tokens are unknown for {unknown.sum()} of {len(table)} rows: what needs them is empty (see --help)."
        )
    return said
