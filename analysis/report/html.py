"""report.html: the whole report in one file, its style, pictures and script inside, without links to follow.

The template is analysis/report/templates/report.html.j2; every value in it is escaped by jinja2.
"""

import pathlib
import re
import typing

import jinja2
import markupsafe
import pandas as pd
import yaml

from analysis.advice.mixes import NO_LEVEL, NO_RIVALS
from analysis.advice.report_model import Report
from analysis.advice.study_tables import QUESTIONS, Question
from analysis.report import html_arranged, html_stages
from analysis.report.explorer import explorer
from analysis.report.frames import failed_table
from analysis.report.html_pictures import Picture, pictures_of
from analysis.report.html_tables import Table, heading, table
from analysis.report.mix_tables import shown_mixes
from analysis.report.notes import grouped
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
from analysis.report.sections import contents
from analysis.report.service_tables import service_notes, shown_service
from analysis.report.session_tables import about_turns, shown_turns
from analysis.report.text_tables import run_cost_table
from analysis.report.verdict_summary import doubts, open_limits, total
from analysis.words import format as show
from analysis.words.columns import METRICS, TURN_METRICS
from analysis.words.level import level_text
from analysis.words.safe_text import shown as shown_text
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.visible import visible

DECIDES = "price_performance.png"  # stands beside the answer, not with the other plots
BREAK_EVEN = "break_even.png"
TURNS = "turns.png"


def write_html(report: Report, plots: typing.Sequence[pathlib.Path], path: str | pathlib.Path) -> None:
    """Write a report as one HTML file. `plots`: the PNGs that `plots.draw_all` wrote."""
    text = pages().get_template("report.html.j2").render(_content(report, plots))
    pathlib.Path(path).write_text(text, encoding="utf-8")


def pages() -> jinja2.Environment:
    """What pages are made with: everything that a template puts out is escaped, but for Markup of ours."""
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent / "templates")
    page = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    page.filters |= {
        "ticks": ticks, "money": show.money, "count": show.count, "number": show.number, "percent": show.percent,
        "seconds": show.seconds, "utc": show.utc, "text": show.text, "heading": heading,
    }  # fmt: skip
    return page


def _content(report: Report, plots: typing.Sequence[pathlib.Path]) -> dict[str, typing.Any]:
    best = report.recommendation
    picked = report.level(best.pick) if best.pick else None
    pictures = {p.file: p for p in pictures_of(report, plots)}
    several = len(report.runs) > 1
    run = [] if several else ["run", "Run"]  # the columns that say nothing with one run
    return {
        "report": report,
        "style": style(),
        "names": ", ".join(dict.fromkeys(m.name for m in report.runs.values())),
        "best": best,
        "figures": [] if picked is None else html_stages.key_figures(picked.figures),
        "summary": [] if picked is None else halves(html_stages.summary(picked)),
        "notes": grouped(report.notes),
        "doubts": [(verdict, remark) for verdict, remarks in doubts(report).items() for remark in remarks],
        "decides": pictures.pop(DECIDES),
        "explorer": explorer(report),
        "break_even_picture": pictures.pop(BREAK_EVEN),
        **_conversations(report, pictures.pop(TURNS), several),
        "pictures": list(pictures.values()),
        "failed": html_arranged.failed_tables(failed_table(report.failed), _limits(report), ["payload", *run]),
        "total": total(report),
        "open_limits": open_limits(report),
        "run_cost": html_arranged.run_cost(run_cost_table(report.run_cost), run),
        "even_lines": html_arranged.even_lines(shown_even_lines(report.even_lines, several)),
        "prices": html_arranged.prices(shown_prices(report.prices, several)),
        "study": {_question(q): _best(report, q, run) for q in QUESTIONS if q.table in report.tables},
        **_chosen_among(report),
        "stages": html_stages.stages(report),
        "calls": html_stages.calls(report) if report.retries else None,
        "open_loop": html_stages.open_loop(report) if report.open_loop else None,
        "findings": [(f, html_arranged.evidence(shown_evidence(f))) for f in report.findings],
        "repeats": _shown(report.repeats, shown_repeats, several, html_arranged.repeats),
        "token_sources": _shown(report.token_sources, shown_sources, several, html_arranged.token_sources),
        "token_comparison": _shown(report.token_comparison, shown_comparison, several, html_arranged.token_comparison),
        "workers": _shown(report.workers, shown_workers, several),
        "contents": contents(report),
        "metrics": METRICS,
        **_of_runs(report, several),
    }


def _conversations(report: Report, picture: Picture, several: bool) -> dict[str, typing.Any]:
    stages = report.conversed
    return {
        "turns_picture": picture,
        "sessions": html_stages.sessions(report) if stages else None,
        "turns": _shown(stages, shown_turns, several, html_arranged.turns),
        "about_turns": about_turns(stages),
        "turn_metrics": TURN_METRICS if stages else (),
    }


def _of_runs(report: Report, several: bool) -> dict[str, typing.Any]:
    return {
        "mixes": _shown(report.mixes, shown_mixes, several),
        "ramps": _shown(report.ramps, shown_ramps, several),
        "service": {t: html_arranged.service(f) for t, f in shown_service(report.service, several).items()},
        "service_notes": service_notes(report),
        "no_rivals": NO_RIVALS,
        "no_level": NO_LEVEL,
        "run_tables": {name: stage_windows(manifest) for name, manifest in report.runs.items()},
        "scenarios": {name: _yaml(manifest.scenario) for name, manifest in report.runs.items()},
    }


Rows = typing.TypeVar("Rows", bound=typing.Sized)


def _shown(
    rows: Rows,
    words: typing.Callable[[Rows, bool], pd.DataFrame],
    several: bool,
    arrange: typing.Callable[[pd.DataFrame], Table] = table,
) -> Table | None:
    return arrange(words(rows, several)) if len(rows) else None


def _limits(report: Report) -> set[str]:
    """The columns of limits in the table of stages that missed one."""
    return {c.criterion.text for r in report.failed for c in r.checks}


def _chosen_among(report: Report) -> dict[str, Table | None]:
    """The recommendation of each model, where there are several, and what nothing beats."""
    models = report.tables.get("recommended_per_model", pd.DataFrame())
    return {
        "per_model": html_arranged.model_choices(models) if len(models) else None,
        "pareto": html_arranged.front(shown_front(report)),
    }


def _best(report: Report, question: Question, skip: list[str]) -> Table:
    return html_arranged.question_table(question, report.tables[question.table], skip)


def halves(whole: Table) -> list[Table]:
    """A long table as two to stand side by side."""
    middle = -(-len(whole.rows) // 2)
    return [Table(whole.heads, whole.rows[:middle]), Table(whole.heads, whole.rows[middle:])]


def _question(question: Question) -> str:
    """most_cost_effective -> Most cost effective: its rule."""
    return f"{question.table.replace('_', ' ').capitalize()}: {question.rule}"


def style() -> markupsafe.Markup:
    return markupsafe.Markup((pathlib.Path(__file__).parent / "templates" / "report.css").read_text(encoding="utf-8"))


def _finalized(value: object) -> object:
    """What the template puts out: whatever is not Markup of ours is somebody's text."""
    return shown_text(value) if type(value) is str else value


def ticks(words: str) -> markupsafe.Markup:
    """Escape, then set what stands between backticks as code."""
    return markupsafe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(markupsafe.escape(shown_text(words)))))


def stage_windows(manifest: Manifest) -> Table:
    """When each stage was settled, measured and held, in seconds from the run's start."""
    names = ("started_at", "settle_from", "measure_from", "measure_until", "hold_until")
    rows = []
    for s in manifest.stages:
        times = {n: None if getattr(s, n) is None else getattr(s, n) - manifest.started_at for n in names}
        who = {
            "stage": s.stage,
            "target": s.target,
            "payload": s.payload,
            "level": level_text(s),
        }
        rows.append(who | times | {"ended by": s.ended_by, "steady": s.steady, "whole": s.whole})
    return html_arranged.windows(pd.DataFrame(rows)) if rows else table(pd.DataFrame())


def _yaml(scenario: dict) -> markupsafe.Markup:
    """All of it: a prompt may be long."""
    return markupsafe.escape(visible(yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True)))
