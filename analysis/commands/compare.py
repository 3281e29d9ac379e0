"""`python -m analysis compare`: runs side by side -> compare.html, compare.md, compare.json."""

import argparse
import json
import pathlib
import textwrap

import rich.box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis.comparison.build import compare
from analysis.comparison.figures import SHORT, narrow_columns
from analysis.comparison.gist import gist_sentences
from analysis.comparison.model import Comparison, Group
from analysis.verdicts.difference import SHARES
from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK

EXAMPLE = """examples:
  python -m analysis compare runs/monday runs/tuesday
  python -m analysis compare runs/a runs/b runs/c --baseline runs/b --out reports/abc
  python -m analysis compare runs/monday runs/tuesday --json

exit code: 0 fine, 1 bad input, 2 when a stage that is compared is INVALID."""
WIDTH = 100  # columns where there is no terminal
COLOURS = {"worse": "red", "better": "green", "no difference seen": "dim"}
MOST_CONDITIONS = 12
LEGEND = (
    "Change of the second run beside the first, of errors and of tokens from a cache in percentage points; ! holds among all that is "
    "compared, (in parentheses) no difference seen, ? not told by these samples; seen from: the smallest change that would be seen for "
    "itself four times of five. A level marked ? is SUSPECT."
)
HEAD = 7  # columns of text that a heading takes, so that nine figures fit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `compare`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder; the others stand beside the first")
    parser.add_argument("--baseline", metavar="RUN", help="the run that the others stand beside; default: the first")
    parser.add_argument("--pricing", metavar="FILE", help="price book to use in place of the runs' own prices")
    parser.add_argument(
        "--calibration", metavar="FILE", help="calibration.json made on this machine; default: the runs' own"
    )
    parser.add_argument("--out", metavar="FOLDER", help="default: compare-A-B beside the first run")
    parser.add_argument("--json", action="store_true", help="print compare.json; files only with --out")


def run(args: argparse.Namespace) -> int:
    """Compare, write and print. Raises BadInput."""
    comparison = compare(args.runs, args.baseline, args.pricing, args.calibration)
    page = None if args.json and not args.out else write_comparison(comparison, _folder(args))
    if args.json:
        from analysis.report.comparison_json import comparison_data

        print(json.dumps(comparison_data(comparison), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDTH)
        print_comparison(comparison, console)
        console.print(f"\nComparison: {page}", soft_wrap=True, highlight=False, markup=False)
    return NOT_TRUSTED if comparison.invalid else OK


def _folder(args: argparse.Namespace) -> pathlib.Path:
    if args.out:
        return pathlib.Path(args.out)
    names = (pathlib.Path(r).resolve().name for r in args.runs)
    return pathlib.Path(args.runs[0]).resolve().parent / "-".join(["compare", *names])


def write_comparison(comparison: Comparison, folder: pathlib.Path) -> pathlib.Path:
    """Write its files; the path of compare.html. Raises BadInput where that cannot be."""
    from analysis.report.comparison_html import comparison_html  # jinja2 and pandas take a while
    from analysis.report.comparison_json import comparison_data
    from analysis.report.comparison_markdown import comparison_markdown

    data = json.dumps(comparison_data(comparison), indent=1, ensure_ascii=False, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "compare.json").write_text(data + "\n", encoding="utf-8")
        (folder / "compare.md").write_text(comparison_markdown(comparison), encoding="utf-8")
        (folder / "compare.html").write_text(comparison_html(comparison), encoding="utf-8")
    except OSError as e:
        raise BadInput(f"{folder}: cannot be written ({e.strerror}); choose another place with --out") from None
    return folder / "compare.html"


def print_comparison(comparison: Comparison, console: Console) -> None:
    """What differs besides, then a narrow table of each target, payload and other run, and the gist."""
    _print_conditions(comparison, console)
    for group in comparison.groups:
        for other in group.together:
            console.print(_table(group, other, comparison.reference))
    console.print(LEGEND, style="dim", highlight=False, markup=False)
    for text in comparison.only_in:
        console.print(text, highlight=False, markup=False)
    console.print()
    for sentence in gist_sentences(comparison):
        console.print(sentence, highlight=False, markup=False)


def _print_conditions(comparison: Comparison, console: Console) -> None:
    from analysis.report.verdict_summary import doubts_lines

    for text in (*doubts_lines(comparison, whole=True), *(f"Mind: {caution}" for caution in comparison.cautions)):
        console.print(text, style="yellow", highlight=False, markup=False)
    shown = comparison.conditions[:MOST_CONDITIONS]
    for c in shown:
        values = "; ".join(f"{run}: {c.values[run] or 'none'}" for run in comparison.runs)
        console.print(f"Differs: {c.what}: {values}", highlight=False, markup=False)
    if more := comparison.conditions[MOST_CONDITIONS:]:
        console.print(
            f"{len(more)} more conditions differ: {', '.join(c.what for c in more)}", highlight=False, markup=False
        )


def _table(group: Group, run: str, reference: str) -> Table:
    from analysis.report.comparison_tables import gist_rows

    first = next(level for level in group.levels if run in level.compared)
    columns = narrow_columns(first.results[reference].figures, first.results[run].figures)
    rows = gist_rows(group, run, columns)
    known = [i for i in range(len(columns)) if any(cells[i][0] != show.UNKNOWN for _, cells in rows)]
    title = f"{group.who} on {group.payload}: {run} beside {reference}, change in %"
    table = Table(
        box=rich.box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=escape(title),
        title_justify="left",
        title_style="bold",
    )
    table.add_column("level", no_wrap=True)
    for i in known:
        words = SHORT[columns[i]] + (", points" if columns[i] in SHARES else "")
        table.add_column("\n".join(textwrap.wrap(words, HEAD)), justify="right", no_wrap=True, overflow="fold")
    for level, cells in rows:
        shown = [cells[i] for i in known]
        texts = [f"[{COLOURS[said]}]{escape(text)}[/]" if said in COLOURS else escape(text) for text, said in shown]
        table.add_row(escape(level), *texts)
    return table
