"""Lines of requests.csv: each is made of its record once, where that is, and goes to the file as it is; and the way back.

A line is as the file holds it: cells quoted where they must be, texts no formulas, one line break, at its end.
"""

import csv
import functools
import io
import operator
import typing

from locustfiles.contract.cells import has_formula, original
from locustfiles.contract.record import FIELDS, TEXTS, WALL_CLOCK, RequestRecord, csv_cells, values_of

Row = typing.Sequence[str]
Pick = typing.Callable[[typing.Sequence[object]], tuple[typing.Any, ...]]


def line_of(record: RequestRecord) -> str:
    """A record's line. One format makes those whose values are of the same types, as most are."""
    values = values_of(record)
    form, known, texts = _form(tuple(map(type, values)), record.started_at > WALL_CLOCK)
    text = "\x00".join(texts(values))
    if "," in text or '"' in text or "\n" in text or "\r" in text or has_formula(text):
        return lines_of([record.row()])
    return form % known(values)


@functools.lru_cache(1024)
def _form(kinds: tuple[type, ...], wall_clock: bool) -> tuple[str, Pick, Pick]:
    """The format of values of these types, what picks the known ones, and what picks the texts; there are some of each."""
    known = [n for n, kind in enumerate(kinds) if kind is not type(None)]
    cells = ["%.3f" if issubclass(kinds[n], float) else "%s" if n in known else "" for n in range(len(kinds))]
    if wall_clock:
        cells[FIELDS.index("started_at")] = "%.6f"
    texts = [n for n in known if n in TEXTS]
    return ",".join(cells) + "\n", operator.itemgetter(*known), operator.itemgetter(*texts)


def lines_of(rows: typing.Iterable[Row]) -> str:
    """Of rows whose texts are as they were."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(csv_cells, rows))
    return text.getvalue()


def rows_of(lines: str) -> list[list[str]]:
    """Rows whose texts are as they were, of whole lines. Raises ValueError where they are none."""
    each = lines.split("\n")
    if each.pop() or "\r" in lines:
        raise ValueError("no whole lines")
    rows = _unquoted(each) if '"' in lines else [line.split(",") for line in each]
    if "'" in lines:
        return [[original(cell) if n in TEXTS else cell for n, cell in enumerate(row)] for row in rows]
    return rows


def _unquoted(lines: list[str]) -> list[list[str]]:
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as e:
        raise ValueError(str(e)) from None
    if len(rows) != len(lines):  # a quote that no other closes
        raise ValueError("no whole lines")
    return rows
