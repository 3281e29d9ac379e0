"""A block of requests.csv's lines -> a table of columns, where every line is a record beyond doubt.

What is not, and what takes a closer look (a character that nobody sees), is left to records_file.py, which is slow and names it.
"""

import functools
import typing

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from locustfiles.contract.cells import original
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import KINDS, OPTIONAL
from locustfiles.contract.visible import hides

MOST = 2**53  # a number above it is no count
PHASES = ("warmup", "settle", "measure", "hold")
#: texts of which hardly two are alike: to number them would keep each twice
UNLIKE = ("request_id", "gaps")
TEXTS = [name for name, kind in KINDS.items() if kind is str]
NUMBERS = [name for name, kind in KINDS.items() if kind is not str]
COUNTS = [name for name, kind in KINDS.items() if kind is int]
_WORDS = {"phase": frozenset(PHASES), "error": frozenset(ErrorClass)}


class Odd(ValueError):
    """A block that is not sound beyond doubt: a line of it is damaged, or nearly so."""


class Hidden(ValueError):
    """A block with characters that nobody sees."""


class Block(typing.NamedTuple):
    """Columns of as many records. Numbers are float64, NaN where there is none; a column without any is None."""

    rows: int
    numbers: dict[str, np.ndarray | None]
    #: number of each text in `words`, -1 where there is none
    codes: dict[str, tuple[np.ndarray, list[str]] | None]
    unlike: dict[str, pa.Array | None]  # texts as they are


def block_of(lines: bytes, rows: int, names: tuple[str, ...], without: typing.Container[str] = ()) -> Block:
    """lines: so many whole ones, without a header; names: the header's columns. without: texts to leave out. Raises Odd, Hidden."""
    if hides(lines):
        raise Hidden
    wanted = tuple(name for name in names if name not in without)
    if len(wanted) < len(names) and not lines.isascii():
        _check_utf8(lines)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(lines),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=len(lines) + 1, column_names=list(names)
            ),
            convert_options=_options(wanted),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as e:
        raise Odd(str(e)) from None
    if len(table) != rows:
        raise Odd("a line is no row")
    columns = {name: table[name] for name in wanted}
    for name in columns.keys() - OPTIONAL:
        if columns[name].null_count:
            raise Odd(f"{name} is empty")
    numbers = {name: _numbers(name, columns.get(name)) for name in NUMBERS}
    _check_order(numbers)
    codes = {name: _coded(name, columns.get(name)) for name in TEXTS if name not in UNLIKE}
    return Block(len(table), numbers, codes, {name: _unlike(columns.get(name)) for name in UNLIKE})


def _check_utf8(lines: bytes) -> None:
    try:
        lines.decode()
    except UnicodeDecodeError as e:
        raise Odd(str(e)) from None


@functools.cache
def _options(wanted: tuple[str, ...]) -> pyarrow.csv.ConvertOptions:
    coded = pa.dictionary(pa.int32(), pa.string())
    types = {name: pa.string() if name in UNLIKE else coded for name in TEXTS} | dict.fromkeys(NUMBERS, pa.float64())
    return pyarrow.csv.ConvertOptions(
        column_types=types, include_columns=list(wanted), null_values=[""], strings_can_be_null=True
    )


def _numbers(name: str, column: pa.ChunkedArray | None) -> np.ndarray | None:
    if column is None or column.null_count == len(column):
        return None
    values = column.to_numpy()
    if column.null_count + int(np.count_nonzero(np.isfinite(values))) < len(column):
        raise Odd(f"{name} is no number")
    if name in COUNTS:
        known = values[~np.isnan(values)] if column.null_count else values
        if not (known.min() >= 0 and known.max() <= MOST and np.array_equal(known, np.floor(known))):
            raise Odd(f"{name} is no count")
    return values


def _check_order(numbers: dict[str, np.ndarray | None]) -> None:
    """0 <= ttft <= last token <= latency, of those that are known."""
    before: np.ndarray | float = 0.0
    for name in ("ttft_ms", "last_token_ms", "latency_ms"):
        if (values := numbers[name]) is None:
            continue
        missing = np.isnan(values)
        if not (missing | (values >= before)).all():
            raise Odd("times out of order")
        before = np.where(missing, before, values)


def _coded(name: str, column: pa.ChunkedArray | None) -> tuple[np.ndarray, list[str]] | None:
    if column is None or column.null_count == len(column):
        return None
    (chunk,) = column.chunks
    words = _originals(chunk.dictionary)
    if name in _WORDS and not _WORDS[name].issuperset(words):
        raise Odd(f"{name} is none that is known")
    return chunk.indices.fill_null(-1).to_numpy(), words


def _unlike(column: pa.ChunkedArray | None) -> pa.Array | None:
    if column is None or column.null_count == len(column):
        return None
    (texts,) = column.chunks
    return pa.array(_originals(texts), pa.string()) if _marked(texts) else texts


def _originals(texts: pa.Array) -> list[str]:
    """Without the apostrophes that keep spreadsheets from taking them for formulas."""
    words = texts.to_pylist()
    return [word and original(word) for word in words] if _marked(texts) else words


def _marked(texts: pa.Array) -> bool:
    return pc.any(pc.starts_with(texts, "'")).as_py() is True


def block_of_records(records: pd.DataFrame) -> Block:
    """The same of records that records_file.py has read."""
    texts = {name: pa.array(records[name], pa.string(), from_pandas=True) for name in TEXTS}
    coded = {name: texts[name].dictionary_encode() for name in TEXTS if name not in UNLIKE}
    return Block(
        len(records),
        {name: records[name].to_numpy(dtype=float, na_value=np.nan) for name in NUMBERS},
        {
            n: (c.indices.fill_null(-1).to_numpy(zero_copy_only=False), c.dictionary.to_pylist())
            for n, c in coded.items()
        },
        {name: texts[name] for name in UNLIKE},
    )
