"""What Locust counts: rows by type and name, seconds of a history, and how counts are carried from row to row."""

import bisect
import itertools
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from locustfiles.contract.bad_input import BadInput

PERCENTILES = ("50%", "90%", "95%", "99%", "99.9%")  # the columns that are shown, where the file has them


class BadLocustCsv(BadInput):
    """The files are missing or not Locust's; the text is one line that names the file and the remedy."""


class Key(typing.NamedTuple):
    """What Locust counts by: GET /chat and METRIC /chat are two rows."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}".strip()


TOTAL = Key("", "Aggregated")


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, failures among them, and the milliseconds of both."""

    requests: int = 0
    failures: int = 0
    total_ms: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.requests + other.requests, self.failures + other.failures, self.total_ms + other.total_ms)

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(self.requests - other.requests, self.failures - other.failures, self.total_ms - other.total_ms)


NOTHING = Counts()
Percentiles = Mapping[str, float | None]  # by column, in ms


class Second(typing.NamedTuple):
    """A row of the history's total: Unix second, users, and how often the counters had gone back before it."""

    at: int
    users: int
    resets: int


@dataclass(slots=True)
class Series:
    """A name's cumulative counts, kept where they changed: a row that is left out counts as the one before it."""

    rows: list[int] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    percentiles: list[Percentiles] = field(default_factory=list)

    def add(self, row: int, counts: Counts, percentiles: Percentiles) -> None:
        if not self.rows or self.counts[-1] != counts or self.percentiles[-1] != percentiles:
            self.rows.append(row)
            self.counts.append(counts)
            self.percentiles.append(percentiles)

    def place(self, row: int) -> int:
        """Where the latest entry at or before `row` stands; -1 where there is none."""
        return bisect.bisect_right(self.rows, row) - 1


@dataclass(frozen=True, slots=True)
class History:
    """A history's seconds, and every name's counts in them."""

    path: Path
    seconds: list[Second]
    series: dict[Key, Series]
    whole_ms: bool  # mean response times cut to whole milliseconds, as Locust 1.0 and 1.1 write them
    of_whole_run: bool  # percentiles may be over all since the start

    @property
    def keys(self) -> list[Key]:
        return sorted(key for key in self.series if key != TOTAL)

    @property
    def interval(self) -> float:
        """Seconds from row to row, but for gaps in which the writer stood still, and for the first, which is out of step."""
        spans = [b.at - a.at for a, b in itertools.pairwise(self.seconds)]
        spans = spans[1:] if len(spans) > 4 else spans
        usual = sorted(spans)[len(spans) // 2] if spans else 1
        kept = [span for span in spans if 0 <= span <= 2 * max(usual, 1)]
        return max(sum(kept) / len(kept), 0.1) if kept else 1.0

    def at(self, row: int, keys: Iterable[Key]) -> Counts:
        """Cumulative counts of these names together, as of a row."""
        found = NOTHING
        for key in keys:
            series = self.series[key]
            place = series.place(row)
            if place >= 0 and self.seconds[series.rows[place]].resets == self.seconds[row].resets:
                found += series.counts[place]
        return found

    def percentiles(self, row: int, key: Key) -> Percentiles:
        series = self.series[key]
        place = series.place(row)
        return series.percentiles[place] if place >= 0 else {}

    def moves(self, keys: Iterable[Key]) -> list[int]:
        """Rows in which the requests of these names became more, in order."""
        rows = set()
        for key in keys:
            series, before = self.series[key], 0
            for row, counts in zip(series.rows, series.counts, strict=True):
                if counts.requests > before:
                    rows.add(row)
                before = counts.requests
        return sorted(rows)

    def ends(self) -> list[int]:
        """The last row before each reset, and the last of all: there the counters hold everything since the one before."""
        last = len(self.seconds) - 1
        return [i for i in range(last) if self.seconds[i].resets != self.seconds[i + 1].resets] + [last]

    def whole(self, keys: Iterable[Key]) -> Counts:
        """Everything that was counted, over all resets."""
        keys, found = list(keys), NOTHING
        for row in self.ends():
            found += self.at(row, keys)
        return found


@dataclass(frozen=True, slots=True)
class Totals:
    """`_stats.csv`: a row a name over the whole run."""

    path: Path
    rows: dict[Key, Counts]
    percentiles: dict[Key, Percentiles]
    seconds: float | None
    seconds_error: float  # relative: what rounding leaves open of them

    @property
    def keys(self) -> list[Key]:
        return sorted(key for key, counts in self.rows.items() if key != TOTAL and counts.requests)
