"""Mixes as tables: a row for all parts together, and one for each."""

import pandas as pd

from analysis.report.run_tables import frame_of_rows
from analysis.verdicts.intervals import USD
from analysis.verdicts.mixes import Mix, shares
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import load_text
from analysis.words.user_perceived import perceived

TOGETHER = "all parts together"


def shown_mixes(mixes: list[Mix], several_runs: bool) -> pd.DataFrame:
    """Text cells. Times are of each part alone: those of different work together say nothing of either."""
    rows = (row for mix in mixes for row in (_whole(mix), *map(_part, mix.parts, shares(mix))))
    return frame_of_rows(rows, several_runs)


def mix_rows(mixes: list[Mix]) -> pd.DataFrame:
    """A row a mix, of numbers: tables/mixes.csv."""
    names = [
        "run", "mix", "users", "rate", "parts", "requests", "failures", "cancelled", "error_rate", "throughput_per_s",
        "throughput_low", "throughput_high", "in_flight_mean", "usd_per_transaction", "usd_per_transaction_low",
        "usd_per_transaction_high", "usd_per_transaction_ci_low", "usd_per_transaction_ci_high", "verdict",
    ]  # fmt: skip
    rows = [
        [m.first.run, m.first.identity.mix, m.first.users, m.first.rate, len(m.parts), m.requests, m.failures, m.cancelled,
         m.error_rate, m.throughput_per_s, *(m.throughput_ends or (None, None)), m.in_flight_mean, m.cost.usd, m.cost.low,
         m.cost.high, *(m.cost.ends or (None, None)), m.verdict]
        for m in mixes
    ]  # fmt: skip
    numbers = [n for n in names if n.startswith(("rate", "error_rate", "throughput", "in_flight", "usd"))]
    return pd.DataFrame(rows, columns=names).astype({"users": "Int64"} | dict.fromkeys(numbers, "float64"))


def _whole(mix: Mix) -> dict[str, str]:
    first = mix.first
    repeat = f", repeat {first.identity.repeat}" if (first.identity.repeat or 1) > 1 else ""
    return {
        "Run": first.run,
        "Mix": f"{load_text(first)}{repeat}",
        "Part": TOGETHER,
        "Verdict": mix.verdict,
        "$ per 10,000": _ten_thousand(mix.cost.usd, mix.cost.ends),
        "Requests": show.count(mix.requests),
        "Error rate": show.percent(mix.error_rate),
        "Transactions/s": show.between(show.number, mix.throughput_per_s, *(mix.throughput_ends or (None, None))),
        "TTFT p95": "",
        "Latency p95": "",
        "In flight": show.number(mix.in_flight_mean),
        "Share, planned": show.percent(1.0),
        "Share, sent": show.percent(1.0),
    }


def _part(result: Result, sent: float | None) -> dict[str, str]:
    figures, user = result.figures, perceived(result.figures)
    return {
        "Run": figures.run,
        "Mix": f"stage {figures.identity.stage}",
        "Part": f"{figures.identity.target} on {figures.identity.payload}",
        "Verdict": figures.trust.verdict or "",
        "$ per 10,000": _ten_thousand(result.usd, result.intervals.get(USD)),
        "Requests": show.count(figures.outcome.requests),
        "Error rate": show.percent(figures.outcome.error_rate),
        "Transactions/s": show.number(figures.throughput.throughput_per_s),
        "TTFT p95": show.seconds(user.ttft.p95),
        "Latency p95": show.seconds(user.latency.p95),
        "In flight": show.number(figures.throughput.in_flight_mean),
        "Share, planned": show.percent(figures.mix_share),
        "Share, sent": show.percent(sent),
    }


def _ten_thousand(usd: float | None, ends: tuple[float, float] | None) -> str:
    """With the 95 % interval of the cost of one."""
    each = [None if one is None else 10_000 * one for one in (usd, *(ends or (None, None)))]
    return show.between(show.money, *each)
