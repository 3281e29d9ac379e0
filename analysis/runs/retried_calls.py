"""Calls where requests are retried: what a user perceives of several attempts.

A call is one wish of a user: its first attempt and, with `retry:`, those that follow after failures. It belongs to
the window when its first attempt began in it, whenever the later ones did.
"""

import dataclasses
import functools

import numpy as np
import pandas as pd

from analysis.runs.rows import Rows, joined
from analysis.runs.texts import codes_of
from analysis.runs.window_share import in_flight

#: times of a record that run from its send
TIMES = ["latency_ms", "ttft_ms", "ttft_visible_ms", "last_token_ms"]


@dataclasses.dataclass
class Calls:
    """The calls of some records.

    table: a row a call whose first attempt is known: its last attempt's record, with `phase`, `sent`, `schedule_delay_ms`
    and the times of the whole call (from the first attempt's send); `first_latency_ms` is the first attempt's, NaN if that
    failed, `own_sent` when the last attempt was sent.
    pauses: (from, until) of each pause between two attempts, s from the run's epoch, shape (n, 2).
    """

    table: Rows
    pauses: np.ndarray

    @functools.cached_property
    def measured(self) -> Rows:
        return self.table[self.table["phase"] == "measure"]

    @functools.cached_property
    def good(self) -> Rows:
        measured = self.measured
        return measured[measured["error"].isna()]

    def pausing(self, a: float, b: float) -> float:
        """Time-weighted mean number of users between two attempts during [a, b)."""
        return in_flight(self.pauses[:, 0], self.pauses[:, 1], a, b)


def calls_of(records: Rows) -> Calls:
    """The calls of one run's records."""
    worker = pd.factorize(codes_of(records["worker"])[0])[0]  # in the order in which they came
    order = np.lexsort((records["attempt"].to_numpy(), records["call"].to_numpy(), worker))
    ordered, worker = records.take(order), worker[order]
    call, sent, ended = (ordered[c].to_numpy() for c in ("call", "sent", "ended"))
    same = (call[1:] == call[:-1]) & (worker[1:] == worker[:-1])  # as the record before
    first = np.flatnonzero(np.concatenate([[True], ~same])[: len(ordered)])
    last = np.flatnonzero(np.concatenate([~same, [True]])[: len(ordered)])
    opening, table = ordered.take(first), ordered.take(last)
    before_ms = (sent[last] - sent[first]) * 1000
    table = table.assign(
        **{column: table[column].to_numpy() + before_ms for column in TIMES},
        **{column: opening[column].array for column in ("sent", "phase", "schedule_delay_ms")},
        own_sent=table["sent"].array,
        first_latency_ms=opening["latency_ms"].where(opening["error"].isna()).to_numpy(),
    )
    whole = opening["attempt"].to_numpy() == 1
    return Calls(table[whole], np.column_stack([ended[:-1][same], sent[1:][same]]))


def joined_calls(each: list[Calls]) -> Calls:
    """Those of several runs."""
    tables, pauses = [calls.table for calls in each], [calls.pauses for calls in each]
    return Calls(Rows(joined(tables)), np.concatenate(pauses))
