"""What a plot shows, in words, for those who do not see it: of every target its levels, each with its figures."""

import typing

from analysis.advice.report_model import Report
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.user_perceived import perceived
from analysis.words.value_text import ten_thousand

MOST_TARGETS, MOST_LEVELS = 6, 8  # of which an alternative text tells the figures; the tables have them all
Words = typing.Callable[[Result], str | None]


def _price(result: Result) -> str | None:
    p95 = perceived(result.figures).latency.p95
    return (
        None if result.usd is None or p95 is None else f"{ten_thousand(result.usd)} per 10,000, p95 {show.seconds(p95)}"
    )


def _shown(words: typing.Callable[[float | None], str], value: float | None) -> str | None:
    return None if value is None else words(value)


def _turns(result: Result) -> str | None:
    known = [t for t in result.turns if t.latency.p50 is not None]
    ends = [known[0], known[-1]] if known else []
    return " to ".join(f"{show.seconds(t.latency.p50)} at turn {t.turn}" for t in dict.fromkeys(ends)) or None


#: file of a plot -> what is told of a stage; of the others their titles say what they are
FIGURES: dict[str, Words] = {
    "price_performance.png": _price,
    "error_rates.png": lambda r: _shown(show.percent, perceived(r.figures).error_rate),
    "concurrency_vs_latency.png": lambda r: _shown(show.seconds, perceived(r.figures).latency.p50),
    "concurrency_vs_ttft.png": lambda r: _shown(show.seconds, perceived(r.figures).ttft.p50),
    "turns.png": _turns,
    "throughput.png": lambda r: _shown(show.number, r.figures.throughput.transactions_per_minute),
}
MEDIANS = ("concurrency_vs_latency.png", "concurrency_vs_ttft.png", "turns.png")


def alt_text(file: str, title: str, reads: str, report: Report) -> str:
    """`Price against latency. … p4d: 1 user $43.31 per 10,000, p95 0.52 s; 2 users …`"""
    words = FIGURES.get(file)
    lead = f"{title}. {reads}"
    if file == "break_even.png":
        return " ".join([lead, *(pair.text for pair in report.break_even[:MOST_TARGETS])])
    if words is None:
        return lead
    lines = _lines(report, words)
    more = f" And {len(lines) - MOST_TARGETS} targets more." if len(lines) > MOST_TARGETS else ""
    median = " Medians." if file in MEDIANS else ""
    return f"{lead}{median} {' '.join(lines[:MOST_TARGETS])}{more}{_chosen(report, file)}".rstrip()


def _lines(report: Report, words: Words) -> list[str]:
    """A sentence a target."""
    by_target: dict[str, list[str]] = {}
    for result in report.candidates:
        if result.payload == report.dataset and (told := words(result)) is not None:
            by_target.setdefault(result.who.replace("`", ""), []).append(f"{level_text(result.figures)} {told}")
    return [
        f"{who}: {'; '.join(some[:MOST_LEVELS])}{'; …' if len(some) > MOST_LEVELS else ''}."
        for who, some in by_target.items()
    ]


def _chosen(report: Report, file: str) -> str:
    if file != "price_performance.png" or report.recommendation.pick is None:
        return ""
    pick = report.level(report.recommendation.pick)
    return f" Chosen: {pick.who.replace('`', '')} at {level_text(pick.figures)}."
