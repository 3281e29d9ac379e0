"""What the sheets of report.xlsx have in common: their cells' looks, and how cells are put."""

import typing

from locustfiles.contract.visible import visible

if typing.TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet


class Styles(typing.NamedTuple):
    """How cells look: an input is what the reader may change."""

    head: "Format"
    input: "Format"
    input_share: "Format"
    usd: "Format"
    share: "Format"


Cell = str | float | int | None


def new_sheet(book: "Workbook", styles: Styles, name: str, heads: typing.Sequence[str], top: int = 0) -> "Worksheet":
    """With its headings in row `top`."""
    sheet = book.add_worksheet(name)
    for column, words in enumerate(heads):
        sheet.write_string(top, column, words, styles.head)
    sheet.set_column(0, len(heads) - 1, 14)
    sheet.freeze_panes(top + 1, 2)
    return sheet


def put(
    sheet: "Worksheet", row: int, cells: typing.Iterable[Cell], style: "Format | None" = None, first: int = 0
) -> None:
    """Texts of others stay texts; what is not known stays empty."""
    for column, cell in enumerate(cells, first):
        if isinstance(cell, str):
            sheet.write_string(row, column, visible(cell))
        elif cell is not None:
            sheet.write_number(row, column, cell, style)
