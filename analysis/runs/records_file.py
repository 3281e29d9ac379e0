"""requests.csv's text -> records as a DataFrame, and which lines are damaged, in which column and why."""

import csv
import dataclasses
import io
import re
import types
import typing

import numpy as np
import pandas as pd

from analysis.runs.record_blocks import COUNTS, MOST, NUMBERS, PHASES, TEXTS
from locustfiles.contract.cells import original
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import FIELDS, KINDS, RequestRecord
from locustfiles.contract.visible import hides, visible

SOURCES = ("service", "tokenizer", "payload", "none")  # who counted tokens


def _optional(annotation: object) -> bool:
    return isinstance(annotation, types.UnionType)


#: fields that every record has: an empty cell there is damage
REQUIRED = tuple(f.name for f in dataclasses.fields(RequestRecord) if not _optional(f.type))
#: as they are written: no `nan`, no `1_000`, none beyond a float
_NUMBER = {
    int: re.compile(r"[+-]?[0-9]{1,40}"),
    float: re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?"),
}


def read_records(text: bytes) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """requests.csv's text -> (records, number and reason of damaged lines, which are left out)."""
    try:
        frame = _read(text)
        if _sound(frame, text):
            return _whole_numbers(frame), []
    except (ValueError, csv.Error):  # pandas' ParserError is a ValueError, and so is UnicodeDecodeError
        pass
    return read_lines(text)


def read_lines(text: bytes) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """The same line by line, whatever a quick look at all of it says."""
    good, damaged = _whole_lines(text)
    return _whole_numbers(_read(good)), damaged


def _read(text: bytes) -> pd.DataFrame:
    """Raises ValueError where a line cannot be a record's."""
    kinds = {n: "str" if kind is str else "float64" for n, kind in KINDS.items()}
    frame = pd.read_csv(io.BytesIO(text), dtype=kinds, keep_default_na=False, na_values=[""], index_col=False)
    if b",'" in text or b",\"'" in text:  # texts that look like formulas: rare
        frame = _with_texts(frame, original)
    if hides(text):  # no writer of ours lets them through
        frame = _with_texts(frame, visible)
    return frame


def _with_texts(frame: pd.DataFrame, change: typing.Callable[[str], str]) -> pd.DataFrame:
    """Every text changed; a column of no text at all stays one of texts, which `map` would make numbers."""
    changed = {name: frame[name].map(change, na_action="ignore").astype(frame[name].dtype) for name in TEXTS}
    return frame.assign(**changed)


def _whole_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({n: "int64" for n in REQUIRED if KINDS[n] is int})


def _sound(frame: pd.DataFrame, text: bytes) -> bool:
    """Whether every line became one row that a RequestRecord could hold."""
    lines = text.count(b"\n")
    if len(frame) != lines - 1 or frame[list(REQUIRED)].isna().any(axis=None):
        return False
    if not _has_all_cells(text, lines):
        return False
    first, last, end = (frame[name].to_numpy() for name in ("ttft_ms", "last_token_ms", "latency_ms"))
    first = np.where(np.isnan(first), 0.0, first)
    last = np.where(np.isnan(last), first, last)
    ordered = (first >= 0) & (last >= first) & (end >= last)
    known = frame["phase"].isin(PHASES) & (frame["error"].isna() | frame["error"].isin(list(ErrorClass)))
    # column by column: all at once would be copied
    finite = not any(np.isinf(frame[name].to_numpy()).any() for name in NUMBERS)
    counted = not any(_no_counts(frame[name].to_numpy()).any() for name in COUNTS)
    return bool(ordered.all() and known.all()) and finite and counted


def _no_counts(values: np.ndarray) -> np.ndarray:
    return (values < 0) | (values > MOST) | (values > np.floor(values))


def _has_all_cells(text: bytes, lines: int) -> bool:
    """Whether each line has as many as there are fields: pandas takes one without its last cells."""
    if b'"' not in text:
        return text.count(b",") == lines * (len(FIELDS) - 1)
    return all(len(cells) == len(FIELDS) for cells in csv.reader(line.decode() for line in text.splitlines()))


def _whole_lines(text: bytes) -> tuple[bytes, list[tuple[int, str]]]:
    """The text without its damaged lines, and why each is one (the header is line 1). Slow: for damaged files only."""
    header, *lines = text.splitlines(keepends=True)
    good, damaged = [header], []
    for number, line in enumerate(lines, start=2):
        why = _damage(line)
        if why is None:
            good.append(line)
        else:
            damaged.append((number, why))
    return b"".join(good), damaged


def _damage(line: bytes) -> str | None:
    """The column that makes a line no record, and why; None for a record."""
    try:
        cells = next(csv.reader([line.decode("utf-8")], strict=True))
    except UnicodeDecodeError:
        return "not UTF-8 text"
    except (csv.Error, StopIteration):
        return "not CSV"
    if len(cells) != len(FIELDS):
        return f"{len(cells)} cells instead of {len(FIELDS)}"
    values: dict[str, typing.Any] = {}
    for name, cell in zip(FIELDS, cells, strict=True):
        if cell and KINDS[name] is not str and not _NUMBER[KINDS[name]].fullmatch(cell):
            return f"{name} is {_shown(cell)}, which is no {'whole ' if KINDS[name] is int else ''}number"
        values[name] = KINDS[name](cell) if cell else None
        if values[name] is None and name in REQUIRED:
            return f"{name} is empty"
    return _contradiction(values)


def _contradiction(values: dict[str, typing.Any]) -> str | None:
    try:
        RequestRecord(**values)
    except ValueError as e:
        return str(e)
    for name in COUNTS:
        if values[name] is not None and not 0 <= values[name] <= MOST:
            return f"{name} is {_shown(str(values[name]))}, which is no count"
    if values["phase"] not in PHASES:
        return f"phase is {_shown(values['phase'])}, which is none of {', '.join(PHASES)}"
    if values["error"] is not None and values["error"] not in list(ErrorClass):
        return f"error is {_shown(values['error'])}, which is no class"
    return None


def _shown(cell: str) -> str:
    return f"`{cell[:20]}{'…' if len(cell) > 20 else ''}`"
