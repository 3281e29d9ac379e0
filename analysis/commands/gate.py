"""`python -m analysis gate`: a run judged by its limits and against a baseline, for CI: one line a case, and an exit code."""

import argparse
import math
import os
import pathlib

from rich.console import Console

from analysis.gate.case import Gate, GateState
from analysis.gate.judge import Against, gate
from analysis.report.gate_junit import junit
from analysis.report.gate_texts import gate_json, gate_markdown
from analysis.report.verdict_summary import doubts_lines
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import GATE_MISSED, NOT_TRUSTED, OK
from locustfiles.contract.visible import visible_lines

EXAMPLE = """examples:
  python -m analysis gate runs/study
  python -m analysis gate runs/study --slo configs/slo/chat.yaml --junit gate.xml --markdown gate.md
  python -m analysis gate runs/tonight --baseline runs/last-week --tolerance 5

exit code: 0 every case is met, 1 bad input, 2 a case is undecided or the run is not to be trusted, 3 a case is missed
(and none is undecided)."""
COLOURS: dict[GateState, str] = {"met": "green", "missed": "red", "undecided": "yellow"}
CODES: dict[GateState, int] = {"met": OK, "missed": GATE_MISSED, "undecided": NOT_TRUSTED}
#: the order of the lines: what matters most stands last, where a log is read first
ORDER: tuple[GateState, ...] = ("met", "undecided", "missed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gate`."""
    parser.add_argument("folder", metavar="RUN", help="a run's folder (--run-dir of the load test)")
    parser.add_argument("--slo", metavar="FILE", help="limits in place of the scenario's, as in configs/slo/")
    parser.add_argument("--baseline", metavar="RUN", help="a run's folder that this one must not be worse than")
    parser.add_argument(
        "--tolerance", type=float, default=5.0, metavar="PERCENT", help="how much worse a figure may be; default 5"
    )
    parser.add_argument(
        "--figure",
        action="append",
        default=[],
        metavar="COLUMN",
        help="of --baseline: a column of steps.csv to compare; repeatable; default: latency and TTFT p50 and p95, "
        "throughput, error rate, cost by the token",
    )
    parser.add_argument("--pricing", metavar="FILE", help="price book to use in place of the run's own prices")
    parser.add_argument("--strict", action="store_true", help="a stage that is SUSPECT meets no limit: it is undecided")
    parser.add_argument("--junit", metavar="FILE", help="write the cases as JUnit XML")
    parser.add_argument(
        "--markdown", metavar="FILE", help="write a summary for a job's page; $GITHUB_STEP_SUMMARY is added to"
    )
    parser.add_argument("--json", metavar="FILE", help="write the cases for programs")


def run(args: argparse.Namespace) -> int:
    """Judge, write, print. Raises BadInput."""
    found = gate(args.folder, args.slo, _against(args), args.pricing, args.strict)
    for path, written in ((args.junit, junit), (args.markdown, gate_markdown), (args.json, gate_json)):
        if path:
            _write(path, written(found))
    _print(found, Console(soft_wrap=True, highlight=False, markup=False))
    return CODES[found.outcome]


def _against(args: argparse.Namespace) -> Against | None:
    """Raises BadInput."""
    if not 0 <= args.tolerance < math.inf:
        raise BadInput(f"--tolerance {args.tolerance:g}: no share in percent; give 0 or more")
    if args.baseline is None:
        if args.figure:
            raise BadInput("--figure: compares with a baseline, and there is none; give --baseline RUN")
        return None
    return Against(args.baseline, args.tolerance / 100, tuple(args.figure))


def _write(path: str, text: str) -> None:
    """Raises BadInput. GitHub's page of a step has what earlier commands of the step wrote."""
    mode = "a" if path == os.environ.get("GITHUB_STEP_SUMMARY") else "w"
    try:
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as e:
        raise BadInput(f"{path}: cannot be written ({e.strerror}); choose another place") from None


def _print(found: Gate, console: Console) -> None:
    for state in ORDER:
        for case in found.of(state):
            console.print(f"{state.upper():9}  {visible_lines(case.line)}", style=COLOURS[state])
        # what else is to be minded, so that nothing stands between what is not met and the last line
        if state == "met":
            for text in (*doubts_lines(found), *found.notes):
                console.print(visible_lines(text))
    console.print(visible_lines(found.summary), style=f"bold {COLOURS[found.outcome]}")
