"""Tables of what a user perceives: calls where requests are retried, times from when a request was due in the open loop."""

import typing

import pandas as pd

from analysis import format as show
from analysis.level import level_text
from analysis.stage_view import with_interval


def call_table(steps: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """Text cells of the stages whose requests are retried: first attempts beside what a user perceives."""

    def cells(row: pd.Series) -> dict[str, str]:
        return {
            "Level": level_text(row),
            "Calls": show.count(row["calls"]),
            "Failed": show.count(row["calls_failed"]),
            "Call error rate": show.percent(row["call_error_rate"]),
            "Attempts per call": show.number(row["attempts_per_call_mean"]),
            **_latencies(row, "First attempt", "first_attempt_latency", "mean", "p50"),
            **_latencies(row, "User-perceived", "call_latency", "mean", "p50"),
            "User-perceived: TTFT p50": show.seconds(row["call_ttft_p50_s"]),
            "User-perceived: TTFT p95": with_interval(row, "call_ttft_p95", "s"),
        }

    return _table(steps, several_runs, cells)


def open_table(steps: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """Text cells of the open-loop stages: planned and achieved rate, how late requests were sent, latency from both sends."""

    def cells(row: pd.Series) -> dict[str, str]:
        return {
            "Planned": level_text(row),
            "Achieved, 1/s": show.number(row["rate_achieved_per_s"]),
            "Schedule delay p50": show.milliseconds(row["schedule_delay_p50_ms"]),
            "p99": show.milliseconds(row["schedule_delay_p99_ms"]),
            "max": show.milliseconds(row["schedule_delay_max_ms"]),
            **_latencies(row, "From the send", "latency", "p50"),
            **_latencies(row, "From when it was due", "intended_latency", "p50"),
        }

    return _table(steps, several_runs, cells)


def _latencies(row: pd.Series, words: str, name: str, first: str, *more: str) -> dict[str, str]:
    """The named statistics, then p95 and p99 with their intervals; the first one says that they are latencies."""
    found = {f"{words}: latency {first}": show.seconds(row[f"{name}_{first}_s"])}
    found |= {f"{words}: {each}": show.seconds(row[f"{name}_{each}_s"]) for each in more}
    return found | {f"{words}: {p} (95 % interval)": with_interval(row, f"{name}_{p}", "s") for p in ("p95", "p99")}


def _table(steps: pd.DataFrame, several_runs: bool, cells: typing.Callable[[pd.Series], dict[str, str]]) -> pd.DataFrame:
    """A row a stage: where it was measured, then `cells(row)`."""
    rows = [{"Run": row["run"], "Target": row["target"], "Dataset": row["payload"]} | cells(row) for _, row in steps.iterrows()]
    table = pd.DataFrame(rows)
    return table if several_runs or table.empty else table.drop(columns="Run")
