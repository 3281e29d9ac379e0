"""Cells of CSV files that spreadsheets open: a text that begins like a formula would be run there.

Such a text gets an apostrophe in front, which spreadsheets hide; `original` takes it away again. A text that already
looks so gets another one, so that each text comes back as it was.
"""

import re
import typing

_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_MARKED = re.compile(r"''*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
#: anywhere in cells that each have \x00 in front: quick, for it looks at what follows one alone, and right where it says no
_SOME = re.compile("\x00'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def neutral(text: str) -> str:
    """A text cell as it is written. What is a number stays one."""
    return f"'{text}" if _FORMULA.match(text) and not _number(text) else text


def original(cell: str) -> str:
    """A text cell as it was."""
    return cell[1:] if _MARKED.match(cell) else cell


def has_formula(cells: str) -> bool:
    """Whether one of them, each with \\x00 between it and the next, begins like a formula, if as a number does."""
    return _SOME.search("\x00" + cells) is not None


def neutral_row(row: typing.Sequence[str], texts: typing.Collection[int]) -> typing.Sequence[str]:
    """A row's cells as they are written; `texts`: which ones are text."""
    if not has_formula("\x00".join(row)):
        return row
    return [neutral(cell) if n in texts else cell for n, cell in enumerate(row)]


def _number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?: ?%)?", text) is not None
