"""Tables of what a user perceives: calls where requests are retried, times from when a request was due in the open loop."""

import pandas as pd

from analysis import format as show
from analysis.level import level_text
from analysis.stage_view import with_interval


def call_table(steps: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """Text cells of the stages whose requests are retried: first attempts beside what a user perceives."""
    rows = []
    for _, row in steps.iterrows():
        cells = {
            "Run": row["run"],
            "Target": row["target"],
            "Dataset": row["payload"],
            "Level": level_text(row),
            "Calls": show.count(row["calls"]),
            "Failed": show.count(row["calls_failed"]),
            "Call error rate": show.percent(row["call_error_rate"]),
            "Attempts per call": show.number(row["attempts_per_call_mean"]),
        }
        for words, name in (("First attempt", "first_attempt_latency"), ("User-perceived", "call_latency")):
            cells[f"{words}: latency mean"] = show.seconds(row[f"{name}_mean_s"])
            cells[f"{words}: p50"] = show.seconds(row[f"{name}_p50_s"])
            cells[f"{words}: p95 (95 % interval)"] = with_interval(row, f"{name}_p95", "s")
            cells[f"{words}: p99 (95 % interval)"] = with_interval(row, f"{name}_p99", "s")
        cells["User-perceived: TTFT p50"] = show.seconds(row["call_ttft_p50_s"])
        cells["User-perceived: TTFT p95"] = with_interval(row, "call_ttft_p95", "s")
        rows.append(cells)
    table = pd.DataFrame(rows)
    return table if several_runs or table.empty else table.drop(columns="Run")


def open_table(steps: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """Text cells of the open-loop stages: planned and achieved rate, how late requests were sent, latency from both sends."""
    rows = []
    for _, row in steps.iterrows():
        cells = {
            "Run": row["run"],
            "Target": row["target"],
            "Dataset": row["payload"],
            "Planned": level_text(row),
            "Achieved, 1/s": show.number(row["rate_achieved_per_s"]),
            "Schedule delay p50": show.milliseconds(row["schedule_delay_p50_ms"]),
            "p99": show.milliseconds(row["schedule_delay_p99_ms"]),
            "max": show.milliseconds(row["schedule_delay_max_ms"]),
        }
        for words, name in (("From the send", "latency"), ("From when it was due", "intended_latency")):
            cells[f"{words}: latency p50"] = show.seconds(row[f"{name}_p50_s"])
            cells[f"{words}: p95 (95 % interval)"] = with_interval(row, f"{name}_p95", "s")
            cells[f"{words}: p99 (95 % interval)"] = with_interval(row, f"{name}_p99", "s")
        rows.append(cells)
    table = pd.DataFrame(rows)
    return table if several_runs or table.empty else table.drop(columns="Run")
