"""The conversations of a stage: how each went, from the records of its turns."""

import dataclasses
import enum
import functools

import numpy as np

from analysis.metrics.finish_curve import FinishCurve
from analysis.runs.rows import Rows
from analysis.runs.rows import joined as rows_joined
from analysis.runs.stage import Stage
from analysis.runs.texts import codes_of, nowhere
from locustfiles.contract.error_classes import ErrorClass, OwnCode


class Outcome(enum.IntEnum):
    """How a conversation went: its last planned turn ended well; the last that was sent failed; its stage's end cut it off; how many
    turns it was to have is not known; it ended with an answer that nothing could be said to."""

    FINISHED = 0
    FAILED = 1
    CUT = 2
    UNTOLD = 3
    EARLY = 4


@dataclasses.dataclass(frozen=True)
class Sessions:
    """A stage's conversations whose first turn is known, an entry each.

    rows: their records of every phase, by conversation, turn and attempt; starts: where those of each begin.
    began_s, ended_s: first send and last byte, s from the run's epoch; waiting_s: from each turn's send to its last byte, retries included.
    reached: the last turn that was sent; planned: turns that it was to have, NaN where not known; in_window: whether it began there.
    """

    rows: Rows
    starts: np.ndarray
    began_s: np.ndarray
    ended_s: np.ndarray
    waiting_s: np.ndarray
    reached: np.ndarray
    planned: np.ndarray
    in_window: np.ndarray
    outcome: np.ndarray
    followed_until_s: np.ndarray  # until when its stage's users went on

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Of each conversation. values: of each row."""
        return np.add.reduceat(values.astype(float), self.starts) if len(self.starts) else np.array([])

    def count(self, outcome: Outcome) -> int:
        return int((self.outcome[self.in_window] == outcome).sum())

    @functools.cached_property
    def of_curve(self) -> np.ndarray:
        """Those that figures of whole conversations are of: which began in the window, and of which it is known when they are over."""
        return self.in_window & (self.outcome != Outcome.UNTOLD)

    @functools.cached_property
    def curve(self) -> FinishCurve:
        """When those finish."""
        of = self.outcome[self.of_curve]
        until = np.where(of == Outcome.CUT, self._followed, self.ended_s[self.of_curve])
        return FinishCurve(until - self.began_s[self.of_curve], of != Outcome.CUT, of == Outcome.FINISHED)

    @property
    def _followed(self) -> np.ndarray:
        """Until when each that was cut is known to have been under way: between two turns, too."""
        return np.maximum(self.ended_s, self.followed_until_s)[self.of_curve]


def sessions_of(stage: Stage) -> Sessions | None:
    """None where its requests are part of no conversation, or no first turn of one is known."""
    if nowhere(stage.records["session"]):
        return None
    rows, codes = _in_order(stage.records)
    if rows.empty:
        return None
    turn, sent, ended = (rows[name].to_numpy(dtype=float) for name in ("turn", "sent", "ended"))
    new = np.concatenate(([True], codes[1:] != codes[:-1]))[: len(codes)]
    starts = np.flatnonzero(new)
    new_turn = new | np.concatenate(([True], turn[1:] != turn[:-1]))[: len(codes)]
    first = np.flatnonzero(new_turn)  # attempt of each turn
    last = np.append(first[1:], len(codes)) - 1
    of_turns = np.flatnonzero(new[first])  # where each conversation's turns begin
    ends = np.append(of_turns[1:], len(first)) - 1  # its last turn
    planned = np.fmax.reduceat(rows["turns"].to_numpy(dtype=float), starts)
    reached = turn[last[ends]]
    phase = (rows["phase"] == "measure").to_numpy()
    hold_until = stage.visit.hold_until
    until = float(stage.records["ended"].max()) if hold_until is None else hold_until - stage.run.epoch
    return Sessions(
        rows=rows,
        starts=starts,
        began_s=sent[starts],
        ended_s=ended[last[ends]],
        waiting_s=np.add.reduceat(ended[last] - sent[first], of_turns),
        reached=reached,
        planned=planned,
        in_window=phase[starts],
        outcome=outcomes(rows.take(last[ends]), reached, planned, _goes_on(stage)),
        followed_until_s=np.full(len(starts), until),
    )


def joined(tables: list[Sessions]) -> Sessions:
    """Those of the repetitions of one level together, one behind the other, whatever their clocks say."""
    if len(tables) == 1:
        return tables[0]
    fields = [f.name for f in dataclasses.fields(Sessions) if f.name not in ("rows", "starts")]
    moved: dict[str, list[np.ndarray]] = {name: [] for name in fields}
    end = 0.0
    for table in tables:
        later = end - float(table.began_s.min())
        for name in fields:
            values = getattr(table, name)
            moved[name].append(values + later if name in _TIMES else values)
        end = float(np.maximum(table.ended_s, table.followed_until_s).max()) + later
    before = np.cumsum([0, *(len(table.rows) for table in tables[:-1])])
    starts = np.concatenate([table.starts + n for table, n in zip(tables, before, strict=True)])
    together = {name: np.concatenate(each) for name, each in moved.items()}
    return Sessions(rows=Rows(rows_joined([table.rows for table in tables])), starts=starts, **together)


_TIMES = ("began_s", "ended_s", "followed_until_s")


def _in_order(records: Rows) -> tuple[Rows, np.ndarray]:
    """Those of conversations that are known from their first turn on, by conversation, turn and attempt; the number of each one's."""
    codes, turn = codes_of(records["session"])[0], records["turn"].to_numpy(dtype=float)
    attempt = records["attempt"].to_numpy()
    opened = np.unique(codes[(turn == 1) & (attempt == 1)])
    places = np.flatnonzero((codes >= 0) & ~np.isnan(turn) & np.isin(codes, opened))
    places = places[np.lexsort((attempt[places], turn[places], codes[places]))]
    return records.take(places), codes[places]


def _goes_on(stage: Stage) -> bool:
    """Whether a conversation goes on behind a turn that failed."""
    return stage.run.scenario.load_of(stage.target).held.after_failure == "go_on"


def outcomes(last: Rows, reached: np.ndarray, planned: np.ndarray, goes_on: bool) -> np.ndarray:
    """last: each one's last record; goes_on: also behind a turn that failed."""
    errors, left = last["error"], (last["error_code"] == OwnCode.CLIENT_CANCELLED).to_numpy()
    early = last["session_ended"].notna().to_numpy() | left
    well, cancelled = errors.isna().to_numpy() | left, (errors == ErrorClass.CANCELLED).to_numpy() & ~left
    over = np.where(np.isnan(planned), Outcome.UNTOLD, np.where(reached >= planned, Outcome.FINISHED, Outcome.CUT))
    failed = np.where(goes_on & (reached < planned), Outcome.CUT, Outcome.FAILED)
    return np.where(cancelled, Outcome.CUT, np.where(~well, failed, np.where(early, Outcome.EARLY, over)))
