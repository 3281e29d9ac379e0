"""The cost table as Markdown, and the remarks below it."""

from collections.abc import Callable, Sequence

from analysis.locust_csv.cost_table import CostRow
from analysis.locust_csv.kinds import listed
from analysis.locust_csv.run import LocustRun
from analysis.words.format import count, known, money, number, percent, seconds, text
from analysis.words.safe_text import markdown_text

COLUMNS: dict[str, tuple[str, Callable]] = {  # of the printed table; a column without any value is left out
    "run": ("run", text),
    "price": ("price", text),
    "users": ("users", count),
    "name": ("name", text),
    "seconds": ("seconds", number),
    "successes": ("successes", count),
    "failures": ("failures", count),
    "error_rate": ("error rate", percent),
    "successes_per_s": ("successes/s", number),
    "known_to": ("known to", percent),
    "latency_mean_s": ("mean latency", seconds),
    "p50_s": ("p50 (rounded)", seconds),
    "p90_s": ("p90 (rounded)", seconds),
    "p95_s": ("p95 (rounded)", seconds),
    "p99_s": ("p99 (rounded)", seconds),
    "p99_9_s": ("p99.9 (rounded)", seconds),
    "prompt_tokens_mean": ("prompt tokens", number),
    "completion_tokens_mean": ("output tokens", number),
    "ms_per_output_token": ("ms/token", number),
    "cost_per_transaction": ("$ per transaction", money),
    "cost_per_10k_transactions": ("$ per 10k", money),
    "cost_per_1m_output_tokens": ("$ per 1M output tokens", money),
    "minutes_per_1m_output_tokens": ("minutes per 1M output tokens", number),
}
WORDS = ("run", "price", "name")  # worth a column only where they differ


def markdown_table(table: Sequence[CostRow]) -> list[str]:
    """Lines of a Markdown table, without the columns that are empty or alike throughout."""
    cells = {column: [row.value(column) for row in table] for column in COLUMNS}
    shown = [column for column, values in cells.items() if any(known(value) for value in values)]
    shown = [column for column in shown if column not in WORDS or len(set(cells[column])) > 1]
    lines = ["| " + " | ".join(COLUMNS[column][0] for column in shown) + " |"]
    lines.append("|" + "|".join("---" if column in WORDS else "---:" for column in shown) + "|")
    for row in table:
        told = [markdown_text(COLUMNS[column][1](row.value(column))).replace("|", "\\|") for column in shown]
        lines.append("| " + " | ".join(told) + " |")
    return lines


def remarks(table: Sequence[CostRow], runs: Sequence[LocustRun], settle_s: float) -> list[str]:
    """What a reader of the table has to know, a sentence each."""
    said = ["Locust's files hold sums, not requests, so none of these figures has a confidence interval."]
    steps = [row.step for row in table]
    if any(step.failures for step in steps):
        said.append(
            "Mean latency covers failures as well as successes, as Locust counts it; cost counts successes only."
        )
    if any(step.p50_s is not None for step in steps):
        where = "over its last ~10 s of the step" if any(step.step for step in steps) else "over the whole run"
        said.append(f"Percentiles are rounded to two digits by Locust, {where}.")
    slow = sum(step.step is not None and (step.latency_mean_s or 0) > settle_s for step in steps)
    if slow:
        said.append(
            f"In {slow} of {len(steps)} steps the mean latency is above the {settle_s:g} s left out at the start,"
            " so answers to calls that began before its window are counted; use a larger --settle-s."
        )
    others = sorted({str(key) for run in runs for key in run.choice.others})
    if others and any(row.priced.hourly for row in table):
        names = listed(dict.fromkeys(str(key) for run in runs for key in run.choice.keys))
        said.append(f"The whole hourly price is charged to {names}; other requests ran as well: {listed(others)}.")
    unknown = sum(row.tokens.completion is None and row.step.successes > 0 for row in table)
    if unknown:
        said.append(
            f"Mean tokens are unknown for {unknown} of {len(table)} rows: what needs them is empty (see --help)."
        )
    return said


def notes_of(runs: Sequence[LocustRun]) -> list[str]:
    """The runs' own remarks, each once: without a name where it holds for all of several, else with those it holds for."""
    holders: dict[str, list[str]] = {}
    for run in runs:
        for note in run.notes:
            holders.setdefault(note, []).append(run.prefix)
    said = []
    for note, prefixes in holders.items():
        for_all = len(runs) > 1 and len(prefixes) == len(runs)
        said.append(f"{note[0].upper()}{note[1:]}." if for_all else f"{listed(prefixes)}: {note}.")
    return said
