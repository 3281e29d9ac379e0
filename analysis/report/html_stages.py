"""The tables made of stages: all of them in full, and the recommended one in the first study's form."""

import pandas as pd

from analysis.advice.report_model import Report
from analysis.report.html_tables import DEFINITIONS, Cell, Head, Table, heading, pairs, shown
from analysis.words import format as show
from analysis.words.level import is_open, level_text
from analysis.words.user_perceived import perceived, whose
from analysis.words.value_text import Intervals, at_full_use, bounds, ends_of, intervals_of, narrow

#: group -> (column, short heading) in the order of reading; a `+` in front: also on paper
GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "Outcome": (("+verdict", "verdict"), ("+slo", "SLO"), ("+requests", "requests"), ("+error_rate", "error rate")),
    "Latency, s": (
        ("+latency_mean_s", "mean"), ("+latency_p50_s", "p50"), ("+latency_p95_s", "p95"), ("+latency_p99_s", "p99"),
        ("latency_n", "n"), ("+latency_p50_all_s", "p50 with failures as ∞"), ("+latency_p95_all_s", "p95 with failures as ∞"),
        ("+latency_p99_all_s", "p99 with failures as ∞"),
    ),
    "Rate": (
        ("+transactions_per_minute", "transactions /min"), ("+completion_tokens_per_s", "output tokens/s"),
        ("prompt_tokens_per_s", "prompt tokens/s"), ("throughput_per_s", "transactions /s"), ("batches", "its interval"),
        ("+goodput_per_s", "goodput /s"), ("in_flight_mean", "in flight"),
    ),
    "Cost": (
        ("+usd_per_transaction", "per transaction"), ("usd_per_good_transaction", "per good transaction"), ("+usd_per_10k_transactions", "per 10k transactions"),
        ("+usd_per_1m_output_tokens", "per 1M output tokens"), ("usd_per_1m_tokens", "per 1M tokens"),
        ("minutes_per_1m_output_tokens", "minutes per 1M output tokens"),
        ("usd_per_transaction_at_10pct", "per transaction at 10 % use"), ("usd_per_transaction_at_30pct", "at 30 %"),
        ("usd_per_transaction_at_60pct", "at 60 %"), ("price_basis", "priced by"),
    ),
    "TTFT, s": (
        ("ttft_mean_s", "mean"), ("+ttft_p50_s", "p50"), ("+ttft_p95_s", "p95"), ("ttft_p99_s", "p99"), ("ttft_n", "n"),
    ),
    "TPOT, ms": (
        ("tpot_mean_ms", "mean"), ("+tpot_p50_ms", "p50"), ("tpot_p95_ms", "p95"), ("tpot_p99_ms", "p99"), ("tpot_n", "n"),
    ),
    "Tokens": (
        ("+prompt_tokens_mean", "prompt, mean"), ("cache_read_share", "prompt read from a cache"), ("+completion_tokens_mean", "output, mean"),
        ("reasoning_tokens_mean", "reasoning, mean"),
        ("latency_per_output_token_p50_ms", "ms per output token, p50"), ("service_token_share", "counted by the service"),
        ("tokenizer_token_share", "by a tokenizer"), ("prompt_service_token_share", "prompt counted by the service"),
        ("prompt_tokenizer_token_share", "prompt by a tokenizer"), ("prompt_payload_token_share", "prompt by the payload file"),
    ),
    "Requests": (
        ("successes", "good"), ("failures", "failed"), ("errors", "by class"), ("cancelled", "cancelled"),
        ("window_s", "window, s"), ("slo_failed", "limits missed"), ("slo_open", "limits open"),
        ("ended_by", "ended by"), ("reasons", "why not VALID"),
    ),
    "Target": (
        ("model", "model"), ("service", "service"), ("instance_type", "price key"), ("instance_count", "instances"),
        ("stream", "streamed"),
    ),
    "Instrument": (
        ("service_latency_p50_s", "service's own latency p50, s"), ("lag_ms_max", "loop lag while a request was under way, most, ms"),
        ("worker_cpu_max", "worker's CPU, most, of a core"), ("worker_lag_ms_max", "worker's loop lag in the window, most, ms"),
        ("reconnects", "reconnects"), ("prompts_distinct", "distinct prompts"), ("prompt_repeat_share", "repeated prompts"),
    ),
}  # fmt: skip
#: the same for the table of calls, where requests are retried
CALL_GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "Calls": (
        ("+calls", "calls"), ("+calls_failed", "failed"), ("+call_error_rate", "error rate"),
        ("+attempts_per_call_mean", "attempts per call"),
    ),
    "First attempt, latency s": (
        ("+first_attempt_latency_mean_s", "mean"), ("+first_attempt_latency_p50_s", "p50"),
        ("+first_attempt_latency_p95_s", "p95"), ("+first_attempt_latency_p99_s", "p99"), ("first_attempt_latency_n", "n"),
    ),
    "User-perceived, latency s": (
        ("+call_latency_mean_s", "mean"), ("+call_latency_p50_s", "p50"), ("+call_latency_p95_s", "p95"),
        ("+call_latency_p99_s", "p99"), ("call_latency_n", "n"),
    ),
    "User-perceived, TTFT s": (
        ("call_ttft_mean_s", "mean"), ("+call_ttft_p50_s", "p50"), ("+call_ttft_p95_s", "p95"), ("call_ttft_p99_s", "p99"),
        ("call_ttft_n", "n"),
    ),
}  # fmt: skip
#: the same for the table of the open loop
OPEN_GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "Requests/s": (("+rate", "planned"), ("+rate_achieved_per_s", "achieved")),
    "Schedule delay, ms": (
        ("+schedule_delay_p50_ms", "p50"), ("+schedule_delay_p99_ms", "p99"), ("+schedule_delay_max_ms", "most"),
    ),
    "Latency from the send, s": (
        ("+latency_mean_s", "mean"), ("+latency_p50_s", "p50"), ("+latency_p95_s", "p95"), ("+latency_p99_s", "p99"),
    ),
    "Latency from when it was due, s": (
        ("+intended_latency_mean_s", "mean"), ("+intended_latency_p50_s", "p50"), ("+intended_latency_p95_s", "p95"),
        ("+intended_latency_p99_s", "p99"), ("intended_latency_n", "n"),
    ),
    "TTFT from when it was due, s": (
        ("intended_ttft_mean_s", "mean"), ("+intended_ttft_p50_s", "p50"), ("+intended_ttft_p95_s", "p95"),
        ("intended_ttft_p99_s", "p99"), ("intended_ttft_n", "n"),
    ),
}  # fmt: skip
#: groups without whose name a short heading says too little
AMBIGUOUS = ("Latency, s", "TTFT, s", "TPOT, ms", "Cost", "Tokens", *list(CALL_GROUPS)[1:], *OPEN_GROUPS)


def stages(report: Report) -> Table:
    """Every stage and every column in which anything is known; an interval stands under its figure."""
    steps, some = report.steps, report.steps["failures"].fillna(0) > 0
    # without failures they are the percentiles beside them
    shown_where_some = {c: steps[c].astype(object).where(some, "") for c in steps.columns if c.endswith("_all_s")}
    return _grouped(report, steps.assign(**shown_where_some), GROUPS)


def open_loop(report: Report) -> Table:
    """The open-loop stages: planned and achieved rate, how late requests were sent, times from both sends."""
    return _grouped(report, report.steps[report.steps["rate"].notna()], OPEN_GROUPS)


def calls(report: Report) -> Table:
    """The stages whose requests are retried: first attempts beside what a user perceives."""
    return _grouped(report, report.steps[report.steps["calls"].notna()], CALL_GROUPS)


def _grouped(report: Report, steps: pd.DataFrame, groups: dict[str, tuple[tuple[str, str], ...]]) -> Table:
    intervals = intervals_of(report.intervals)
    rows = [row for _, row in steps.iterrows()]
    found = Table([Head("Stage")], [[_name(row, steps)] for row in rows], [("", 1)])
    for group, columns in groups.items():
        width = 0
        for marked, short in columns:
            column = marked.lstrip("+")
            if not any(show.known(v) or show.failed(v) for v in steps[column]):
                if not (steps[column] == "").any():
                    found.left_out.append(heading(column))
                continue
            cells = [_cell(row, column, intervals) for row in rows]
            css = "" if marked[0] == "+" else "more"
            words = f"{column}: {DEFINITIONS[column]}"
            prefix = group if group in AMBIGUOUS else ""
            found.heads.append(Head(short, words, all(c.number for c in cells), css, prefix))
            for line, cell in zip(found.rows, cells):
                cell.css = f"{cell.css} {css}".strip()
                line.append(cell)
            width += 1
        if width:
            found.groups.append((group, width))
    return found


def _name(row: pd.Series, steps: pd.DataFrame) -> Cell:
    under = f"{level_text(row)} · {row['payload']} · stage {row['stage']}"
    if steps["repeat"].nunique() > 1:
        under += f", repeat {row['repeat']}"
    if steps["run"].nunique() > 1:
        under += f" of {row['run']}"
    return Cell(row["target"], under, head=True)


def _cell(row: pd.Series, column: str, intervals: Intervals) -> Cell:
    cell = shown(column, row[column])
    cell.under = "" if cell.css == "unknown" else interval(row, column, intervals) or _bounds(row, column)
    return cell


def interval(row: pd.Series, column: str, intervals: Intervals) -> str:
    """`2.40 – 2.63`, `2.40 – wide`, or nothing: without the unit, which is in the heading."""
    words = show.ends(show.money if "usd" in column else show.number, *ends_of(row, column, intervals))
    return words + narrow(row, column) if words else ""


def _bounds(row: pd.Series, column: str) -> str:
    """Of the cost of a transaction, where they differ."""
    found = bounds(row) if column == "usd_per_transaction" else ""
    return f"bounds {found}" if found else ""


SUMMARY = (
    "target", "model", "payload", "instance_type", "instance_count", "users", "rate", "rate_achieved_per_s",
    "in_flight_mean", "requests", "error_rate",
    "prompt_tokens_mean", "prompt_tokens_per_s", "completion_tokens_mean", "completion_tokens_per_s",
    "latency_mean_s", "latency_p50_s", "latency_p95_s", "latency_p99_s", "ttft_mean_s", "ttft_p50_s", "ttft_p95_s",
    "ttft_p99_s", "tpot_mean_ms", "tpot_p50_ms", "tpot_p95_ms", "tpot_p99_ms", "calls", "call_error_rate", "attempts_per_call_mean",
    "call_latency_mean_s", "call_latency_p50_s", "call_latency_p95_s", "call_latency_p99_s", "call_ttft_p50_s", "call_ttft_p95_s",
    "intended_latency_p50_s", "intended_latency_p95_s", "intended_latency_p99_s", "transactions_per_minute", "goodput_per_s",
    "usd_per_transaction", "usd_per_good_transaction", "usd_per_10k_transactions", "usd_per_1m_output_tokens", "usd_per_transaction_at_10pct",
    "usd_per_transaction_at_30pct", "usd_per_transaction_at_60pct", "verdict", "slo",
)  # fmt: skip


def summary(report: Report, row: pd.Series) -> Table:
    """The recommended stage as Information/Value."""
    rows, intervals = [], intervals_of(report.pooled_intervals)
    for column in SUMMARY:
        cell, name = _cell(row, column, intervals), heading(column)
        if cell.under and not cell.under.startswith("bounds"):
            cell.under = f"95 % interval {cell.under}"
        if column == "usd_per_transaction" and row["price_basis"] == "hourly":
            name += f" at {'this rate' if is_open(row) else 'full use'} ({show.count(row['transactions_per_minute'] * 60)}/h)"
        rows.append((name, cell))
    return pairs(rows)


def _each(row: pd.Series) -> str:
    """`at full use ($5.61 at 30 % use); $0.0001683 each`"""
    return "; ".join(filter(None, (at_full_use(row).strip(), f"{show.money(row['usd_per_transaction'])} each")))


def key_figures(row: pd.Series) -> list[tuple[str, str, str]]:
    """(value, what, detail) of the recommended stage, for the head of the report."""
    retried = show.known(row["calls"])
    of = f"{show.count(row['calls'])} calls" if retried else f"{show.count(row['requests'])} requests"
    mine = " of a call" if retried else whose(row)
    latency, ttft = (
        {p: perceived(row, f"{name}_{p}_s") for p in ("mean", "p50", "p95")} for name in ("latency", "ttft")
    )
    figures = [
        (show.money(row["usd_per_10k_transactions"]), "per 10,000 transactions", _each(row)),
        (show.seconds(latency["p95"]), f"latency p95{mine}", f"mean {show.seconds(latency['mean'])}"),
        (show.seconds(ttft["p95"]), f"TTFT p95{mine}", f"median {show.seconds(ttft['p50'])}"),
        (show.number(row["transactions_per_minute"]), "transactions per minute", f"at {level_text(row)}"),
        (show.percent(perceived(row, "error_rate")), "error rate", f"of {of}"),
    ]
    return [f for f in figures if f[0] != show.UNKNOWN]
