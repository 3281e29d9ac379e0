"""Whether a stage keeps the scenario's limits: each met, missed, undecided or unknown.

Undecided: more samples would tell. Unknown: the value is not known, and more samples would not help.

They are judged on what a user perceives: with `retry:` latency, TTFT and error rate of calls, in the open loop times
from when a request was due.
Limits are inclusive. A limit on a percentile is decided by the exact binomial test on the share of
requests above it, where a failure is above every limit: shedding load must not look fast (binomial.decide); limits on means,
shares and cost by plain comparison.
"""

import dataclasses
import functools
import itertools
import typing

import numpy as np

from analysis.metrics.percentiles import LEVELS
from analysis.runs.stage import Stage
from analysis.words import format as show
from analysis.words.spread import STATISTICS, Statistic
from analysis.words.stage_figures import Limits, StageFigures
from analysis.words.user_perceived import perceived
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.statistics.binomial import decide

State = typing.Literal["met", "missed", "undecided", "unknown"]
Times = typing.Literal["latency", "ttft"]
MARKS: dict[State, str] = {"met": "✓", "missed": "✗", "undecided": "?", "unknown": "?"}


@dataclasses.dataclass(frozen=True, slots=True)
class Criterion:
    """One limit of an SLO, on a statistic of a time or on another figure."""

    of: Times | typing.Literal["error_rate", "bad_stop_share", "cost_per_10k"]
    statistic: Statistic | None
    words: str  # latency p95, with retries call latency p95
    limit: float
    limit_text: str  # 2 s
    show: typing.Callable[[float | None], str]

    @property
    def name(self) -> str:
        """latency_p95, ttft_mean, error_rate, bad_stop_share or cost_per_10k."""
        return self.of if self.statistic is None else f"{self.of}_{self.statistic}"

    @property
    def text(self) -> str:
        return f"{self.words} ≤ {self.limit_text}"


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """A criterion at one stage."""

    criterion: Criterion
    value: float | None
    state: State
    why: str | None = None  # why it is undecided or unknown, or missed although the successes keep it
    beyond: bool = False  # undecided or unknown: its own figure, failures counted as above the limit, is beyond it

    @property
    def cell(self) -> str:
        """`1.21 s ✓`, `0.50 s, with 900 failures above it ✗`, `all 240 failed ✗`, `? why the value is not known`."""
        if self.state == "unknown":
            return f"{MARKS[self.state]} {self.why}"
        why = self.why if self.state == "missed" else None
        value = None if why and self.value is None else self.criterion.show(self.value)
        return f"{', '.join(filter(None, (value, why)))} {MARKS[self.state]}"

    @property
    def open_text(self) -> str:
        """`latency p95 ≤ 2 s (too few samples: 60, 0 of them above; 72 would do if no more are)`"""
        return f"{self.criterion.text} ({self.why})"


def criteria_of(slo: Slo, of_calls: bool = False, from_due: bool = False) -> list[Criterion]:
    """The limits that an SLO sets, in a fixed order. of_calls: they are judged on calls, and say so; from_due: so their times."""
    found, whose, since = [], "call " if of_calls else "", " from when it was due" if from_due else ""
    times: tuple[Times, ...] = ("latency", "ttft")
    for of, limits in zip(times, (slo.latency_s, slo.ttft_s), strict=True):
        for statistic in STATISTICS:
            limit = getattr(limits, statistic, None)
            if limit is not None:
                words = f"{whose}{'TTFT' if of == 'ttft' else of} {statistic}{since}"
                found.append(Criterion(of, statistic, words, limit, f"{show.exact(limit)} s", show.seconds))
    if slo.error_rate is not None:
        limit_text = f"{show.exact(round(100 * slo.error_rate, 10))} %"
        found.append(Criterion("error_rate", None, f"{whose}error rate", slo.error_rate, limit_text, show.percent))
    if slo.bad_stop_share is not None:
        limit_text = f"{show.exact(round(100 * slo.bad_stop_share, 10))} %"
        words = "share of bad stop reasons"
        found.append(Criterion("bad_stop_share", None, words, slo.bad_stop_share, limit_text, show.percent))
    most = slo.cost_per_10k_transactions_usd
    if most is not None:
        words = "cost per 10k transactions"
        found.append(Criterion("cost_per_10k", None, words, most, show.price(most), show.money))
    return found


def check(criterion: Criterion, stage: Stage, figures: StageFigures, cost_reason: str | None = None) -> Check:
    """A criterion at the stage whose measurements and cost are in `figures`. cost_reason: why its cost is empty."""
    if criterion.of == "cost_per_10k":
        return _cost(criterion, figures, cost_reason)
    if criterion.of == "bad_stop_share":
        unknown = "no success has a stop reason" if figures.outcome.successes else "no success was measured"
        return _plain(criterion, figures.outcome.bad_stop_share, unknown)
    user = perceived(figures)
    if criterion.of == "error_rate" or criterion.statistic is None:
        return _plain(criterion, user.error_rate, "no request was measured")
    times, statistic, failed = criterion.of, criterion.statistic, user.failures or 0
    value = (user.latency if times == "latency" else user.ttft).at(statistic)
    only_failures = failed > 0 and stage.perceived.empty and (times == "latency" or stage.target.stream)
    if statistic == "mean" or (value is None and not only_failures):
        return _plain(criterion, value, _why_no_time(times, stage))
    field = "latency_ms" if times == "latency" else "ttft_ms"
    seconds = stage.perceived[field].dropna().to_numpy() / 1000
    above, n = int(np.count_nonzero(seconds > criterion.limit)) + failed, len(seconds) + failed
    state, why, beyond = typing.cast(State, decide(above, n, LEVELS[statistic])), None, False
    if state == "undecided":
        enough, beyond = needed(above, n, LEVELS[statistic])
        why = f"too few samples: {n}, {above} of them above; {enough} would do if {'all more' if beyond else 'no more'} are"
    elif state == "missed" and decide(above - failed, n - failed, LEVELS[statistic]) != "missed":
        why = f"all {failed} failed" if only_failures else f"with {failed} failures above it"
    return Check(criterion, value, state, why, beyond)


@functools.lru_cache(maxsize=1024)
def needed(above: int, n: int, q: float) -> tuple[int, bool]:
    """(how many values decide on the q-quantile if they go on as they are, whether that is beyond the limit).

    `above` of n values are above the limit: if they are over 1 - q of them, so are all further ones, else none is. Without any
    above: 6 at p50, 72 at p95, 368 at p99.
    """
    beyond = above > (1 - q) * n
    states = ((m, decide(above + m - n if beyond else above, m, q)) for m in itertools.count(n))
    return next(m for m, state in states if state == ("missed" if beyond else "met")), beyond


def _why_no_time(times: Times, stage: Stage) -> str:
    if times == "ttft" and not stage.target.stream:
        return "TTFT is not known: the target does not stream"
    if stage.perceived.empty:
        return "no success was measured"
    return "TTFT is not known: no success has one"


def overall(checks: list[Check]) -> Limits:
    """All limits together."""
    order: tuple[State, ...] = ("missed", "unknown", "undecided", "met")
    states = [c.state for c in checks]
    return Limits(
        slo=next((s for s in order if s in states), "none"),
        slo_failed=", ".join(c.criterion.name for c in checks if c.state == "missed"),
        slo_open="; ".join(c.open_text for c in open_checks(checks)),
    )


def open_checks(checks: list[Check]) -> list[Check]:
    """The limits that are neither met nor missed."""
    return [c for c in checks if c.state in ("undecided", "unknown")]


def _plain(criterion: Criterion, value: float | None, why_unknown: str) -> Check:
    if value is None:
        return Check(criterion, None, "unknown", why_unknown)
    return Check(criterion, value, "met" if value <= criterion.limit else "missed")


def _cost(criterion: Criterion, figures: StageFigures, cost_reason: str | None) -> Check:
    """Decided where both bounds of the bill are on one side of the limit."""
    low, high = figures.cost.usd_per_transaction_low, figures.cost.usd_per_transaction_high
    state: State = "unknown"
    why = None
    if low is not None and 10_000 * low > criterion.limit:
        state = "missed"
    elif high is not None and 10_000 * high <= criterion.limit:
        state = "met"
    elif low is not None and high is not None:
        why = f"known only to be {show.span(10_000 * low, 10_000 * high)}, for failures of unknown tokens may be billed"
    else:
        why = f"the cost is not known: {cost_reason}"
    value = figures.cost.usd_per_10k_transactions
    return Check(criterion, value, state, why, state == "unknown" and value is not None)
