"""Steps of the load: a level of users that was held, measured by differences of the cumulative counts; or the whole run."""

import typing
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.locust_csv.counts import NOTHING, TOTAL, Counts, History, Key, Percentiles, Totals
from analysis.locust_csv.levels import Level
from analysis.locust_csv.windows import SHORTEST_STEP_S, Window
from locustfiles.contract.statistics.counts import count_error

PERCENTILES_AFTER_S = 20.0  # Locust's percentiles look back 10 s, at worst 19
MAX_NAMED = 8  # levels of a ramp, in a note
COARSE = 0.1  # of a mean latency, which whole milliseconds do not tell any better


class Dropped(typing.NamedTuple):
    """A level of users that was held too briefly to be a step."""

    users: int
    held_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of the cost table, before its price; None is not known."""

    run: str
    step: int | None = None  # number of the visit; None for a whole run
    users: int | None = None
    key: Key = TOTAL  # of several names together the total's
    seconds: float | None
    successes: int
    failures: int
    latency_mean_s: float | None  # failures included, as Locust counts them
    percentiles_ms: Percentiles = field(default_factory=dict)  # by column, rounded to two digits by Locust
    start_at: float | None = None
    end_at: float | None = None
    basis: str = "step of the history"
    edge_error: float = 0.0  # relative: what the window's ends, or rounding, leave open of the rate
    after: Counts = NOTHING  # what ended after the level's last row, when no user was left or the history had ended
    uncounted: int = 0  # requests of the total that no name has: whether they succeeded is not known
    parts: dict[Key, int] = field(default_factory=dict)  # successes of each name that is in it

    @property
    def type(self) -> str:
        return self.key.type

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def p50_s(self) -> float | None:
        return _seconds(self.percentiles_ms.get("50%"))

    @property
    def p90_s(self) -> float | None:
        return _seconds(self.percentiles_ms.get("90%"))

    @property
    def p95_s(self) -> float | None:
        return _seconds(self.percentiles_ms.get("95%"))

    @property
    def p99_s(self) -> float | None:
        return _seconds(self.percentiles_ms.get("99%"))

    @property
    def p99_9_s(self) -> float | None:
        return _seconds(self.percentiles_ms.get("99.9%"))

    @property
    def requests(self) -> int:
        return self.successes + self.failures

    @property
    def error_rate(self) -> float | None:
        return self.failures / self.requests if self.requests else None

    @property
    def error_rate_at_most(self) -> float | None:
        """With what ended just after it, where that failed more, and what no name has: to this its limits apply."""
        failures, requests = self.failures + self.uncounted, self.requests + self.uncounted
        if not requests + self.after.requests:
            return None
        with_after = (failures + self.after.failures) / (requests + self.after.requests)
        return max(with_after, failures / requests if requests else 0.0)

    @property
    def successes_per_s(self) -> float | None:
        return self.successes / self.seconds if self.seconds else None

    @property
    def failures_per_s(self) -> float | None:
        return self.failures / self.seconds if self.seconds else None

    @property
    def rate_error(self) -> float:
        """Relative: 2 / sqrt(n) of a count of n, or what the ends leave open, where that is more."""
        return max(count_error(self.successes), self.edge_error)

    @property
    def not_comparable(self) -> str:
        """Why its rate cannot be set beside others'; nothing where it can."""
        if self.successes and self.rate_error >= 1:
            return f"{self.successes} success{'' if self.successes == 1 else 'es'} only"
        if self.step is not None and self.latency_mean_s and self.seconds and self.latency_mean_s > self.seconds:
            return "its window is shorter than a mean call"
        return ""


def held_s(history: History, level: Level) -> float:
    # n rows stand for n intervals of a level, though only n - 1 lie between its first and its last row
    by_rows = (level.last - level.first + 1) * history.interval
    return max(by_rows, history.seconds[level.last].at - history.seconds[level.first].at)


def too_short(history: History, level: Level) -> bool:
    return held_s(history, level) < SHORTEST_STEP_S - history.interval / 4 or level.last - level.first < 2


def step_of(run: str, number: int, history: History, level: Level, window: Window, keys: Sequence[Key]) -> Step:
    """What ended between the window's first row and its last."""
    gained = history.at(window.last, keys) - history.at(window.first, keys)
    parts = {}
    for key in keys:
        own = history.at(window.last, [key]) - history.at(window.first, [key])
        if own.requests and key != TOTAL:
            parts[key] = own.requests - own.failures
    long_enough = (window.last - level.first) * history.interval >= PERCENTILES_AFTER_S
    shown: Percentiles = {}
    if (
        long_enough
        and gained.requests
        and not history.of_whole_run
        and (len(keys) == 1 or len(keys) == len(history.keys))
    ):
        shown = history.percentiles(window.last, keys[0] if len(keys) == 1 else TOTAL)
    mean = gained.total_ms / gained.requests / 1000 if gained.requests else None
    if history.whole_ms and mean is not None:
        # each mean is cut to a millisecond, of as many requests as there had been
        open_ms = (history.at(window.last, keys).requests + history.at(window.first, keys).requests) / gained.requests
        mean = mean if open_ms / 2000 <= COARSE * mean else None
    return Step(
        run=run,
        step=number,
        users=level.users,
        key=keys[0] if len(keys) == 1 else TOTAL,
        seconds=window.seconds,
        successes=gained.requests - gained.failures,
        failures=gained.failures,
        latency_mean_s=mean,
        percentiles_ms=shown,
        start_at=history.seconds[window.first].at,
        end_at=history.seconds[window.last].at,
        edge_error=window.edge_s / window.seconds if window.seconds else 0.0,
        parts=parts,
    )


def whole_run(run: str, totals: Totals, keys: Sequence[Key], users: int | None = None) -> Step:
    """The rows of these names together, over the whole run."""
    counts = Counts()
    for key in keys:
        counts += totals.rows[key]
    return Step(
        run=run,
        users=users,
        key=keys[0] if len(keys) == 1 else TOTAL,
        seconds=totals.seconds,
        successes=counts.requests - counts.failures,
        failures=counts.failures,
        latency_mean_s=counts.total_ms / counts.requests / 1000 if counts.requests else None,
        percentiles_ms=totals.percentiles[keys[0]] if len(keys) == 1 else {},
        basis="whole run",
        edge_error=totals.seconds_error,
        parts={key: totals.rows[key].requests - totals.rows[key].failures for key in keys if key != TOTAL},
    )


def _seconds(ms: float | None) -> float | None:
    return ms / 1000 if ms else None


def dropped_text(dropped: Sequence[Dropped]) -> str:
    """`1 user (2 s), 2 users (2 s)`; of many the longest held, and how many more."""
    longest = sorted(dropped, key=lambda d: -d.held_s)[:MAX_NAMED]
    shown = [f"{users_text(d.users)} ({d.held_s:.0f} s)" for d in dropped if d in longest][:MAX_NAMED]
    rest = len(dropped) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def users_text(users: int | None) -> str:
    return "the whole run" if users is None else "1 user" if users == 1 else f"{users} users"
