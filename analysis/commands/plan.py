"""`python -m analysis plan`: what a wanted load will cost in a month, by every option that runs measured."""

import argparse
import json
import math
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK

if typing.TYPE_CHECKING:
    from rich.console import Console

    from analysis.planning.demand import Demand
    from analysis.planning.generator import Planned
    from analysis.planning.plan import Plan

EXAMPLE = """examples:
  python -m analysis plan runs/study --transactions-per-minute 600
  python -m analysis plan runs/study runs/claude --rates week.csv --savings-plan 27 --quota tpm=2000000
  python -m analysis plan runs/study --transactions-per-minute 600 --growth 8 --months 12 --markdown plan.md
  python -m analysis plan runs/study --transactions-per-minute 60000 --generator

week.csv has a row an hour, 24 or 168 of them, under a header: transactions_per_minute.

exit code: 0 fine, 1 bad input, 2 when a stage is INVALID."""
WIDTH = 150  # columns where there is no terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder (--run-dir of the load test)")
    load = parser.add_mutually_exclusive_group(required=True)
    load.add_argument(
        "--transactions-per-minute",
        type=_number(lambda value: value > 0, "number above 0"),
        metavar="N",
        help="the load, the same in every hour",
    )
    load.add_argument("--rates", metavar="CSV", help="the load by hour: 24 or 168 rows under transactions_per_minute")
    parser.add_argument(
        "--growth", type=_percent(-100, 1000), default=0.0, metavar="PERCENT", help="of the load, a month; default 0"
    )
    parser.add_argument("--months", type=_whole(1, 120), metavar="N", help="to plan; default 1, with --growth 12")
    _terms(parser)
    parser.add_argument(
        "--quota",
        action="append",
        default=[],
        metavar="KIND=N",
        help="of the account: tpm=… (tokens a minute), tpd=… (a day), rpm=… (requests a minute)",
    )
    parser.add_argument(
        "--dataset", metavar="STEM", help="the payload that the load is like; default: the runs' dataset of interest"
    )
    parser.add_argument(
        "--generator", action="store_true", help="say, too, how many workers it takes to send such a load in a test"
    )
    parser.add_argument("--pricing", metavar="FILE", help="price book to use in place of the runs' own prices")
    parser.add_argument("--markdown", metavar="FILE", help="write the plan there, too")
    parser.add_argument("--json", metavar="FILE", help="write its figures there")


def _terms(parser: argparse.ArgumentParser) -> None:
    """How instances are planned."""
    parser.add_argument(
        "--headroom",
        type=_percent(0, 99),
        default=0.2,
        metavar="PERCENT",
        help="of a measured capacity that stays free; default 20",
    )
    parser.add_argument(
        "--spare", type=_whole(0, 1000), default=1, metavar="N", help="instances beyond those needed; default 1 (N+1)"
    )
    parser.add_argument(
        "--start-up-minutes",
        type=_number(lambda value: value >= 0, "number of 0 or more"),
        default=10.0,
        metavar="N",
        help="paid before an added instance serves; default 10",
    )
    parser.add_argument(
        "--savings-plan", type=_percent(0, 99), metavar="PERCENT", help="its discount on instances by the hour"
    )


def run(args: argparse.Namespace) -> int:
    """Print the plan. Raises BadInput."""
    from rich.console import Console

    from analysis.planning.generator import generators
    from analysis.planning.measured import measured_in
    from analysis.planning.option import Terms
    from analysis.planning.plan import plan_of
    from analysis.planning.plan_text import as_json, markdown
    from analysis.planning.quota import quotas_of

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    demand, quotas = _demand(args), quotas_of(args.quota)
    measured = measured_in(args.runs, args.pricing)
    terms = Terms(args.headroom, args.spare, args.start_up_minutes)
    plan = plan_of(measured, demand, terms, args.dataset, args.savings_plan)
    planned = generators(measured, demand, args.dataset) if args.generator else None
    _print(plan, quotas, planned, console)
    if args.markdown:
        _write(args.markdown, "--markdown", markdown(plan, quotas, planned))
    if args.json:
        _write(args.json, "--json", json.dumps(as_json(plan, quotas, planned), indent=2, ensure_ascii=False) + "\n")
    return NOT_TRUSTED if plan.invalid else OK


def _demand(args: argparse.Namespace) -> "Demand":
    """Raises BadInput."""
    import dataclasses

    from analysis.planning.demand import constant, of_file

    demand = of_file(args.rates) if args.rates else constant(args.transactions_per_minute)
    months = args.months or (12 if args.growth else 1)
    return dataclasses.replace(demand, growth=args.growth, months=months)


def _print(plan: "Plan", quotas: dict[str, float], planned: "list[Planned] | None", console: "Console") -> None:
    import rich.box
    from rich.markup import escape
    from rich.table import Table

    from analysis.planning.plan_text import headline, sections

    console.print(f"[bold]{escape(headline(plan, quotas))}[/]", highlight=False)
    for section in sections(plan, quotas, planned):
        console.print(f"\n[bold]{section.title}[/]")
        if section.table is not None:
            table = Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
            for column in section.table.columns:
                table.add_column(escape(column), overflow="fold")
            for row in section.table.itertuples(index=False):
                table.add_row(*(escape(cell) for cell in row))
            console.print(table)
        for line in section.lines:
            console.print(f"- {line}", highlight=False, markup=False)


def _write(path: str, option: str, text: str) -> None:
    try:
        pathlib.Path(path).write_text(text, encoding="utf-8")
    except OSError as e:
        raise BadInput(f"{option} {path}: cannot be written ({e.strerror}); choose another place") from None


def _number(
    fits: typing.Callable[[float], bool], wanted: str, suffix: str = "", of: float = 1.0
) -> typing.Callable[[str], float]:
    """A type: a number that fits, as a share of `of`; thousands may stand apart, and a suffix behind it."""

    def number(text: str) -> float:
        try:
            value = float(text.removesuffix(suffix).replace(",", ""))
        except ValueError:
            value = math.nan
        if math.isfinite(value) and fits(value):
            return value / of
        raise argparse.ArgumentTypeError(f"`{text}` is no {wanted}")

    return number


def _percent(low: float, high: float) -> typing.Callable[[str], float]:
    """A type: percent, as a share of 1."""
    wanted = f"percentage above {low:g} and up to {high:g}"
    return _number(lambda value: low < value <= high or value == 0, wanted, "%", 100)


def _whole(low: int, high: int) -> typing.Callable[[str], int]:
    """A type: a whole number."""

    def whole(text: str) -> int:
        if text.isdecimal() and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from {low} to {high}")

    return whole
