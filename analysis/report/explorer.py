"""The stages as data for the chart that can be hovered and zoomed: analysis/report/templates/explorer.js draws it.

It is our own: libraries of the kind that are kept on PyPI weigh more than 1 MB a page. The script is never needed: without it,
and on paper, the pictures say the same.
"""

import json
import pathlib
import typing

import markupsafe

from analysis.advice.report_model import Report
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column, headed
from analysis.words.level import level_text, value_of
from analysis.words.safe_text import shown
from analysis.words.user_perceived import perceived
from analysis.words.value_text import figure

#: what may be on an axis, beside the level and the p95 that users perceive
FIGURES = {name: column for name, column in headed(lambda f: {
    "latency p50, s": f.latency.p50, "$ per 10,000 transactions": f.cost.usd_per_10k_transactions,
    "$ per 1M output tokens": f.cost.usd_per_1m_output_tokens, "TTFT p50, s": f.ttft.p50, "TTFT p95, s": f.ttft.p95,
    "TPOT p50, ms": f.tpot.p50, "transactions per minute": f.throughput.transactions_per_minute,
    "output tokens per second": f.tokens.completion_tokens_per_s, "error rate": f.outcome.error_rate,
}).items() if isinstance(column, Column)}  # fmt: skip
LEVEL, P95, PRICE = "users or requests/s", "latency p95, s", "$ per 10,000 transactions"
MOST_POINTS = 2000  # beyond, a page of points tells less than its tables


def explorer(report: Report) -> dict[str, markupsafe.Markup] | None:
    """`data` and `script` for the page; None where there is nothing to choose from."""
    points = [_point(report, r) for r in report.candidates[:MOST_POINTS]]
    here = [p for p in points if p["dataset"] == shown(report.dataset)]
    if not any(p["values"][P95] is not None for p in here):
        return None
    priced = any(p["values"][PRICE] is not None for p in here)
    data = {
        "figures": [LEVEL, P95, *FIGURES],
        "x": P95,
        "y": PRICE if priced else "transactions per minute",
        "dataset": shown(report.dataset),
        "points": points,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    script = (pathlib.Path(__file__).parent / "templates" / "explorer.js").read_text(encoding="utf-8")
    return {"data": markupsafe.Markup(safe), "script": markupsafe.Markup(script)}


def _point(report: Report, result: Result) -> dict[str, typing.Any]:
    figures = result.figures
    values = {name: _known(column.of(figures)) for name, column in FIGURES.items()}
    who = shown(result.who.replace("`", ""))
    lines = [f"{name}: {figure(figures, column)}" for name, column in FIGURES.items() if values[name] is not None]
    return {
        "series": who,
        "name": f"{who} at {level_text(figures)}",
        "dataset": shown(result.payload),
        "level": value_of(figures),
        "verdict": figures.trust.verdict,
        "missed": figures.limits.slo == "missed",
        "chosen": result.key == report.recommendation.pick,
        "values": {LEVEL: value_of(figures), P95: _known(perceived(figures).latency.p95)} | values,
        "lines": [
            *(line.replace(", s:", ":").replace(", ms:", ":") for line in lines),
            f"{figures.trust.verdict}, limits {figures.limits.slo}",
        ],
    }


def _known(value: float | None) -> float | None:
    return value if show.known(value) else None
