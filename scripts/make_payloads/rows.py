"""Rows of a data set's file, one at a time, so that a million of them take no more memory than one: JSON lines, one JSON list, CSV or
Parquet, by what the file begins with. A row is an object; what is none is told by its reason."""

import collections.abc
import csv
import json
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput

BLOCK = 1 << 20
LONGEST = 1 << 28  # characters of one row of a JSON list: a file whose list is never closed is not read into memory
Row = dict[str, typing.Any]


class Bad(ValueError):
    """A row that is none, or holds no prompt; the text is the reason, alike for alike rows."""


def rows_of(path: pathlib.Path) -> collections.abc.Iterator[Row | Bad]:
    """Raises BadInput where the file cannot be read."""
    try:
        with open(path, "rb") as file:
            begin = file.read(4096)
    except OSError as e:
        raise BadInput(f"{path}: cannot be read ({e.strerror}); check the path") from None
    if begin[:4] == b"PAR1":
        return _parquet(path)
    first = begin.decode("utf-8-sig", errors="replace").lstrip()[:1]
    if first == "[":
        return _json_list(path)
    if first == "{":
        return _json_lines(path)
    if begin[:2] == b"\x1f\x8b" or b"\0" in begin:
        raise BadInput(f"{path}: is packed, or no text; unpack it first")
    return _csv(path)


def _object(value: object) -> Row | Bad:
    return value if isinstance(value, dict) else Bad("no JSON object")


def _json_lines(path: pathlib.Path) -> collections.abc.Iterator[Row | Bad]:
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        for line in file:
            if line.strip():
                try:
                    yield _object(json.loads(line))
                except (ValueError, RecursionError):
                    yield Bad("no JSON")


def _json_list(path: pathlib.Path) -> collections.abc.Iterator[Row | Bad]:
    """Item by item. Raises BadInput where the list breaks off."""
    decoder = json.JSONDecoder()
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        text, at = file.read(BLOCK).lstrip()[1:], 0
        while True:
            at = _beyond(text, at)
            if text[at : at + 1] == "]":
                return
            try:
                value, end = decoder.raw_decode(text, at)
                if end == len(text):  # a number that may go on
                    raise ValueError
            except (ValueError, RecursionError):
                more = "" if len(text) - at > LONGEST else file.read(BLOCK)
                if not more:
                    raise BadInput(f"{path}: its JSON list breaks off or is no JSON; mend the file's end") from None
                text, at = text[at:] + more, 0
                continue
            at = end
            yield _object(value)


def _beyond(text: str, at: int) -> int:
    """The place of the next item."""
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _csv(path: pathlib.Path) -> collections.abc.Iterator[Row | Bad]:
    """Raises BadInput where there is no header."""
    csv.field_size_limit(1 << 27)
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        begin = file.read(1 << 16)
        file.seek(0)
        delimiter = max(",;\t", key=begin.partition("\n")[0].count)
        reader = csv.DictReader(file, delimiter=delimiter)
        if not reader.fieldnames or (len(reader.fieldnames) < 2 and delimiter in begin):
            raise BadInput(f"{path}: has no header line; its first line must name the columns")
        try:
            for row in reader:
                yield Bad("more cells than columns") if None in row else row
        except csv.Error as e:
            raise BadInput(f"{path}: is no CSV ({e}); mend it or save it anew") from None


def _parquet(path: pathlib.Path) -> collections.abc.Iterator[Row | Bad]:
    """Raises BadInput."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(1000):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as e:
        raise BadInput(f"{path}: cannot be read as Parquet ({e}); fetch it again") from None
