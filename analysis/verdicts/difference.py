"""How much two stages differ in a figure, and whether that is more than chance would do.

Two intervals that overlap are no test. The interval of the ratio comes from both stages' own 95 % intervals: on the log scale the
half-widths of independent estimates combine as sqrt(h1² + h2²), each end from the two that can bring it about (method of variance
estimates recovery: Donner & Zou, Statistical Methods in Medical Research 21, 2012, 347-359). No records are needed, so that
figures of other tools compare, too, wherever they carry intervals. Shares of requests are compared by their difference, which
a share of 0 has, too (proportions.py); so is the share of prompt tokens from a cache, as that of so many requests as its interval
tells of.

The intervals are of the requests of the runs compared: what changes from run to run is in them only where a level was repeated.
"""

import dataclasses
import math
import typing

from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.proportions import Share, apart, effective, p_above, smallest_seen
from analysis.verdicts.quantiles import NORMAL, POWER, T_95, beyond, widening
from analysis.verdicts.serial_intervals import CACHE_READS, CALL_ERROR_RATE, ERROR_RATE
from analysis.verdicts.stage_results import Result, by_count
from analysis.words.columns import Column, column, columns
from analysis.words.value_text import ends_of

State = typing.Literal["higher", "lower", "no difference seen", "not known"]
Ends = tuple[float | None, float | None]

BY_INTERVALS = "the stages' 95 % intervals, combined on the log scale"
BY_COUNTS = "the numbers of successes, as counts"
BY_SHARES = "difference of two shares by their Wilson intervals"

BAD_STOP_SHARE = column(lambda f: f.outcome.bad_stop_share)
GOOD_SHARE = column(lambda f: f.outcome.good_share)
GOODPUT = column(lambda f: f.throughput.goodput_per_s)
#: figures of what the limits call good, which are no figures of the same thing under other limits
OF_LIMITS = (GOODPUT, GOOD_SHARE)
#: figures that are a fixed multiple of another one, whose interval is theirs
MULTIPLES: dict[Column, Column] = {column(lambda f: f.throughput.transactions_per_minute): THROUGHPUT} | dict.fromkeys(
    columns(
        lambda f: (
            f.cost.usd_per_10k_transactions,
            f.cost.usd_per_transaction_at_10pct,
            f.cost.usd_per_transaction_at_30pct,
            f.cost.usd_per_transaction_at_60pct,
        )
    ),
    USD,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """`other` beside `one`. low, high: 95 % interval of other / one, None where an end is not known; smallest: by which share
    `other` would have to be higher for this to be seen four times of five. Of shares of requests (`shares` is known) all three
    are of other - one."""

    one: float
    other: float
    low: float | None
    high: float | None
    smallest: float | None
    method: str
    shares: tuple[Share, Share] | None = None

    @property
    def ratio(self) -> float | None:
        """other / one; None where one is 0."""
        return self.other / self.one if self.one else None

    @property
    def same_at(self) -> float:
        """Where the two do not differ: 1 of ratios, 0 of differences of shares."""
        return 1.0 if self.shares is None else 0.0

    @property
    def state(self) -> State:
        """`no difference seen` is not: there is none. `smallest` says how large one may have stayed unseen."""
        if self.low is not None and self.low > self.same_at:
            return "higher"
        if self.high is not None and self.high < self.same_at:
            return "lower"
        return "not known" if self.low is None or self.high is None else "no difference seen"

    @property
    def p(self) -> float | None:
        """Two-sided p-value of there being no difference; None where no interval is known on the side that would tell."""
        if self.shares is not None:
            one, other = self.shares
            return min(1.0, 2 * min(p_above(one, other), p_above(other, one)))
        ratio = self.ratio
        if not ratio:
            return None
        below, above = logs(ratio, self.low, self.high)
        half = below if ratio > 1 else above
        if half is None:
            return None
        apart_by = abs(math.log(ratio))
        if half <= 0:  # known exactly
            return 0.0 if apart_by > 1e-12 else 1.0
        return min(1.0, 2 * beyond(apart_by / half))

    def at(self, confidence: float) -> "Difference":
        """The same with an interval of another confidence."""
        if self.shares is not None:
            ends = apart(*self.shares, z=NORMAL.inv_cdf(0.5 + confidence / 2))
            return dataclasses.replace(self, low=ends[0], high=ends[1])
        factor, ratio = widening(confidence), self.ratio
        if not ratio:
            return self
        low, high = (None if end is None else ratio * (end / ratio) ** factor for end in (self.low, self.high))
        return dataclasses.replace(self, low=low, high=high)


def difference(one: Result, other: Result, column: Column) -> Difference | None:
    """How `other` differs from `one` in a figure; None where one of the two is not known or infinite, or of other limits."""
    was, now = (typing.cast(float, column.of(r.figures)) for r in (one, other))
    if any(not isinstance(v, int | float) or not math.isfinite(v) for v in (was, now)):
        return None
    if column in OF_LIMITS and one.good_by != other.good_by:
        return None
    if column in SHARES:
        shares = shares_of(one, column), shares_of(other, column)
        known = all(share.n for share in shares)  # of how many requests
        return of_shares(*shares) if known else Difference(was, now, None, None, None, BY_SHARES)
    now = was if math.isclose(was, now, rel_tol=1e-9) else now  # rounding is no difference, however well both are known
    if now == was <= 0:
        return Difference(was, now, 1.0, 1.0, None, BY_INTERVALS)
    if was <= 0 or now <= 0:
        return Difference(was, now, None, None, None, BY_INTERVALS)
    ends, by = zip(*(_ends(r, column) for r in (one, other)), strict=True)
    (below_1, above_1), (below_2, above_2) = logs(was, *ends[0]), logs(now, *ends[1])
    below, above = combined(below_2, above_1), combined(above_2, below_1)
    return of_logs(was, now, below, above, BY_COUNTS if BY_COUNTS in by else BY_INTERVALS)


def of_logs(one: float, other: float, below: float | None, above: float | None, method: str) -> Difference:
    """From the half-widths below and above of the log of the ratio."""
    ratio, worst = other / one, None if below is None or above is None else max(below, above)
    return Difference(
        one=one,
        other=other,
        low=None if below is None else ratio * math.exp(-below),
        high=None if above is None else ratio * math.exp(above),
        smallest=None if worst is None else math.expm1(min(700.0, worst * (T_95 + POWER) / T_95)),
        method=method,
    )


def combined(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else math.hypot(one, other)


def logs(value: float, low: float | None, high: float | None) -> Ends:
    """How far the ends lie below and above on the log scale; None for one that is not known, or is 0."""
    below = None if low is None or low <= 0 else max(0.0, math.log(value / low))
    above = None if high is None or not math.isfinite(high) else max(0.0, math.log(high / value))
    return below, above


def shares_of(result: Result, column: Column) -> Share:
    """A share of requests with its number of requests: fewer than were sent, where failures came in rows."""
    value = float(column.of(result.figures))
    low, high = ends_known(result, column)
    if low is None or high is None:
        return Share(value, float(SHARES[column](result) or 0))
    return Share(value, effective(value, low, high))


def ends_known(result: Result, column: Column) -> Ends:
    """The 95 % interval of a figure: that which allows for requests that are alike, else the one that is shown beside it."""
    return result.series[column] if column in result.series else ends_of(result, column)


def of_shares(one: Share, other: Share) -> Difference:
    low, high = apart(one, other)
    return Difference(one.value, other.value, low, high, _smallest(one, other.n), BY_SHARES, (one, other))


def _smallest(one: Share, n: float) -> float | None:
    """By how much more would be seen; where nothing could be, as above 98 %, by how much less."""
    for share in (one, Share(1 - one.value, one.n)):
        if (least := smallest_seen(share, n)) is not None:
            return least - share.value
    return None


def _ends(result: Result, column: Column) -> tuple[Ends, str]:
    """Of the figure's own interval, else of the one that it is a multiple of; of a cost without any, by the successes' number."""
    base = MULTIPLES.get(column, column)
    low, high = ends_known(result, base)
    by = BY_INTERVALS
    if base == USD and low is None and high is None and result.usd:
        (low, high), by = by_count(result), BY_COUNTS
    value, of_base = column.of(result.figures), base.of(result.figures)
    factor = value / of_base if base != column and of_base else 1.0
    return (None if low is None else low * factor, None if high is None else high * factor), by


def _asked_for(result: Result) -> int | None:
    """Requests that were not cancelled; with retries calls."""
    outcome, calls = result.figures.outcome, result.figures.calls.calls
    return (outcome.requests or 0) - (outcome.cancelled or 0) if calls is None else calls


#: shares of requests, and of their tokens -> of how many requests
SHARES: dict[Column, typing.Callable[[Result], int | None]] = {
    ERROR_RATE: lambda r: (r.figures.outcome.requests or 0) - (r.figures.outcome.cancelled or 0),
    CALL_ERROR_RATE: lambda r: r.figures.calls.calls,
    BAD_STOP_SHARE: lambda r: r.figures.outcome.successes,
    GOOD_SHARE: _asked_for,
    CACHE_READS: lambda r: 0,  # where there is no interval the service may not tell it
}
