"""Which step to choose, in one sentence: the cheapest that keeps every limit, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.locust_csv.cost_table import CostRow
from analysis.locust_csv.kinds import listed
from analysis.locust_csv.steps import users_text
from analysis.words.format import count, money, number, percent, seconds

SAME = 1e-9  # relative; costs closer than this are equal


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step must keep to be recommended; all inclusive, None means no limit."""

    latency_mean_s: float | None = None
    error_rate: float | None = None
    cost_per_10k: float | None = None

    @property
    def any(self) -> bool:
        return self != Limits()

    def kept(self, row: CostRow) -> dict[str, bool]:
        """Each limit in words, and whether it is kept; an unknown value keeps none. That its cost is known is one of them."""
        checks = {"a known cost": row.cost_per_transaction is not None}
        if self.error_rate is not None:
            checks[f"error rate ≤ {percent(self.error_rate)}"] = _within(row.step.error_rate_at_most, self.error_rate)
        if self.latency_mean_s is not None:
            name = f"mean latency ≤ {seconds(self.latency_mean_s)}"
            checks[name] = _within(row.step.latency_mean_s, self.latency_mean_s)
        if self.cost_per_10k is not None:
            name = f"cost per 10k transactions ≤ {money(self.cost_per_10k)}"
            checks[name] = _within(row.cost_per_10k_transactions, self.cost_per_10k)
        return checks


def _within(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def recommend(table: Sequence[CostRow], limits: Limits = Limits(), left_out: int = 0) -> str:
    """The cheapest step that keeps every limit, runner-up and margin; or none and why.

    Steps whose counts are too few, or whose window is shorter than a call, are named and not compared. Costs that counting
    does not tell apart are a tie, of which the step with most successes is taken. left_out: levels that are no steps.
    """
    if nothing := _nothing(table):
        return nothing
    passing = [row for row in table if all(limits.kept(row).values())]
    if not passing:
        return _none_passes(table, limits)
    ranked = [row for row in passing if not row.step.not_comparable]
    poor = [row for row in passing if row.step.not_comparable]
    not_compared = ""
    if poor:
        told = [f"{_named(row, table)} ({row.step.not_comparable})" for row in poor]
        not_compared = f" Not compared: {listed(told)}."
    if not ranked:
        return f"No recommendation: no step has enough answers to be compared.{not_compared}"
    best, ranked = _ranked(ranked)
    lead = _lead(table, ranked, limits, left_out)
    sentence = (
        f"{lead}: {_named(best, table)}, at {money(best.cost_per_transaction)} per transaction or "
        f"{money(best.cost_per_10k_transactions)} per 10k, "
        f"with a mean latency of {seconds(best.step.latency_mean_s)}, "
        f"{percent(best.step.error_rate)} errors and {_per_minute(best)}"
    )
    sentence += "." if len(ranked) == 1 else f"; {_runner_up(best, ranked[1], table)}."
    said_of_left_out = f" Not judged: {_levels(left_out)} held too briefly." if left_out and len(table) > 1 else ""
    return sentence + not_compared + said_of_left_out


def _nothing(table: Sequence[CostRow]) -> str:
    requests, failures = sum(row.step.requests for row in table), sum(row.step.failures for row in table)
    if not requests:
        return "No recommendation: no request ended in any of these steps; nothing was measured."
    return f"No recommendation: all {count(requests)} requests failed." if requests == failures else ""


def _none_passes(table: Sequence[CostRow], limits: Limits) -> str:
    failed: dict[str, int] = {}
    for row in table:
        for name, kept in limits.kept(row).items():
            failed[name] = failed.get(name, 0) + (not kept)
    most = sorted((entry for entry in failed.items() if entry[1]), key=lambda entry: -entry[1])
    reasons = ", ".join(f"{name} failed in {count(n)} of {len(table)}" for name, n in most)
    return f"No recommendation: no step passes; {reasons}."


def _ranked(rows: list[CostRow]) -> tuple[CostRow, list[CostRow]]:
    """The pick and all in their order: by cost, equal ones by throughput; of what cannot be told apart from the first, the best known."""
    cheapest = min(_cost(row) for row in rows)
    equal = [row for row in rows if _cost(row) <= cheapest * (1 + SAME)]
    dearer = sorted((row for row in rows if row not in equal), key=lambda row: (_cost(row), -_rate(row)))
    ordered = sorted(equal, key=lambda row: -_rate(row)) + dearer
    tied = [row for row in ordered if _tie(ordered[0], row) and row.priced == ordered[0].priced]
    best = max(tied, key=lambda row: row.step.successes if row.priced.hourly else 0)
    return best, [best] + [row for row in ordered if row is not best]


def _tie(one: CostRow, other: CostRow) -> bool:
    (low, high), (other_low, other_high) = one.interval(), other.interval()
    return low <= other_high and other_low <= high


def _lead(table: Sequence[CostRow], ranked: list[CostRow], limits: Limits, left_out: int) -> str:
    alone = len(ranked) == 1
    passes = f" that {'keeps' if alone else 'keep'} every limit" if limits.any else ""
    if len(table) == 1 and left_out:
        return f"No comparison: one step{passes} was measured, {_levels(left_out)} held too briefly to be"
    if alone and len(table) > 1 and not limits.any:
        return "No comparison: only one step has enough answers"
    if alone:
        return f"Only step{passes}"
    return (
        f"{'Chosen' if _cost(ranked[0]) > _cost(ranked[1]) * (1 + SAME) else 'Cheapest'} of {len(ranked)} steps{passes}"
    )


def _runner_up(best: CostRow, second: CostRow, table: Sequence[CostRow]) -> str:
    name = f"the runner-up, {_named(second, table)},"
    margin = _cost(second) / _cost(best) - 1
    if abs(margin) <= SAME:
        fewer = 1 - _rate(second) / _rate(best) if _rate(best) else 0.0
        return f"{name} costs the same" + (f" with {percent(fewer)} fewer transactions" if fewer > SAME else ": a tie")
    words = f"{name} costs {percent(abs(margin))} {'more' if margin > 0 else 'less'}"
    if _tie(best, second):
        known = " and ".join(f"{percent(round(row.step.rate_error, 2))}" for row in (best, second))
        return f"{words}, a tie: their rates are known to {known} only"
    return words


def _cost(row: CostRow) -> float:
    return math.inf if row.cost_per_transaction is None else row.cost_per_transaction


def _rate(row: CostRow) -> float:
    return row.step.successes_per_s or 0.0


def _per_minute(row: CostRow) -> str:
    rate = row.step.successes_per_s
    return "transactions/minute not known" if rate is None else f"{number(rate * 60)} transactions/minute"


def _levels(n: int) -> str:
    return "1 level was" if n == 1 else f"{n} levels were"


def _named(row: CostRow, table: Sequence[CostRow]) -> str:
    step = row.step
    same = [other for other in table if (other.step.run, other.step.users) == (step.run, step.users)]
    names = {(other.step.type, other.step.name) for other in same}
    name = users_text(step.users)
    if len(same) > 1:
        name += f" ({step.name})" if len(names) == len(same) else f" (step {step.step})" if step.step else ""
    runs = {other.step.run for other in table}
    return name if len(runs) == 1 else f"{name} in {step.run}"
