"""Some rows of a frame, a column at a time: what nobody asks for takes neither time nor memory."""

import typing

import numpy as np
import pandas as pd

Column = pd.Series


class Rows:
    """Rows of a frame, by where they stand in it, and columns of their own beside it. A column is taken when it is asked for, once.

    It answers as a DataFrame does, as far as it goes: a column by its name, some columns as a frame by a list, some rows by a mask.
    """

    def __init__(
        self, frame: pd.DataFrame, at: np.ndarray | slice | None = None, own: dict[str, Column] | None = None
    ) -> None:
        """at: all where it is None. own: columns of so many rows."""
        self._frame = frame
        self._at = slice(0, len(frame)) if at is None else at
        n = self._at.stop - self._at.start if isinstance(self._at, slice) else len(self._at)
        self.index = pd.RangeIndex(n)
        self._own = own or {}
        self._taken: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.index)

    @property
    def empty(self) -> bool:
        return not len(self)

    def __contains__(self, name: str) -> bool:
        return name in self._own or name in self._frame.columns

    @typing.overload
    def __getitem__(self, what: str) -> Column: ...
    @typing.overload
    def __getitem__(self, what: list[str]) -> pd.DataFrame: ...
    @typing.overload
    def __getitem__(self, what: "np.ndarray | pd.Series[bool]") -> "Rows": ...
    def __getitem__(self, what: typing.Any) -> "Column | pd.DataFrame | Rows":
        if isinstance(what, str):
            return self._column(what)
        if isinstance(what, list):
            return pd.DataFrame({name: self._column(name) for name in what}, copy=False)
        mask = np.asarray(what, dtype=bool)
        return self if mask.all() else self.take(np.flatnonzero(mask))

    def _column(self, name: str) -> Column:
        if name in self._own:
            return self._own[name]
        if name not in self._taken:
            self._taken[name] = pd.Series(_some(self._frame[name], self._at), index=self.index, name=name, copy=False)
        return self._taken[name]

    def take(self, places: np.ndarray) -> "Rows":
        """Those at these places, in their order."""
        at = self._at.start + places if isinstance(self._at, slice) else self._at[places]
        index = pd.RangeIndex(len(places))
        own = {name: pd.Series(_some(c, places), index=index, name=name) for name, c in self._own.items()}
        return Rows(self._frame, near(at), own)

    def assign(self, **columns: typing.Any) -> "Rows":
        """With these columns in place of those of their names."""
        own = {name: pd.Series(values, index=self.index, name=name) for name, values in columns.items()}
        found = Rows(self._frame, self._at, self._own | own)
        found._taken = {name: column for name, column in self._taken.items() if name not in own}
        return found

    def frame(self) -> pd.DataFrame:
        """All columns."""
        return self[[*self._frame.columns, *(name for name in self._own if name not in self._frame.columns)]]


#: what the figures are worked out of
Table = pd.DataFrame | Rows


def near(places: np.ndarray) -> np.ndarray | slice:
    """Places that follow each other as a slice: no column of these has to be copied."""
    if len(places) and places[-1] - places[0] + 1 == len(places) and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _some(column: Column, at: np.ndarray | slice) -> typing.Any:
    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array
    if isinstance(at, slice):
        return values[at]
    if isinstance(values, np.ndarray) and values.strides == (0,):  # empty all along
        return np.broadcast_to(values[0], len(at)) if len(values) else values
    return values.take(at)


def joined(tables: list[Rows]) -> pd.DataFrame:
    """One behind the other, as a frame."""
    frames = [table.frame() for table in tables]
    for name in frames[0].columns:
        if all(isinstance(f[name].dtype, pd.CategoricalDtype) for f in frames):
            words = sorted({word for f in frames for word in f[name].cat.categories})
            kind = pd.CategoricalDtype(pd.Index(words, dtype="str"))
            frames = [f.assign(**{name: f[name].astype(kind)}) for f in frames]
    return pd.concat(frames, ignore_index=True)
