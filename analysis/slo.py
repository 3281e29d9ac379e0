"""Whether a stage keeps the scenario's limits: each met, missed or undecided.

Limits are inclusive. A limit on a percentile is decided by the exact binomial test on the share of
successes above it (percentiles.decide); limits on means, error rate and cost by plain comparison.
"""

import dataclasses
import typing

import numpy as np

from analysis import format as show
from analysis.percentiles import LEVELS, decide
from analysis.steps import Stage
from locustfiles.common.scenario import Slo

MARKS = {"met": "✓", "missed": "✗", "undecided": "?"}


@dataclasses.dataclass(frozen=True, slots=True)
class Criterion:
    """One limit of an SLO: `name` is latency_p95, ttft_mean, error_rate or cost_per_10k."""

    name: str
    words: str  # latency p95
    limit: float
    limit_text: str  # 2 s
    show: typing.Callable[[float | None], str]

    @property
    def text(self) -> str:
        return f"{self.words} ≤ {self.limit_text}"


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """A criterion at one stage."""

    criterion: Criterion
    value: float | None
    state: typing.Literal["met", "missed", "undecided"]

    @property
    def cell(self) -> str:
        return f"{self.criterion.show(self.value)} {MARKS[self.state]}"


def criteria_of(slo: Slo) -> list[Criterion]:
    """The limits that an SLO sets, in a fixed order."""
    found = []
    for name, limits in (("latency", slo.latency_s), ("ttft", slo.ttft_s)):
        for statistic in ("mean", *LEVELS):
            limit = getattr(limits, statistic, None)
            if limit is not None:
                words = f"{'TTFT' if name == 'ttft' else name} {statistic}"
                found.append(Criterion(f"{name}_{statistic}", words, limit, f"{limit:g} s", show.seconds))
    if slo.error_rate is not None:
        rate = slo.error_rate
        found.append(Criterion("error_rate", "error rate", rate, f"{100 * rate:g} %", show.percent))
    most = slo.cost_per_10k_transactions_usd
    if most is not None:
        found.append(Criterion("cost_per_10k", "cost per 10k transactions", most, f"${most:g}", show.money))
    return found


def check(criterion: Criterion, stage: Stage, row: dict[str, typing.Any]) -> Check:
    """A criterion at the stage whose measurements and cost are in `row`."""
    if criterion.name == "error_rate":
        return _plain(criterion, row["error_rate"])
    if criterion.name == "cost_per_10k":
        return _cost(criterion, row)
    times, statistic = criterion.name.split("_")
    value = row[f"{times}_{statistic}_s"]
    if statistic == "mean":
        return _plain(criterion, value)
    seconds = stage.good[f"{times}_ms"].dropna().to_numpy() / 1000
    above = int(np.count_nonzero(seconds > criterion.limit))
    return Check(criterion, value, decide(above, len(seconds), LEVELS[statistic]))


def overall(checks: list[Check]) -> dict[str, str]:
    """The `slo` and `slo_failed` columns."""
    states = [c.state for c in checks]
    state = "missed" if "missed" in states else "undecided" if "undecided" in states else "met" if states else "none"
    return {"slo": state, "slo_failed": ", ".join(c.criterion.name for c in checks if c.state == "missed")}


def _plain(criterion: Criterion, value: float | None) -> Check:
    if value is None:
        return Check(criterion, None, "undecided")
    return Check(criterion, value, "met" if value <= criterion.limit else "missed")


def _cost(criterion: Criterion, row: dict[str, typing.Any]) -> Check:
    """Decided where both bounds of the bill are on one side of the limit."""
    low, high = row["usd_per_transaction_low"], row["usd_per_transaction_high"]
    if low is not None and 10_000 * low > criterion.limit:
        state = "missed"
    elif high is not None and 10_000 * high <= criterion.limit:
        state = "met"
    else:
        state = "undecided"
    return Check(criterion, row["usd_per_10k_transactions"], state)
