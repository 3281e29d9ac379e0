"""report.xlsx: prices, stages and the run's cost with live formulas, so that one can change a price and see what follows; of conversations
and mixes, where there are some, the report's figures.

A stage's cost by formula is that of its mean transaction, with no failures billed and no price steps; the measured cost, in
which all of that is, stands beside it. Its month is `plan`'s of an even load: headroom and spare instances are cells.
"""

import math
import pathlib
import typing

from analysis.advice.report_model import Report
from analysis.cost.run_cost import RunCost
from analysis.report.workbook_cells import Styles, new_sheet, put
from analysis.report.workbook_wholes import conversations_sheet, mixes_sheet
from analysis.verdicts.stage_results import Result
from analysis.words.level import level_text
from locustfiles.contract.prices.price import HOURS_A_MONTH

if typing.TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

A_MONTH = 1_000_000  # transactions, until the reader writes another number
HEADROOM, SPARE = 0.2, 1  # as `plan` takes them
MONTH_TEXT = (
    "USD a month: spread evenly over its hours; by the hour on as many instances as leave the headroom free, with the spare ones "
    "beside. Peaks, growth, savings plans, quotas and what it hangs on: python -m analysis plan."
)
PRICES = (
    "Run",
    "Target",
    "Priced by",
    "USD an hour, all instances",
    "Input, USD per 1,000",
    "Output",
    "Read from a cache",
    "Instances",
)
STAGES = (
    "Run", "Target", "Payload", "Level", "Verdict", "Limits", "Requests", "Error rate", "Transactions a minute", "Prompt tokens",
    "Of them from a cache", "Output tokens", "USD per transaction, measured", "by the prices", "USD per 10,000", "USD a month",
)  # fmt: skip
COST = ("Run", "Target", "Kind", "Prompts above", "Amount", "Per", "USD per", "USD")


def write_workbook(report: Report, path: str | pathlib.Path) -> None:
    """Write it. Raises OSError."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    book = Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
    styles = Styles(
        book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"}),
        book.add_format({"bg_color": "#FFF3D6", "num_format": "0.########"}),
        book.add_format({"bg_color": "#FFF3D6", "num_format": "0%"}),
        book.add_format({"num_format": "$#,##0.00######"}),
        book.add_format({"num_format": "0.00%"}),
    )
    rows = _prices(book, styles, report.run_cost)
    _stages(book, styles, report.results, rows)
    _cost(book, styles, report.run_cost)
    if report.conversed:
        conversations_sheet(book, styles, report.conversed)
    if report.mixes:
        mixes_sheet(book, styles, report.mixes)
    try:
        book.close()
    except FileCreateError as e:
        raise e.args[0] if e.args and isinstance(e.args[0], OSError) else OSError(str(e)) from None


def _prices(book: "Workbook", styles: Styles, costs: list[RunCost]) -> dict[tuple[str, str], tuple[int, RunCost]]:
    """(run, target) -> its row as a spreadsheet counts, and its factors."""
    sheet, found = new_sheet(book, styles, "Prices", PRICES), {}
    for row, cost in enumerate(costs, 1):
        put(sheet, row, (cost.run, cost.target, cost.price_basis))
        rates = (hourly(cost), cost.usd_per_1k_input, cost.usd_per_1k_output, cost.usd_per_1k_cache_read)
        put(sheet, row, (*rates, _instances(cost)), styles.input, 3)
        found[cost.run, cost.target] = row + 1, cost
    return found


def _instances(cost: RunCost) -> int | None:
    return None if cost.usd_per_hour is None else cost.instance_count or 1


def hourly(cost: RunCost) -> float | None:
    """USD an hour of all instances of a target, its share of them."""
    if cost.usd_per_hour is None:
        return None
    return cost.usd_per_hour * (cost.instance_count or 1) * (1.0 if cost.share is None else cost.share)


def _stages(
    book: "Workbook", styles: Styles, results: list[Result], rows: dict[tuple[str, str], tuple[int, RunCost]]
) -> None:
    sheet = new_sheet(book, styles, "Stages", STAGES, top=2)
    put(sheet, 0, ("Transactions a month", A_MONTH, "Headroom", HEADROOM, "Spare instances", SPARE), styles.input)
    sheet.write_number(0, 3, HEADROOM, styles.input_share)
    sheet.write_string(1, 0, MONTH_TEXT)
    for row, result in enumerate(results, 3):
        f = result.figures
        put(sheet, row, (f.run, f.identity.target, result.payload, level_text(f), f.trust.verdict, f.limits.slo))
        put(sheet, row, (f.outcome.requests,), None, 6)
        put(sheet, row, (f.outcome.error_rate,), styles.share, 7)
        tokens = f.tokens
        put(sheet, row, (f.throughput.transactions_per_minute, tokens.prompt_tokens_mean), None, 8)
        put(sheet, row, (tokens.cache_read_share,), styles.share, 10)
        put(sheet, row, (tokens.completion_tokens_mean,), None, 11)
        put(sheet, row, (f.cost.usd_per_transaction,), styles.usd, 12)
        price = rows.get((f.run, f.identity.target))
        if price is not None and result.usd is not None:
            _formulas(sheet, styles, row, result, *price)


def _formulas(sheet: "Worksheet", styles: Styles, row: int, result: Result, at: int, cost: RunCost) -> None:
    """What follows from the prices' cells; with its value now, for readers that do not calculate."""
    f, line = result.figures, row + 1
    usd = hourly(cost)
    a_minute, prompt, output = (
        f.throughput.transactions_per_minute,
        f.tokens.prompt_tokens_mean,
        f.tokens.completion_tokens_mean,
    )
    if usd is not None and a_minute:
        each = usd / 60 / a_minute
        count, minutes = _instances(cost) or 1, HOURS_A_MONTH * 60
        # reserved and provisioned units have none to spare
        spare, cell = (0, "") if f.identity.service == "bedrock" else (SPARE, "+$F$1")
        needed = f"MAX(1,ROUNDUP($B$1/({minutes}*I{line}/Prices!$H${at}*(1-$D$1)),0)){cell}"
        least = max(1, math.ceil(A_MONTH / (minutes * a_minute / count * (1 - HEADROOM))))
        month = (least + spare) * usd / count * HOURS_A_MONTH
        paid = f"=({needed})*Prices!$D${at}/Prices!$H${at}*{HOURS_A_MONTH}"
        texts = (f"=Prices!$D${at}/60/I{line}", f"=10000*N{line}", paid)
    elif (
        prompt is not None
        and output is not None
        and cost.usd_per_1k_input is not None
        and cost.usd_per_1k_output is not None
    ):
        read, cached, fresh = cost.usd_per_1k_cache_read, 0.0, f"J{line}*Prices!$E${at}"
        if read is not None:
            cached = prompt * (f.tokens.cache_read_share or 0.0)
            fresh = f"J{line}*(1-K{line})*Prices!$E${at}+J{line}*K{line}*Prices!$G${at}"
        per_1k = (prompt - cached) * cost.usd_per_1k_input + cached * (read or 0.0) + output * cost.usd_per_1k_output
        each = per_1k / 1000
        month = each * A_MONTH
        texts = (f"=({fresh}+L{line}*Prices!$F${at})/1000", f"=10000*N{line}", f"=N{line}*$B$1")
    else:
        return
    for column, (text, value) in enumerate(zip(texts, (each, 10_000 * each, month), strict=True), 13):
        sheet.write_formula(row, column, text, styles.usd, value)


def _cost(book: "Workbook", styles: Styles, costs: list[RunCost]) -> None:
    """What the run cost, line by line, and its sum."""
    sheet = new_sheet(book, styles, "Run cost", COST)
    parts = [part for cost in costs for part in cost.parts]
    for row, part in enumerate(parts, 1):
        put(sheet, row, (part.run, part.target, part.kind, part.above, part.amount, part.per))
        put(sheet, row, (part.usd_per,), styles.input, 6)
        if part.per and part.usd_per is not None:
            sheet.write_formula(row, 7, f"=E{row + 1}/F{row + 1}*G{row + 1}", styles.usd, part.usd)
        else:
            put(sheet, row, (part.usd,), styles.usd, 7)
    if parts:
        last = len(parts) + 1
        sheet.write_string(last, 0, "All together, at most", styles.head)
        sheet.write_formula(last, 7, f"=SUM(H2:H{last})", styles.usd, sum(part.usd for part in parts))
