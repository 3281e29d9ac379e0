"""A CSV file as people have it: from Locust of any version, from its web UI, or saved again by a spreadsheet."""

import codecs
import csv
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.locust_csv.counts import BadLocustCsv
from analysis.words.packed import packed_by

Kind = typing.Literal[
    "stats", "history", "history without users", "failures", "exceptions", "distribution", "records", "unknown", "empty"
]
#: what older versions call a column -> what it is called since 1.0
OLD_NAMES = {"method": "type", "# requests": "request count", "# failures": "failure count"}
OLD_HISTORY = {
    "# requests": "total request count",
    "# failures": "total failure count",
    "average response time": "total average response time",
    "median response time": "total median response time",
    "max response time": "total max response time",
}
STATS = ("type", "name", "request count", "failure count", "average response time", "requests/s")
HISTORY = (
    "timestamp", "user count", "type", "name", "total request count", "total failure count", "total average response time",
)  # fmt: skip
OTHERS: dict[Kind, set[str]] = {
    "records": {"request_id", "target", "latency_ms"},
    "exceptions": {"count", "message", "traceback"},
    "failures": {"name", "error", "occurrences"},
    "distribution": {"name", "request count", "50%"},
}
IS = {
    "failures": "Locust's list of failures, which has no times",
    "exceptions": "Locust's list of exceptions, which has no requests",
    "distribution": "the distribution of response times of Locust 0.12 or older, which has neither failures nor rates",
    "records": "the records of a Swarmledger run; use `python -m analysis report` on its folder",
    "history without users": "a history of Locust 0.13 or 0.14, which has no user count and so no steps",
    "empty": "empty: Locust writes its files a few seconds late",
}


#: of ways to pack those that have another name among people with sheets
PACKED = {"zip": "ZIP or a spreadsheet", "zstd": "Zstandard"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file's first line says of it."""

    path: Path
    kind: Kind
    columns: list[str]  # in lower case, by their names since 1.0
    encoding: str
    delimiter: str
    header_line: int  # lines up to and with the header
    before_1_0: bool = False  # of Locust, by its columns' names
    packed: str = ""  # how, where it is no text

    @property
    def told(self) -> str:
        """What the file is, for a message."""
        return IS.get(self.kind, "no file of Locust's")

    def missing(self, needed: tuple[str, ...]) -> list[str]:
        return [column for column in needed if column not in self.columns]

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Line number and cells of each whole row; a torn last line and a header that stands again are passed over.

        Raises BadLocustCsv.
        """
        try:
            with open(self.path, newline="", encoding=self.encoding, errors="replace") as file:
                for _ in range(self.header_line):
                    file.readline()
                reader, torn = csv.reader(file, delimiter=self.delimiter), 0
                for cells in reader:
                    line = reader.line_num + self.header_line
                    if not any(cells) or [cell.strip().lower() for cell in cells[:2]] == self._first_names():
                        continue
                    if torn:
                        remedy = "the file is damaged, give another"
                        raise BadLocustCsv(f"{self.path}:{torn}: fewer cells than the header; {remedy}")
                    if len(cells) < len(self.columns):
                        torn = line
                    else:
                        yield line, dict(zip(self.columns, cells, strict=False))
        except (OSError, csv.Error) as error:
            raise BadLocustCsv(f"{self.path}: cannot be read ({error}); give the files that Locust wrote") from None

    def _first_names(self) -> list[str]:
        old = {new: old for old, new in OLD_NAMES.items()} if self.kind == "stats" and self.missing(("50%",)) else {}
        return [old.get(column, column) for column in self.columns[:2]]


def look_at(path: Path) -> Sheet:
    """What a file is, by its first line. Raises BadLocustCsv."""
    try:
        with open(path, "rb") as raw:
            start = raw.read(6)
        encoding = "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        with open(path, newline="", encoding=encoding, errors="replace") as file:
            header, lines = file.readline(), 1
            while header.strip() == "" or header.strip().lower() in ("sep=,", "sep=;", "sep=\t"):
                if not header:
                    return Sheet(path, "empty", [], encoding, ",", lines)
                header, lines = file.readline(), lines + 1
    except OSError as error:
        raise BadLocustCsv(f"{path}: cannot be read ({error.strerror}); give the files that Locust wrote") from None
    if packed := packed_by(start):
        return Sheet(path, "unknown", [], encoding, ",", lines, packed=PACKED.get(packed.name, packed.name))
    delimiter = max(",;\t", key=header.count)
    names = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter))]
    kind, columns = _kind(names)
    return Sheet(path, kind, columns, encoding, delimiter, lines, "# requests" in names)


def _kind(names: list[str]) -> tuple[Kind, list[str]]:
    new = [OLD_NAMES.get(name, name) for name in names]
    if "timestamp" in names and ("total request count" in names or "# requests" in names):
        old = [OLD_HISTORY.get(name, OLD_NAMES.get(name, name)) for name in names]
        return ("history", names) if "user count" in names else ("history without users", old)
    if not {"name", "request count", "failure count"} - set(new):
        return "stats", new
    return next((kind for kind, columns in OTHERS.items() if not columns - set(new)), "unknown"), new


def whole(cell: str) -> int:
    """72, and 72.0 as tables that were saved again have it. Raises ValueError."""
    value = number(cell)
    if value != int(value):
        raise ValueError(f"{cell!r} is no whole number")
    return int(value)


def number(cell: str) -> float:
    """With a comma before the decimals, too, as some spreadsheets write. Raises ValueError."""
    value = float(cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell)
    if value - value != 0:  # neither nan nor inf
        raise ValueError(f"{cell!r} is no number")
    return value
