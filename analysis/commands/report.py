"""`python -m analysis report`: run folders -> report.html, report.md, report.xlsx, summary.json, steps.csv, tables, plots."""

import argparse
import contextlib
import pathlib
import typing

from rich.console import Console
from rich.markup import escape

from analysis.advice.analyse import analyse
from analysis.advice.dataset import asked_for
from analysis.advice.report_model import Report
from analysis.report.terminal_tables import stages_tables
from analysis.report.verdict_summary import doubts_lines, total
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK

EXAMPLE = """examples:
  python -m analysis report runs/study
  python -m analysis report runs/monday runs/tuesday --out reports/week
  python -m analysis report runs/study --pricing configs/pricing/eu-west-1.yaml
  python -m analysis report runs/study --slo configs/slo/chat.yaml --dataset payload_en_1-500
  python -m analysis report runs/study --mlflow http://127.0.0.1:5000

exit code: 0 fine, 1 bad input, 2 when a stage is INVALID."""
WIDTH = 170  # columns where there is no terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder (--run-dir of the load test)")
    parser.add_argument("--pricing", metavar="FILE", help="price book to use in place of the run's own prices")
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        help="calibration.json made on this machine; default: the run's own, if it has one",
    )
    parser.add_argument(
        "--dataset", metavar="STEM", help="payload file that the recommendation is for; default: the scenario's"
    )
    parser.add_argument("--slo", metavar="FILE", help="limits in place of the runs' own, as in configs/slo/")
    parser.add_argument(
        "--out", metavar="FOLDER", help="default: RUN/report; with several runs report-A-B beside the first of them"
    )
    parser.add_argument(
        "--mlflow", metavar="URI", help="log figures and report there, too: an MLflow server, or SageMaker's by its ARN"
    )
    parser.add_argument("--experiment", metavar="NAME", help="MLflow's experiment; default: the first run's scenario")


def run(args: argparse.Namespace) -> int:
    """Write the report and print its gist. Raises BadInput."""
    if args.mlflow == "":  # as of a variable that is not set
        raise BadInput("--mlflow: no address; give the server's, as http://127.0.0.1:5000")
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    folder = pathlib.Path(args.out) if args.out else default_folder(args.runs)
    with _progress(console, "reading records"):
        report = analyse(args.runs, args.pricing, args.calibration, asked_for(args.dataset, args.slo))
    with _progress(console, "writing the report"):
        html = write_report(report, folder)
    print_gist(report, console)
    console.print(f"\nReport: {html}", soft_wrap=True, highlight=False, markup=False)
    if args.mlflow:
        from analysis.report.mlflow_log import log_report

        with _progress(console, "logging to MLflow"):
            run_id = log_report(report, folder, args.mlflow, args.experiment)
        console.print(f"MLflow run: {run_id}", soft_wrap=True, highlight=False, markup=False)
    return NOT_TRUSTED if report.invalid else OK


def default_folder(runs: typing.Sequence[str]) -> pathlib.Path:
    first = pathlib.Path(runs[0])
    if len(runs) == 1:
        return first / "report"
    return first.parent / "-".join(["report", *(pathlib.Path(r).resolve().name for r in runs)])


def write_report(report: Report, folder: pathlib.Path) -> pathlib.Path:
    """Write every file of the report; the path of report.html. Raises BadInput where that cannot be."""
    # matplotlib takes a second to load, jinja2 a while
    from analysis.report.plots.loading import skip_help

    skip_help()
    from analysis.report.html import write_html
    from analysis.report.markdown import markdown
    from analysis.report.plots.catalogue import draw_all
    from analysis.report.summary_json import write_data
    from analysis.report.workbook import write_workbook

    try:
        folder.mkdir(parents=True, exist_ok=True)
        tables = [lambda: write_data(report, folder), lambda: write_workbook(report, folder / "report.xlsx")]
        plots = draw_all(report, folder, beside=tables)
        (folder / "report.md").write_text(markdown(report, plots), encoding="utf-8")
        write_html(report, plots, folder / "report.html")
    except OSError as e:
        raise BadInput(f"{folder}: cannot be written ({e.strerror}); choose another place with --out") from None
    return folder / "report.html"


def print_gist(report: Report, console: Console) -> None:
    """The stage table, why stages are not VALID, the run's cost and the recommendation."""
    tables = stages_tables(report.results, console.width)
    for table in tables:
        console.print(table)
    if len(tables) > 1:
        console.print()
    for found in report.findings:
        mind = f" Mind: {'; '.join(found.warnings)}." if found.warnings else ""
        console.print(f"Found: {found.text}{mind}", highlight=False, markup=False)
    for text in report.cut:
        console.print(text, style="yellow", highlight=False, markup=False)
    for text in report.retries.values():
        console.print(text, highlight=False, markup=False)
    for text in doubts_lines(report):
        console.print(text, highlight=False, markup=False)
    console.print(_cost(report), highlight=False, markup=False)
    first, *facts = report.recommendation.facts
    console.print(f"\n[bold]{escape(first)}[/]", highlight=False)
    for fact in facts:
        console.print(fact, highlight=False, markup=False)
    if others := report.other_datasets:
        console.print(others, highlight=False, markup=False)
    for one in report.not_in_headline:
        console.print(f"- {one}", highlight=False, markup=False)
    for warning in report.recommendation.warnings:
        console.print(f"Mind: {warning}", highlight=False, markup=False)
    for pair in report.break_even:
        console.print(f"Break-even: {pair.text}", highlight=False, markup=False)


def _cost(report: Report) -> str:
    return "\n".join([f"Cost of the run. {total(report)}", *(each.text for each in report.endpoints)])


def _progress(console: Console, what: str) -> contextlib.AbstractContextManager:
    return console.status(what) if console.is_terminal else contextlib.nullcontext()
