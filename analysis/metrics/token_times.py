"""How fast the tokens of streams were written, and whether somebody on the way held them back."""

import typing

import numpy as np
import pandas as pd

from analysis.runs.rows import Table

AT_ONCE_MS = 0.1  # a delta: no model writes 10,000 of them a second, but a buffer that is read empty hands them over so
HELD_BACK = 0.5  # of the streams: the rule, not chance


def tpot_ms(records: Table, held: bool | None = None) -> pd.Series:
    """Time per output token after the first, ms: (last_token - ttft) / (completion_tokens - 1).

    NaN with fewer than two deltas or tokens (where imported deltas were not counted: no time between first and last), where all deltas came
    in one read, and where reasoning was billed that the answer does not show: its tokens are in the count but not in the time.
    Where most streams came at once, all that did are out. held: whether most of the stage's did, where `records` are only some of them.
    """
    # a load test knows the deltas but of several choices, whose times are not one stream's; of imported files, whose clients were
    # not watched either, some tools do not count them
    chunks, tokens, span_ms = _numbers(records, "chunks"), _numbers(records, "completion_tokens"), _span_ms(records)
    uncounted = np.isnan(chunks) & np.isnan(_numbers(records, "lag_ms"))
    several = (chunks >= 2) | (uncounted & (span_ms > 0))
    known = several & (tokens >= 2) & (_numbers(records, "hidden_reasoning") != 1)
    at_once = _at_once(chunks, span_ms)
    most = held_back(records) if held is None else held
    out = at_once if most else at_once & (span_ms <= 0)
    return pd.Series(span_ms / np.where(known & ~out, tokens - 1, np.nan), index=records.index)


def _numbers(records: Table, column: str) -> np.ndarray:
    return records[column].to_numpy(dtype=float, na_value=np.nan)


def _span_ms(records: Table) -> np.ndarray:
    """From a stream's first delta to its last."""
    return _numbers(records, "last_token_ms") - _numbers(records, "ttft_ms")


def _at_once(chunks: np.ndarray, span_ms: np.ndarray) -> np.ndarray:
    return (chunks >= 2) & (span_ms < AT_ONCE_MS * (chunks - 1))


def came_at_once(records: Table) -> pd.Series:
    """Streams of several deltas that could be read at the same moment, in one read or a few that followed each other."""
    return pd.Series(_at_once(_numbers(records, "chunks"), _span_ms(records)), index=records.index)


def held_back(records: Table) -> bool:
    """Whether most of the streams came at once; answers of one delta cannot tell."""
    return at_once_of(records).most


class AtOnce(typing.NamedTuple):
    """How many streams came at once, of those of several deltas."""

    came: int
    several: int

    def with_(self, other: "AtOnce") -> "AtOnce":
        return AtOnce(self.came + other.came, self.several + other.several)

    @property
    def most(self) -> bool:
        return self.came > HELD_BACK * self.several


def at_once_of(records: Table) -> AtOnce:
    chunks = _numbers(records, "chunks")
    return AtOnce(int(_at_once(chunks, _span_ms(records)).sum()), int((chunks >= 2).sum()))
