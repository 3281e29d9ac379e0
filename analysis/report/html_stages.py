"""The tables made of stages: all of them in full, and the recommended one in the first study's form."""

import typing

from analysis.advice.report_model import Report
from analysis.report.html_tables import Cell, Head, Table, heading, pairs, shown
from analysis.report.stage_groups import (
    AMBIGUOUS,
    CALL_GROUPS,
    FROM_THE_SEND,
    GROUPS,
    OF_ATTEMPTS,
    OPEN_GROUPS,
    SESSION_GROUPS,
    SUMMARY,
    WITH_FAILURES,
    Group,
    quiet,
)
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column, columns
from analysis.words.level import is_open, level_text
from analysis.words.spread import STATISTICS
from analysis.words.stage_figures import StageFigures
from analysis.words.user_perceived import perceived, whose
from analysis.words.value_text import at_full_use, bounds, ends_of, narrow, session_bounds

LONG = 40  # characters of a cell
OF_REQUESTS = columns(lambda f: (f.outcome.error_rate, *(t.at(s) for t in (f.latency, f.ttft) for s in STATISTICS)))
NO_NAMES: dict[str, str] = {}
USD, USD_PER_SESSION = columns(lambda f: (f.cost.usd_per_transaction, f.sessions.usd_per_session))


def stages(report: Report) -> Table:
    """Every stage and every column in which anything is known; an interval stands under its figure."""
    names = (FROM_THE_SEND if report.open_loop else {}) | (OF_ATTEMPTS if report.retries else {})
    return _grouped(report.results, GROUPS, names, on_paper=len(report.retries) < len(report.runs))


def open_loop(report: Report) -> Table:
    """The open-loop stages: planned and achieved rate, how late requests were sent, times from both sends."""
    return _grouped([r for r in report.results if r.figures.rate is not None], OPEN_GROUPS)


def calls(report: Report) -> Table:
    """The stages whose requests are retried: first attempts beside what a user perceives."""
    return _grouped([r for r in report.results if r.figures.retried], CALL_GROUPS)


def sessions(report: Report) -> Table:
    """The stages of conversations: how many began, finished, failed and were cut, what they took."""
    return _grouped(report.conversed, SESSION_GROUPS)


def _grouped(
    results: list[Result],
    groups: typing.Sequence[Group],
    names: typing.Mapping[str, str] = NO_NAMES,
    on_paper: bool = True,
) -> Table:
    """names: what a heading says instead; on_paper: whether such columns are printed, too."""
    found = Table([Head("Stage")], [[cell] for cell in _names(results)], [("", 1)])
    for group in groups:
        width = 0
        for marked, of in group.columns.items():
            if quiet(of, (r.figures for r in results)):
                continue
            values = [_value(r.figures, of) for r in results]
            if not any(show.known(v) or show.failed(v) for v in values):
                if "" not in values:
                    found.left_out.append(heading(of.name))
                continue
            cells = [_cell(r, of, value) for r, value in zip(results, values, strict=True)]
            # on paper figures of calls stand for those of attempts
            apart = not on_paper and (marked.lstrip("+") in names or group.name in names or of in WITH_FAILURES)
            css = "" if marked[0] == "+" and not apart else "more"
            css += " long" if any(len(c.text) > LONG for c in cells) else ""
            head = marked.lstrip("+")
            prefix = names.get(group.name, group.name) if group.name in AMBIGUOUS else ""
            numbers = all(c.number for c in cells)
            title = f"{of.name}: {of.definition}"
            found.heads.append(Head(names.get(head, head), title, numbers, css, prefix, of.name))
            for line, cell in zip(found.rows, cells, strict=True):
                cell.css = f"{cell.css} {css}".strip()
                line.append(cell)
            width += 1
        if width:
            found.groups.append((names.get(group.name, group.name), width))
    return found


def _value(figures: StageFigures, of: Column) -> typing.Any:
    """Without failures the percentiles of all requests are those beside them: nothing."""
    return "" if of in WITH_FAILURES and not figures.outcome.failures else of.of(figures)


def _names(results: list[Result]) -> typing.Iterator[Cell]:
    repeats, runs = {r.figures.identity.repeat for r in results}, {r.figures.run for r in results}
    for r in results:
        stage = r.figures.identity
        under = f"{level_text(stage)} · {stage.payload} · stage {stage.stage}"
        if len(repeats) > 1:
            under += f", repeat {stage.repeat}"
        if len(runs) > 1:
            under += f" of {r.figures.run}"
        yield Cell(stage.target, under, head=True)


def _cell(result: Result, of: Column, value: typing.Any) -> Cell:
    cell = shown(of.name, value)
    cell.under = "" if cell.css == "unknown" else interval(result, of) or _bounds(result.figures, of)
    return cell


def interval(result: Result, of: Column) -> str:
    """`2.40 – 2.63`, `2.40 – wide`, or nothing: without the unit, which is in the heading."""
    words = show.ends(show.money if of.unit == "USD" else show.number, *ends_of(result, of))
    return words + narrow(result.figures, of) if words else ""


def _bounds(figures: StageFigures, of: Column) -> str:
    """Of the cost of a transaction or conversation, where they differ."""
    found = bounds(figures) if of == USD else session_bounds(figures) if of == USD_PER_SESSION else ""
    return f"bounds {found}" if found else ""


def summary(result: Result) -> Table:
    """The recommended stage as Information/Value."""
    rows, figures = [], result.figures
    for of in (one for one in SUMMARY if not quiet(one, [figures])):
        cell, name = _cell(result, of, of.of(figures)), heading(of.name)
        if figures.retried and of in OF_REQUESTS:
            name += " of attempts"
        if cell.under and not cell.under.startswith("bounds"):
            cell.under = f"95 % interval {cell.under}"
        per_minute = figures.throughput.transactions_per_minute
        if of == USD and figures.cost.price_basis == "hourly" and per_minute is not None:
            name += f" at {'this rate' if is_open(figures) else 'full use'} ({show.count(per_minute * 60)}/h)"
        rows.append((name, cell))
    return pairs(rows)


def _each(figures: StageFigures) -> str:
    """`at full use ($5.61 at 30 % use); $0.0001683 each`"""
    usd = show.money(figures.cost.usd_per_transaction)
    return "; ".join(filter(None, (at_full_use(figures).strip(), f"{usd} each")))


def key_figures(figures: StageFigures) -> list[tuple[str, str, str]]:
    """(value, what, detail) of the recommended stage, for the head of the report."""
    user, retried = perceived(figures), figures.retried
    of = f"{show.count(figures.calls.calls)} calls" if retried else f"{show.count(figures.outcome.requests)} requests"
    mine = " of a call" if retried else whose(figures)
    found = [
        (show.money(figures.cost.usd_per_10k_transactions), "per 10,000 transactions", _each(figures)),
        (show.seconds(user.latency.p95), f"latency p95{mine}", f"mean {show.seconds(user.latency.mean)}"),
        (show.seconds(user.ttft.p95), f"TTFT p95{mine}", f"median {show.seconds(user.ttft.p50)}"),
        (
            show.number(figures.throughput.transactions_per_minute),
            "transactions per minute",
            f"at {level_text(figures)}",
        ),
        (show.percent(user.error_rate), "error rate", f"of {of}"),
    ]
    return [f for f in found if f[0] != show.UNKNOWN]
