"""What a run's records add up to by stage, target, payload and phase, for metrics: numbers that only grow, of bounded memory.

Every record counts once, in its phase. Times and tokens are of successes; a time per output token is of streams whose tokens were
seen coming (those that came at once are out, as of a stage where most did).
"""

import collections
import dataclasses
import typing

import numpy as np
import pandas as pd

from analysis.live.batch import Batch
from locustfiles.contract.gap_counts import gap_counts, middle_ms
from locustfiles.contract.prices.price import Price, TokenPrice

# s, upper ends. OpenTelemetry's advised ones double from 10 ms; the others are finer where limits of services mostly stand, and
# reach the five minutes of a long answer: 5 s, the last bucket of many defaults, is the middle of what models take
ADVISED = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
WAITS = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    5.0,
    7.5,
    10.0,
    15.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
)
TOKENS = (
    0.001,
    0.0025,
    0.005,
    0.0075,
    0.01,
    0.015,
    0.02,
    0.025,
    0.03,
    0.04,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    1.0,
    2.5,
)
EDGES = np.array(sorted({*ADVISED, *WAITS, *TOKENS}))
MOST_STAGES = 200  # the latest: of earlier ones nothing more comes
SUCCESS = "success"


class Key(typing.NamedTuple):
    stage: int
    target: str
    payload: str
    phase: str


class Times:
    """A histogram of s that can be told by any of the bounds above."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(EDGES) + 1, dtype=np.int64)
        self.sum = 0.0

    @property
    def n(self) -> int:
        return int(self._counts.sum())

    def add(self, seconds: np.ndarray, times: np.ndarray | None = None) -> None:
        """times: how often each came; NaN is not known, and out."""
        known = ~np.isnan(seconds)
        seconds, often = seconds[known], np.ones(int(known.sum())) if times is None else times[known]
        places = np.searchsorted(EDGES, seconds, side="left")
        self._counts += np.bincount(places, weights=often, minlength=len(EDGES) + 1).astype(np.int64)
        self.sum += float((seconds * often).sum())

    def up_to(self, bounds: typing.Sequence[float]) -> list[int]:
        """How many are at most each of the bounds."""
        return [int(n) for n in np.cumsum(self._counts)[np.searchsorted(EDGES, bounds)]]


@dataclasses.dataclass(slots=True)
class Entry:
    """Of one key."""

    latency: dict[str, Times] = dataclasses.field(default_factory=lambda: collections.defaultdict(Times))  # by outcome
    ttft: Times = dataclasses.field(default_factory=Times)
    tpot: Times = dataclasses.field(default_factory=Times)
    gaps: Times = dataclasses.field(default_factory=Times)
    tokens: dict[str, int] = dataclasses.field(default_factory=lambda: collections.defaultdict(int))  # by kind
    usd: float | None = None  # by the prices of tokens, as far as they are known; None where there is none

    def add(self, records: pd.DataFrame, batch: Batch, price: Price | None) -> None:
        outcomes = np.where(batch.good, SUCCESS, batch.error.astype(str))
        for outcome in np.unique(outcomes):
            self.latency[str(outcome)].add(batch.latency_s[outcomes == outcome])
        good = batch.where(batch.good)
        self.ttft.add(good.ttft_s)
        self.tpot.add(good.tpot_ms / 1000)
        kinds = {"input": good.prompt, "output": good.completion, "cache_read": good.cached}
        for kind, counts in kinds.items():
            if not np.isnan(counts).all():
                self.tokens[kind] += int(np.nansum(counts))
        for kind in ("cache_write", "reasoning"):
            known = records[f"{kind}_tokens"][batch.good].dropna()
            if len(known):
                self.tokens[kind] += int(known.sum())
        self._add_gaps(records["gaps"][batch.good].dropna())
        if isinstance(price, TokenPrice):
            self.usd = (self.usd or 0.0) + float(np.nansum(batch.usd))

    def _add_gaps(self, texts: pd.Series) -> None:
        bins: collections.Counter[int] = collections.Counter()
        for text in texts:
            try:
                bins.update(gap_counts(text))
            except ValueError:
                continue  # of a file that somebody has edited
        if bins:
            self.gaps.add(np.array([middle_ms(k) / 1000 for k in bins]), np.array(list(bins.values()), dtype=float))


class Tally:
    """Of one run."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self.records = 0

    def add(self, records: pd.DataFrame, batch: Batch, prices: dict[str, Price]) -> None:
        """Dated records, and the same as a batch."""
        self.records += len(records)
        places = collections.defaultdict(list)
        columns = (records[name].tolist() for name in ("stage", "target", "payload", "phase"))
        for n, (stage, *names) in enumerate(zip(*columns, strict=True)):
            places[Key(int(stage), *map(str, names))].append(n)
        for key, found in places.items():
            here = np.zeros(len(records), dtype=bool)
            here[found] = True
            some = records if len(places) == 1 else records[here]
            self.entries.setdefault(key, Entry()).add(some, batch.where(here), prices.get(key.target))

    def sorted(self, most_stages: int = MOST_STAGES) -> list[tuple[Key, Entry]]:
        """Of the latest stages, in order."""
        latest = set(sorted({key.stage for key in self.entries})[-most_stages:])
        return [(key, self.entries[key]) for key in sorted(self.entries) if key.stage in latest]
