"""requests.csv, however long -> records as a DataFrame of columns: read a block at a time, so that its text is never held.

Texts are numbered (a category a text, in the order of the alphabet), but for those of which hardly two are alike. A column without
anything in it takes no memory.
"""

import os
import typing

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.runs.record_blocks import NUMBERS, TEXTS, UNLIKE, Block, Hidden, Odd, block_of, block_of_records
from analysis.runs.records_file import read_lines, read_records
from locustfiles.contract.record import FIELDS, KINDS, OPTIONAL, fields_of, with_all_fields
from locustfiles.contract.run_folder import RunFolder

#: columns of requests.csv that no report, gate or comparison tells of
UNTOLD = frozenset(
    {
        "service",
        "operation",
        "repeat",
        "users",
        "rate",
        "response_bytes",
        "http_status",
        "request_id",
        "service_ttft_ms",
    }
)
BLOCK = 4 << 20  # bytes: what is worked on stays near the processor
MORE = 1.2  # times as many records as the first block's lines are long for
WHOLE = [name for name, kind in KINDS.items() if kind is int and name not in OPTIONAL]
#: kind of a column, and what stands where there is nothing
INT, FLOAT, CODE = ("int64", 0), ("float64", np.nan), ("int8", -1)
NO_TEXTS = pd.CategoricalDtype(pd.Index([], dtype="str"))  # of most columns; to make it takes longer than reading one


class Read(typing.NamedTuple):
    """A requests.csv."""

    records: pd.DataFrame
    damaged: list[tuple[int, str]]  # number and reason of lines that are left out
    torn: bool  # the last line, which is left out


def read_file(folder: RunFolder, without: typing.Container[str] = ()) -> Read:
    """without: columns that are not wanted; they are looked through, but for texts of which hardly two are alike, and left out.
    Raises NotARun."""
    folder.check_requests()
    damaged: list[tuple[int, str]] = []
    unlike = [name for name in UNLIKE if name in without]
    with open(folder.requests, "rb") as file:
        header = file.readline()
        names = fields_of(header) if header.endswith(b"\n") else None
        if names is None:
            raise folder.other_version()
        columns, number, lines = None, 1, b""
        for lines in _pieces(file):
            if not lines.endswith(b"\n"):
                break
            rows = lines.count(b"\n")
            if columns is None:
                columns = Columns(int(MORE * rows * os.fstat(file.fileno()).st_size / len(lines)), without)
            try:
                block = block_of(lines, rows, names, unlike)
            except (Odd, Hidden) as e:
                read = read_records if isinstance(e, Hidden) else read_lines
                records, bad = read(with_all_fields(header + lines) or b"")
                block = block_of_records(records)
                damaged += [(number + line - 1, why) for line, why in bad]
                rows = len(lines.splitlines())  # a lone \r ends one, too
            columns.add(block)
            number += rows
    return Read((columns or Columns(0, without)).frame(), damaged, bool(lines) and not lines.endswith(b"\n"))


def _pieces(file: typing.BinaryIO) -> typing.Iterator[bytes]:
    """Whole lines, about BLOCK bytes of them; then the torn one, if there is one."""
    rest = b""
    while piece := file.read(BLOCK):
        end = piece.rfind(b"\n") + 1
        if end:
            yield rest + piece[:end]
            rest = b""
        rest += piece[end:]
    if rest:
        yield rest


class _Growing:
    """An array that blocks are put into, one behind the other. Room that is never used takes no memory."""

    def __init__(self, room: int, kind: typing.Any, empty: float) -> None:
        self._room, self._empty, self._kind = room, empty, np.dtype(kind)
        self._values: np.ndarray | None = None  # while it is all empty

    def put(self, at: int, rows: int, values: np.ndarray | None) -> None:
        """None: an empty part."""
        if values is None:
            if self._values is not None:
                self._make_room(at + rows)
                self._values[at : at + rows] = self._empty
            return
        if self._values is None:
            self._kind = values.dtype if values.dtype.kind == "i" else self._kind  # numbers come as float64
            self._values = np.empty(max(self._room, at + rows), dtype=self._kind)
            self._values[:at] = self._empty
        elif values.dtype.itemsize > self._values.itemsize:
            self._values = self._values.astype(values.dtype)
        self._make_room(at + rows)
        self._values[at : at + rows] = values

    def _make_room(self, rows: int) -> None:
        if self._values is not None and rows > len(self._values):
            more = np.empty(2 * rows, dtype=self._values.dtype)
            more[: len(self._values)] = self._values
            self._values = more

    def whole(self, rows: int) -> np.ndarray:
        if self._values is None:
            return np.broadcast_to(self._kind.type(self._empty), rows)
        return self._values[:rows]


class Columns:
    """Blocks behind each other; there is room for so many rows at first."""

    def __init__(self, room: int, without: typing.Container[str] = ()) -> None:
        wanted = [name for name in FIELDS if name not in without]
        self._rows = 0
        self._numbers = {n: _Growing(room, *(INT if n in WHOLE else FLOAT)) for n in wanted if n in NUMBERS}
        self._codes = {n: _Growing(room, *CODE) for n in wanted if n in TEXTS and n not in UNLIKE}
        self._words: dict[str, dict[str, int]] = {name: {} for name in self._codes}
        self._unlike: dict[str, list[pa.Array]] = {n: [] for n in wanted if n in UNLIKE}

    def add(self, block: Block) -> None:
        at, rows = self._rows, block.rows
        self._rows += rows
        for name, numbers in self._numbers.items():
            numbers.put(at, rows, block.numbers[name])
        for name, codes in self._codes.items():
            codes.put(at, rows, self._numbered(name, block.codes[name]))
        for name, texts in self._unlike.items():
            own = block.unlike[name]
            texts.append(pa.nulls(rows, pa.string()) if own is None else own)

    def _numbered(self, name: str, coded: tuple[np.ndarray, list[str]] | None) -> np.ndarray | None:
        """By the numbers of all blocks' texts, in as few bytes as these take."""
        if coded is None or not coded[1]:
            return None
        codes, words = coded
        known = self._words[name]
        numbers = [known.setdefault(word, len(known)) for word in words]
        return np.array([*numbers, -1], dtype=np.min_scalar_type(-len(known)))[codes]

    def frame(self) -> pd.DataFrame:
        """All of them."""
        whole: dict[str, typing.Any] = {name: numbers.whole(self._rows) for name, numbers in self._numbers.items()}
        whole |= {name: self._categories(name, codes.whole(self._rows)) for name, codes in self._codes.items()}
        for name, texts in self._unlike.items():
            whole[name] = pd.array(pa.chunked_array(texts, pa.string()), dtype="str")
        return pd.DataFrame({name: whole[name] for name in FIELDS if name in whole}, copy=False)

    def _categories(self, name: str, codes: np.ndarray) -> pd.Categorical:
        words = list(self._words[name])
        if not words:
            return pd.Categorical.from_codes(codes, dtype=NO_TEXTS, validate=False)
        order = sorted(range(len(words)), key=words.__getitem__)
        if order != list(range(len(words))):
            place = np.empty(len(words) + 1, dtype=codes.dtype)
            place[order], place[-1] = range(len(words)), -1
            codes = place[codes]
        return pd.Categorical.from_codes(codes, pd.Index([words[n] for n in order], dtype="str"), validate=False)
