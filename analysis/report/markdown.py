"""report.md: the report as Markdown that a wiki takes as it is."""

import collections
import pathlib
import re
import typing

import jinja2
import pandas as pd
from markupsafe import Markup

from analysis.advice.mixes import NO_LEVEL, NO_RIVALS
from analysis.advice.report_model import Report
from analysis.advice.study_tables import QUESTIONS
from analysis.report.frames import failed_table
from analysis.report.html_stages import summary
from analysis.report.mix_tables import shown_mixes
from analysis.report.ramp_tables import shown_ramps
from analysis.report.run_tables import (
    shown_comparison,
    shown_even_lines,
    shown_evidence,
    shown_front,
    shown_prices,
    shown_repeats,
    shown_sources,
    shown_workers,
)
from analysis.report.service_tables import service_notes, shown_service
from analysis.report.session_tables import about_turns, session_table, shown_turns
from analysis.report.text_tables import call_table, cost_table, full_table, open_table, run_cost_table
from analysis.report.verdict_summary import doubts, open_limits, total
from analysis.verdicts.check import MARKS
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import METRICS, TURN_METRICS
from analysis.words.safe_text import finalized, markdown_text
from analysis.words.stage_figures import Verdict

TEMPLATES = pathlib.Path(__file__).parent / "templates"


def markdown(report: Report, plots: list[pathlib.Path]) -> str:
    """The report; `plots` lie beside it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=finalized,
    )
    environment.globals.update(
        table=table,
        full_table=full_table,
        cost_table=cost_table,
        run_cost_table=run_cost_table,
        rounded=rounded,
        utc=show.utc,
    )
    return environment.get_template("report.md.j2").render(
        report=report,
        title=f"Load test report: {', '.join(dict.fromkeys(m.name for m in report.runs.values()))}",
        not_valid=not_valid(report),
        failed_lead=failed_lead(report),
        doubts=doubts(report),
        open_limits=open_limits(report),
        questions=QUESTIONS,
        total=total(report),
        plots=[(p.stem.replace("_", " ").capitalize(), p.name) for p in plots],
        **_tables(report),
    )


def _tables(report: Report) -> dict[str, typing.Any]:
    """The template's tables, None where there is nothing to show."""
    results, several = report.results, len(report.runs) > 1
    by_payload: dict[str, list[Result]] = {}
    for r in results:
        by_payload.setdefault(r.payload, []).append(r)
    return {
        "recommended": _recommended(report),
        "failed": _marked(failed_table(report.failed)),
        "sentences": _sentences(report),
        "by_payload": by_payload,
        "calls": call_table(results, several),
        "opened": open_table(results, several),
        "sessions": session_table(report.conversed, several),
        "turns": shown_turns(report.conversed, several),
        "about_turns": about_turns(report.conversed),
        "findings": [(f, shown_evidence(f)) for f in report.findings],
        "even_lines": shown_even_lines(report.even_lines, several),
        "prices": shown_prices(report.prices, several),
        "per_model": report.tables.get("recommended_per_model", pd.DataFrame()),
        "front": shown_front(report),
        "mixes": shown_mixes(report.mixes, several) if report.mixes else None,
        "ramps": shown_ramps(report.ramps, several) if report.ramps else None,
        "no_rivals": NO_RIVALS,
        "no_level": NO_LEVEL,
        "repeats": shown_repeats(report.repeats, several) if report.repeats else None,
        "token_sources": shown_sources(report.token_sources, several) if report.token_sources else None,
        "token_comparison": shown_comparison(report.token_comparison, several) if report.token_comparison else None,
        "service": shown_service(report.service, several),
        "service_notes": service_notes(report),
        "workers": shown_workers(report.workers, several) if report.workers else None,
        "definitions": pd.DataFrame(
            [(m.name, m.unit, m.definition, m.better) for m in METRICS],
            columns=["Column", "Unit", "Definition", "Better"],
        ),
        "turn_definitions": pd.DataFrame(
            [(m.name, m.unit, m.definition, m.better) for m in TURN_METRICS],
            columns=["Column", "Unit", "Definition", "Better"],
        ),
    }


def table(frame: pd.DataFrame) -> Markup:
    """A Markdown table; what is not known is an en dash."""

    def line(cells) -> str:
        return "| " + " | ".join(_cell(c) for c in cells) + " |"

    rows = [line(frame.columns), "|" + "---|" * len(frame.columns)]
    return Markup("\n".join([*rows, *(line(row) for row in frame.itertuples(index=False))]))


def _cell(value: object) -> str:
    if isinstance(value, str) and not value:  # pd.NA has no truth value
        return ""
    text = markdown_text(show.text(value))
    # a backslash before it would take the next one away
    return re.sub(r"(?<=\\)\|", "&#124;", text).replace("|", "\\|")


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as text of three or more significant digits; whole numbers stay as they are."""

    def text(value: object) -> object:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return show.number(value, 4) if isinstance(value, float) else value

    shown = frame.astype(object).map(text)
    if "Margin" in frame:
        shown["Margin"] = frame["Margin"].map(show.percent)
    for column in (c for c in frame.columns if c in show.PRICES):
        shown[column] = frame[column].map(show.exact)
    return shown


def failed_lead(report: Report) -> str:
    """How many stages of the dataset missed a limit."""
    best = report.recommendation
    if not best.criteria:
        return "No limits were set, so no stage could miss one."
    n = len(report.of_interest)
    limits = ", ".join(f"`{c}`" for c in best.criteria)
    if not report.failed:
        return f"None of the {n} stages on `{report.dataset}` missed a limit ({limits})."
    return (
        f"{len(report.failed)} of the {n} stages on `{report.dataset}` missed at least one limit "
        f"({limits}; ✗ missed, ? undecided):"
    )


def not_valid(report: Report) -> str | None:
    """One line on stages that are not to be trusted, for the top."""
    counts = collections.Counter(r.figures.trust.verdict for r in report.results)
    verdicts: tuple[Verdict, ...] = ("INVALID", "SUSPECT")
    parts = [f"{counts[verdict]} {verdict}" for verdict in verdicts if counts[verdict]]
    return (
        f"Of {len(report.results)} stages {' and '.join(parts)}: see the reasons below the stages." if parts else None
    )


def _recommended(report: Report) -> pd.DataFrame | None:
    """The recommended stage as Information | Value."""
    best = report.recommendation
    if not best.pick:
        return None
    rows = summary(report.level(best.pick)).rows
    values = [f"{value.text} ({value.under})" if value.under else value.text for _, value in rows]
    return pd.DataFrame({"Information": [name.text for name, _ in rows], "Value": values})


def _marked(failed: pd.DataFrame) -> pd.DataFrame:
    """Missed cells in bold."""
    cross = MARKS["missed"]
    return failed.map(lambda c: f"**{c}**" if isinstance(c, str) and c.endswith(f" {cross}") else c)


def _sentences(report: Report) -> pd.DataFrame:
    rows = [
        {
            "Run": s.run,
            "Dataset": s.payload,
            "Target": s.target,
            "Instance": s.instance_type,
            "Recommendation": s.recommendation,
        }
        for s in report.sentences
    ]
    table = pd.DataFrame(rows)
    return table if table.empty or len(report.runs) > 1 else table.drop(columns="Run")
