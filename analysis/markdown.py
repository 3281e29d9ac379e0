"""report.md: the report as Markdown that a wiki takes as it is."""

import datetime
import pathlib

import jinja2
import pandas as pd

from analysis import format as show
from analysis.findings import shown_evidence
from analysis.level import short_level
from analysis.metrics import METRICS
from analysis.repeats import shown_repeats
from analysis.report_data import Report
from analysis.slo import MARKS
from analysis.stage_view import cost_table, full_table, run_cost_table
from analysis.study import PRICES, QUESTIONS
from analysis.tokens import shown_comparison, shown_sources
from analysis.user_view import call_table, open_table
from analysis.workers import shown_workers

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
    )
    environment.globals.update(
        table=table,
        full_table=full_table,
        cost_table=cost_table,
        run_cost_table=run_cost_table,
        rounded=rounded,
        utc=_utc,
    )
    several = len(report.runs) > 1
    return environment.get_template("report.md.j2").render(
        report=report,
        title=f"Load test report: {', '.join(dict.fromkeys(m.name for m in report.runs.values()))}",
        not_valid=not_valid(report),
        recommended=rounded(report.tables["recommended_stage"]) if "recommended_stage" in report.tables else None,
        failed_lead=failed_lead(report),
        failed=_marked(report.failed),
        sentences=_sentences(report),
        by_payload={p: report.steps[report.steps["payload"] == p] for p in report.steps["payload"].unique()},
        reasons=reasons(report),
        open_limits=open_limits(report),
        questions=QUESTIONS,
        calls=call_table(report.steps[report.steps["calls"].notna()], several),
        opened=open_table(report.steps[report.steps["rate"].notna()], several),
        findings=[(f, shown_evidence(f)) for f in report.findings],
        repeats=shown_repeats(report.repeats, report.repeat_spread, several) if len(report.repeats) else None,
        token_sources=shown_sources(report.token_sources, several) if len(report.token_sources) else None,
        token_comparison=shown_comparison(report.token_comparison, several) if len(report.token_comparison) else None,
        workers=shown_workers(report.workers, several) if len(report.workers) else None,
        total=total(report),
        plots=[(p.stem.replace("_", " ").capitalize(), p.name) for p in plots],
        definitions=pd.DataFrame(
            [(m.name, m.unit, m.definition, m.better) for m in METRICS],
            columns=["Column", "Unit", "Definition", "Better"],
        ),
    )


def table(frame: pd.DataFrame) -> str:
    """A Markdown table; what is not known is an en dash."""

    def line(cells) -> str:
        return "| " + " | ".join(_cell(c) for c in cells) + " |"

    rows = [line(frame.columns), "|" + "---|" * len(frame.columns)]
    return "\n".join([*rows, *(line(row) for row in frame.itertuples(index=False))])


def _cell(value: object) -> str:
    if value == "":
        return ""
    return show.text(value).replace("|", "\\|").replace("\n", " ")


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as text of three or more significant digits; whole numbers stay as they are."""

    def text(value: object) -> object:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return show.number(value, 4) if isinstance(value, float) else value

    shown = frame.astype(object).map(text)
    if "Margin" in frame:
        shown["Margin"] = frame["Margin"].map(show.percent)
    for column in frame.columns.intersection(PRICES):
        shown[column] = frame[column].map(show.exact)
    return shown


def failed_lead(report: Report) -> str:
    """How many stages of the dataset missed a limit."""
    best = report.recommendation
    if not best.criteria:
        return "No limits were set, so no stage could miss one."
    n = int((report.steps["payload"] == report.dataset).sum())
    limits = ", ".join(f"`{c}`" for c in best.criteria)
    if report.failed.empty:
        return f"None of the {n} stages on `{report.dataset}` missed a limit ({limits})."
    return (
        f"{len(report.failed)} of the {n} stages on `{report.dataset}` missed at least one limit "
        f"({limits}; ✗ missed, ? undecided):"
    )


def not_valid(report: Report) -> str | None:
    """One line on stages that are not to be trusted, for the top."""
    counts = report.steps["verdict"].value_counts()
    parts = [f"{counts[v]} {v}" for v in ("INVALID", "SUSPECT") if v in counts]
    return f"Of {len(report.steps)} stages {' and '.join(parts)}: see the reasons below the stages." if parts else None


def reasons(report: Report) -> list[tuple[str, str]]:
    """(stages, why) of every stage that is not VALID, equal reasons together."""
    some = report.steps[report.steps["reasons"] != ""]
    return _grouped(report, some, some["verdict"] + ": " + some["reasons"])


def open_limits(report: Report) -> list[tuple[str, str]]:
    """(stages, limits and why) of every stage with limits that are neither met nor missed."""
    some = report.steps[report.steps["slo_open"].fillna("") != ""]
    return _grouped(report, some, some["slo_open"])


def _grouped(report: Report, steps: pd.DataFrame, words: pd.Series) -> list[tuple[str, str]]:
    """(`target payload @1, 2; …`, words), stages of equal words together."""
    found: dict[str, dict[str, list[str]]] = {}
    several = len(report.runs) > 1
    for (_, row), why in zip(steps.iterrows(), words):
        name = f"{row['run']}: {row['target']} {row['payload']}" if several else f"{row['target']} {row['payload']}"
        found.setdefault(why, {}).setdefault(name, []).append(short_level(row))
    return [("; ".join(f"{name} @{', '.join(users)}" for name, users in p.items()), why) for why, p in found.items()]


def total(report: Report) -> str:
    """`Total: $0.5741 to $0.7061, by what failures of unknown tokens were billed.`"""
    low, high = report.total_cost_low, report.total_cost
    if low is None:
        return "The total is not known, for the cost of a target is not."
    words = show.span(low, high)
    if words == show.money(high):
        return f"Total: {words}."
    return f"Total: {words}, for failures of unknown tokens may have been billed, or not."


def _marked(failed: pd.DataFrame) -> pd.DataFrame:
    """Missed cells in bold."""
    cross = MARKS["missed"]
    return failed.map(lambda c: f"**{c}**" if isinstance(c, str) and c.endswith(f" {cross}") else c)


def _sentences(report: Report) -> pd.DataFrame:
    names = {"payload": "Dataset", "target": "Target", "instance_type": "Instance", "recommendation": "Recommendation"}
    if len(report.runs) > 1:
        names = {"run": "Run"} | names
    return report.sentences[list(names)].rename(columns=names)


def _utc(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
