"""Whether a stage keeps the limits that are set for it: each met, missed, undecided or unknown.

Undecided: more samples would tell. Unknown: the value is not known, and more samples would not help.

They are judged on what a user perceives: with `retry:` latency, TTFT and error rates of calls, in the open loop times
from when a request was due.
Limits are inclusive. A limit on a percentile is decided by the exact binomial test on the share of
requests above it, where a failure is above every limit: shedding load must not look fast (binomial.decide); limits on means,
shares, rates and costs by plain comparison.
"""

import dataclasses
import functools
import itertools
import typing

import numpy as np

from analysis.metrics.percentiles import LEVELS, spread
from analysis.metrics.token_times import tpot_ms
from analysis.runs.stage import Stage
from analysis.verdicts.check import Check, State, plain
from analysis.verdicts.session_checks import session_check
from analysis.verdicts.slo_costs import COSTS, cost_check
from analysis.verdicts.slo_criteria import Criterion
from analysis.words import format as show
from analysis.words.gap_figures import InterToken
from analysis.words.spread import Spread, Statistic
from analysis.words.stage_figures import StageFigures
from analysis.words.user_perceived import perceived
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.gap_counts import KNOWN_TO
from locustfiles.contract.statistics.binomial import decide

OWN_PERCENTILE = "the tool's own percentile, by its own rule and of no known number of requests"


def check(criterion: Criterion, stage: Stage, figures: StageFigures, cost_reason: str | None = None) -> Check:
    """A criterion at the stage whose measurements and cost are in `figures`. cost_reason: why its cost is empty."""
    if criterion.of in COSTS:
        return cost_check(criterion, figures, cost_reason)
    if criterion.of == "session":
        return session_check(criterion, stage, figures)
    if criterion.of == "bad_stop_share":
        unknown = "no success has a stop reason" if figures.outcome.successes else "no success was measured"
        return plain(criterion, figures.outcome.bad_stop_share, unknown, figures.outcome.successes or 0)
    if stage.visit.aggregates is not None:
        return _told(criterion, figures)
    if criterion.of == "itl":
        return _gaps(criterion, figures, stage)
    if criterion.statistic is not None:
        return _time(criterion, criterion.statistic, stage, figures)
    if criterion.of == "error_rate":
        return _error_rate(criterion, stage, figures)
    value, why = _figure(criterion, stage, figures)
    return plain(criterion, value, why, figures.outcome.successes or 0)


def _told(criterion: Criterion, figures: StageFigures) -> Check:
    """At a stage without records: means, shares and rates by plain comparison, percentiles not at all."""
    value, n = _told_value(criterion, figures), figures.outcome.requests
    if value is not None and criterion.statistic not in (None, "mean"):
        return Check(criterion, value, "undecided", OWN_PERCENTILE, n, beyond=not criterion.kept(value))
    return plain(criterion, value, "it is not told", n)


def _told_value(criterion: Criterion, figures: StageFigures) -> float | None:
    user, rates = perceived(figures), figures.throughput
    if criterion.statistic is not None:
        times: dict[str, Spread | InterToken] = {"latency": user.latency, "ttft": user.ttft, "tpot": figures.tpot}
        times["itl"] = figures.itl
        return times[criterion.of].at(criterion.statistic) if criterion.of in times else None
    if criterion.failure is not None:  # of one class: without any failure none of it
        return 0.0 if user.error_rate == 0 else None
    known = {
        "error_rate": user.error_rate, "throughput": rates.throughput_per_s,
        "output_tokens": figures.tokens.completion_tokens_per_s, "goodput": rates.goodput_per_s,
    }  # fmt: skip
    return known.get(criterion.of)


def _gaps(criterion: Criterion, figures: StageFigures, stage: Stage) -> Check:
    """By the counts of gaps, in which a percentile is known to 2.5 %. Gaps depend on each other, so there is no test."""
    statistic = criterion.statistic or "mean"
    value, n = figures.itl.at(statistic), figures.itl.gaps or 0
    if (
        value is None
        or statistic == "mean"
        or not criterion.limit / (1 + KNOWN_TO) < value <= criterion.limit * (1 + KNOWN_TO)
    ):
        return plain(criterion, value, _why_no_time(criterion.of, stage), n)
    return Check(
        criterion, value, "undecided", f"known to {show.percent(KNOWN_TO)} of itself, and so near to the limit", n
    )


class _Sample(typing.NamedTuple):
    """The values of a time, and the requests without one, for they failed."""

    values: np.ndarray
    spread: Spread
    failed: int

    @property
    def n(self) -> int:
        return len(self.values) + self.failed


def _sample(of: str, stage: Stage, figures: StageFigures) -> _Sample:
    """In the unit of its limits. TPOT is the requests' own: no waiting before them, with `retry:` too, is in it."""
    if of == "tpot":
        return _Sample(tpot_ms(stage.good).dropna().to_numpy(), figures.tpot, figures.outcome.failures or 0)
    user = perceived(figures)
    values = stage.perceived[f"{of}_ms"].dropna().to_numpy() / 1000
    known = {"latency": user.latency, "ttft": user.ttft}
    return _Sample(values, known[of] if of in known else spread(values), user.failures or 0)


def _time(criterion: Criterion, statistic: Statistic, stage: Stage, figures: StageFigures) -> Check:
    sample = _sample(criterion.of, stage, figures)
    value, failed, n = sample.spread.at(statistic), sample.failed, sample.n
    none = stage.perceived.empty if criterion.of != "tpot" else stage.good.empty
    only_failures = failed > 0 and none and (criterion.of == "latency" or stage.target.stream)
    if statistic == "mean" or (value is None and not only_failures):
        return plain(criterion, value, _why_no_time(criterion.of, stage), len(sample.values))
    above = int(np.count_nonzero(sample.values > criterion.limit)) + failed
    state, why, beyond = typing.cast(State, decide(above, n, LEVELS[statistic])), None, False
    if state == "undecided":
        enough, beyond = needed(above, n, LEVELS[statistic])
        more = "all above, would show that it is missed" if beyond else "none above, would show that it is met"
        why = f"too few samples: {n}, {above} of them above; {enough - n} more, {more}"
    elif state == "missed" and decide(above - failed, n - failed, LEVELS[statistic]) != "missed":
        why = f"all {failed} failed" if only_failures else f"with {failed} failures above it"
    return Check(criterion, value, state, why, n, beyond)


@functools.lru_cache(maxsize=1024)
def needed(above: int, n: int, q: float) -> tuple[int, bool]:
    """(how many values decide on the q-quantile if they go on as they are, whether that is beyond the limit).

    `above` of n values are above the limit: if they are over 1 - q of them, so are all further ones, else none is. Without any
    above: 6 at p50, 72 at p95, 368 at p99.
    """
    beyond = above > (1 - q) * n
    states = ((m, decide(above + m - n if beyond else above, m, q)) for m in itertools.count(n))
    return next(m for m, state in states if state == ("missed" if beyond else "met")), beyond


#: times of which only streams have any, by what they are called
_STREAMED = {"ttft": "TTFT", "ttft_visible": "visible TTFT", "tpot": "TPOT", "itl": "ITL"}


def _why_no_time(of: str, stage: Stage) -> str:
    if of in _STREAMED and not stage.target.stream:
        return f"{_STREAMED[of]} is not known: the target does not stream"
    if stage.perceived.empty:
        return "no success was measured"
    return f"{_STREAMED.get(of, of)} is not known: no success has one"


def _error_rate(criterion: Criterion, stage: Stage, figures: StageFigures) -> Check:
    """Of requests, with `retry:` of calls; of one class alone where the criterion names it."""
    asked = stage.measured if stage.calls is None else stage.calls.measured
    ended = asked[asked["error"] != ErrorClass.CANCELLED]
    rate, n = perceived(figures).error_rate, len(ended)
    if criterion.failure is None or rate is None:
        return plain(criterion, rate, "no request was measured", n)
    of_class, unnamed = (int((ended["error"] == kind).sum()) for kind in (criterion.failure, ErrorClass.UNKNOWN))
    named = plain(criterion, of_class / n, "", n)
    if criterion.failure == ErrorClass.UNKNOWN or criterion.kept((of_class + unnamed) / n) or named.state == "missed":
        return named
    return dataclasses.replace(
        named, state="unknown", why=f"of {unnamed} of {n} requests it is not known why they failed"
    )


def _figure(criterion: Criterion, stage: Stage, figures: StageFigures) -> tuple[float | None, str]:
    """(value, why it is not known where it is None)."""
    no_window = stage.why_no_window if stage.window is None else ""
    if criterion.of == "throughput":
        return figures.throughput.throughput_per_s, no_window
    if criterion.of == "output_tokens":
        return (
            figures.tokens.completion_tokens_per_s,
            no_window or "more than 1 % of the answers' tokens are not counted",
        )
    unknown = "which answers were good is not known: a time that is limited is not known of them"
    return figures.throughput.goodput_per_s, no_window or unknown
