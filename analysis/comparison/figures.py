"""Which figures of two stages are compared, and what their differences say in words."""

import typing

from analysis.verdicts.difference import Difference
from analysis.words import format as show
from analysis.words.columns import Column, columns
from analysis.words.gap_figures import InterToken
from analysis.words.level import is_open
from analysis.words.spread import STATISTICS, Spread
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.statistics.binomial import written

#: a difference is sure where it holds among all that is compared, and seen where it holds for itself
Said = typing.Literal["worse", "better", "other", "no difference seen", "not known"]

_GIST = [STATISTICS.index(s) for s in ("p50", "p95")]  # of those, the ones of a table that has room for a few


def _of(pick: typing.Callable[[StageFigures], Spread | InterToken]) -> tuple[Column, ...]:
    return columns(lambda f: [getattr(pick(f), s) for s in STATISTICS])


LATENCY, TTFT, TPOT = _of(lambda f: f.latency), _of(lambda f: f.ttft), _of(lambda f: f.tpot)
ITL = _of(lambda f: f.itl)
CALL_LATENCY, CALL_TTFT = _of(lambda f: f.calls.call_latency), _of(lambda f: f.calls.call_ttft)
DUE_LATENCY, DUE_TTFT = _of(lambda f: f.open_loop.intended_latency), _of(lambda f: f.open_loop.intended_ttft)
SESSION_TIME = columns(
    lambda f: (f.sessions.session_time.mean, f.sessions.session_time.p50, f.sessions.session_time.p90, f.sessions.session_time.p95)
)  # fmt: skip
SESSIONS = columns(lambda f: (f.sessions.session_waiting_mean_s, f.sessions.usd_per_session))
CACHE = columns(lambda f: (f.tokens.cache_read_share,))
RATES = columns(lambda f: (f.throughput.throughput_per_s, f.tokens.completion_tokens_per_s))
GOOD = columns(lambda f: (f.throughput.goodput_per_s, f.outcome.good_share))
ERRORS, CALL_ERRORS = columns(lambda f: (f.outcome.error_rate,)), columns(lambda f: (f.calls.call_error_rate,))
COSTS = columns(lambda f: (f.cost.usd_per_10k_transactions, f.cost.usd_per_1m_output_tokens))
_SPREADS = {
    "latency": LATENCY,
    "call latency": CALL_LATENCY,
    "latency from due": DUE_LATENCY,
    "TTFT": TTFT,
    "call TTFT": CALL_TTFT,
    "TTFT from due": DUE_TTFT,
    "TPOT": TPOT,
    "ITL": ITL,
}
#: what each is called in tables
NAMES: dict[Column, str] = {
    c: f"{words} {written(s)}" for words, some in _SPREADS.items() for c, s in zip(some, STATISTICS, strict=True)
} | dict(
    zip(
        (*SESSION_TIME, *SESSIONS, *CACHE, *RATES, *GOOD, *ERRORS, *CALL_ERRORS, *COSTS),
        (
            *(f"time of a conversation {s}" for s in ("mean", "p50", "p90", "p95")),
            "waiting in a conversation",
            "$ per conversation",
            "prompt tokens from a cache",
            "transactions/s",
            "output tokens/s",
            "goodput/s",
            "inside the limits",
            "error rate",
            "error rate of calls",
            "$ per 10k transactions",
            "$ per 1M output tokens",
        ),
        strict=True,
    )
)


#: the same where columns are narrow
SHORT: dict[Column, str] = {
    c: name.replace("transactions/s", "per s")
    .replace("error rate", "errors")
    .replace("$ per 10k transactions", "$ per 10k")
    .replace("goodput/s", "good per s")
    .replace("time of a conversation", "conv.")
    .replace("$ per conversation", "$ per conv.")
    .replace("prompt tokens from a cache", "from cache")
    for c, name in NAMES.items()
}


def compared_columns(one: StageFigures, other: StageFigures) -> list[Column]:
    """In the order of the tables."""
    latency, ttft, errors = _perceived(one, other)
    talks = (*SESSION_TIME, *SESSIONS)
    return [*latency, *ttft, *TPOT, *ITL, *talks, *RATES, *GOOD, *errors, *_cache(one, other), *COSTS]


def gist_columns(one: StageFigures, other: StageFigures) -> list[Column]:
    """The few that decide: latency, TTFT and TPOT p50 and p95, transactions/s, goodput, error rate, cost; of conversations their time and
    cost; where a cache was read, how much came from it."""
    latency, ttft, errors = _perceived(one, other)
    times = [some[i] for some in (latency, ttft, TPOT) for i in _GIST]
    talks = [SESSION_TIME[1], SESSION_TIME[3]] if _talk(one, other) else []
    costs = [COSTS[0], *([SESSIONS[1]] if talks else [])]
    return [*times, *talks, RATES[0], GOOD[0], errors[-1], *_cache(one, other), *costs]


def narrow_columns(one: StageFigures, other: StageFigures) -> list[Column]:
    """Those that a hundred columns of text hold: nine."""
    few = gist_columns(one, other)
    _, ttft, _ = _perceived(one, other)
    p50, p95 = _GIST
    dispensable = [TPOT[p95], *([TPOT[p50], ttft[p50], COSTS[0]] if _talk(one, other) else [])]
    dispensable += [TPOT[p50]] if _cache(one, other) else []
    return [c for c in few if c not in dispensable]


def _talk(one: StageFigures, other: StageFigures) -> bool:
    return one.sessions.there or other.sessions.there


def _cache(one: StageFigures, other: StageFigures) -> tuple[Column, ...]:
    """Where some was read: of a service that has no cache a share of 0 is no finding."""
    return CACHE if any(CACHE[0].of(f) for f in (one, other)) else ()


def _perceived(one: StageFigures, other: StageFigures) -> tuple[tuple[Column, ...], ...]:
    """What a user perceives, where both stages tell it: of calls where both retry, from when requests were due in the open loop."""
    if one.retried and other.retried:
        errors, times = (*ERRORS, *CALL_ERRORS), (CALL_LATENCY, CALL_TTFT)
    else:
        errors, times = ERRORS, (LATENCY, TTFT)
    if is_open(one) and is_open(other):
        times = (DUE_LATENCY, DUE_TTFT)
    return *times, errors


def said(column: Column, difference: Difference | None) -> Said:
    """What the interval of a difference lets one say."""
    if difference is None or difference.state == "not known":
        return "not known"
    if difference.state == "no difference seen":
        return "no difference seen"
    if not column.better:
        return "other"
    return "worse" if (difference.state == "higher") == (column.better == "lower") else "better"


def change(difference: Difference | None) -> str:
    """`+8.1 %`, `-3.0 %`, `×3.4`, `+1.2 pts` (percentage points) of shares of requests."""
    if difference is None:
        return show.UNKNOWN
    if difference.shares is not None:
        return f"{_signed(100 * (difference.other - difference.one))} pts"
    if difference.ratio is None:
        return "none before" if difference.other else "+0.0 %"
    return _times(difference.ratio)


def interval(difference: Difference | None) -> str:
    """`+5.2 % to +11.1 %`; an end that is not known is `wide`; nothing where none is."""
    if difference is None or (difference.low is None and difference.high is None):
        return ""
    if difference.shares is not None:
        ends = [_signed(100 * end) for end in (difference.low, difference.high) if end is not None]
        return f"{' to '.join(ends)} pts"
    return " to ".join("wide" if end is None else _times(end) for end in (difference.low, difference.high))


def unseen(difference: Difference | None) -> str:
    """`12 %`: the smallest difference that samples like these would have shown; – where that is not known."""
    if difference is None or difference.smallest is None:
        return show.UNKNOWN
    if difference.shares is not None:
        return f"{show.number(100 * difference.smallest, 2)} pts"
    return "0 %" if difference.smallest == 0 else f"{show.number(100 * difference.smallest, 2)} %"


def sentence(column: Column, difference: Difference | None) -> str:
    """`worse`, `no difference seen (12 % would have been)`, `not told: too few independent requests`, `not known`."""
    what = said(column, difference)
    if what == "not known" and difference is not None:
        return "not told: too few independent requests"
    if what != "no difference seen":
        return what
    return f"{what} ({unseen(difference)} would have been)"


def _signed(value: float) -> str:
    shown = f"{value:+.1f}" if abs(value) < 100 else f"{value:+,.0f}"
    return "0.0" if shown in ("+0.0", "-0.0") else shown


def _times(ratio: float) -> str:
    return f"×{show.number(ratio)}" if ratio >= 3 else f"{_signed(100 * (ratio - 1))} %"
