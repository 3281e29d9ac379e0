"""The repetitions of a level as one candidate: all their requests together, so that no lucky one is picked.

Stages of the same run, target, payload and level are repetitions of each other, by `repeat:` or by a search that measured a
level twice. INVALID ones are left out where others remain, and the candidate says so.

Percentiles, means and counts are those of all requests, rates those over all windows, a limit is met only if each repetition
met it, and missed if one missed it. The 95 % intervals are the wider of two: what the requests tell (of rates those of each
repetition, of percentiles and bills all together), and what the difference between the repetitions tells (Student's t on their
figures). Costs by the hour follow from the rates; of a bill both are added outside its bounds, which more requests do not narrow.
"""

import dataclasses
import math
import statistics

from analysis.cost.bill import Bill
from analysis.cost.transaction_cost import stage_cost
from analysis.metrics.stage_metrics import without_window
from analysis.runs.run_reader import Run
from analysis.runs.stage import Stage, stage_of
from analysis.verdicts.intervals import Interval, cost_intervals, interval_columns
from analysis.verdicts.slo_checks import Check, overall
from analysis.verdicts.stage_results import USD, Result
from analysis.words.columns import STEP_COLUMNS
from locustfiles.contract.scenario.price_book import Price
from locustfiles.contract.statistics.student_t import t_975

#: of the steps table: means over all windows, by their length
RATES = (
    "throughput_per_s", "transactions_per_minute", "goodput_per_s", "rate_achieved_per_s", "in_flight_mean",
    "completion_tokens_per_s", "prompt_tokens_per_s",
)  # fmt: skip
#: percentile -> the columns of its interval's ends
TIMES = {
    name.replace("_low_", "_"): (name, name.replace("_low_", "_high_"))
    for name in STEP_COLUMNS
    if name.endswith(("_low_s", "_low_ms"))
}
COSTS = (USD, "usd_per_1m_output_tokens")
WORST = ("worker_cpu_max", "worker_lag_ms_max")
SAME = (
    "run",
    "stage",
    "target",
    "model",
    "service",
    "instance_type",
    "instance_count",
    "payload",
    "users",
    "rate",
    "stream",
)


def groups_of(results: list[Result]) -> list[list[Result]]:
    """The stages by level, each level's repetitions in the order measured."""
    found: dict[tuple, list[Result]] = {}
    for r in results:
        found.setdefault((*r.place, r.row["payload"], r.row["users"], r.row["rate"]), []).append(r)
    return list(found.values())


def candidates_of(run: Run, prices: dict[str, Price], results: list[Result]) -> list[Result]:
    """One Result a level of a run: the stage itself where it was measured once."""
    positions, visits = None, {v.stage: v for v in run.manifest.stages}
    found = []
    for group in groups_of(results):
        if len(group) == 1:
            found += group
            continue
        positions = positions or run.records.groupby("stage").indices
        kept = [r for r in group if r.trusted] or group
        stage = stage_of(run, [visits[r.row["stage"]] for r in kept], prices[group[0].row["target"]], positions)
        found.append(_pooled(stage, kept, group))
    return found


def _pooled(stage: Stage, kept: list[Result], group: list[Result]) -> Result:
    rows, first = [r.row for r in kept], kept[0].row
    row = dict.fromkeys(STEP_COLUMNS) | without_window(stage)
    row |= {name: first[name] for name in SAME}
    row |= {name: _mean(rows, name) for name in RATES} | {name: max(_known(rows, name), default=None) for name in WORST}
    row["window_s"] = sum(_known(rows, "window_s")) or None
    if stage.window is not None:
        stage = dataclasses.replace(stage, window=(0.0, row["window_s"]))
    cost = stage_cost(stage, row)
    row |= cost.columns | {"ended_by": ", ".join(dict.fromkeys(r["ended_by"] for r in rows if r["ended_by"]))}
    checks = [_check(list(same)) for same in zip(*(r.checks for r in kept))]
    row |= _verdict(kept, group) | overall(checks)
    intervals = kept[0].intervals if len(kept) == 1 else _intervals(stage, row, kept, cost.billed)
    row |= interval_columns(intervals, next((r["batches"] for r in rows if r["batches"]), ""))
    row |= {name: end for column, ends in TIMES.items() for name, end in zip(ends, _ends(row, rows, column, ends))}
    return Result(row, checks, intervals, cost.reason, kept[0].who, tuple(r.row["stage"] for r in kept))


def _known(rows: list[dict], name: str) -> list:
    return [r[name] for r in rows if r[name] is not None]


def _mean(rows: list[dict], name: str) -> float | None:
    """Over all windows; None where one repetition's is not known."""
    if len(_known(rows, name)) < len(rows) or not all(r["window_s"] for r in rows):
        return None
    return sum(r[name] * r["window_s"] for r in rows) / sum(r["window_s"] for r in rows)


def _check(same: list[Check]) -> Check:
    """One limit at all repetitions: met only where each one says so, missed where one does. The value is the worst one's."""
    states = [c.state for c in same]
    values = [c.value for c in same]
    worst, beyond = None if None in values else max(values), any(c.beyond for c in same)
    if len(set(states)) == 1:
        return dataclasses.replace(same[0], value=worst, beyond=beyond)
    counts = ", ".join(
        f"{state} in {states.count(state)}" for state in ("met", "missed", "undecided", "unknown") if state in states
    )
    state = next(s for s in ("missed", "unknown", "undecided") if s in states)
    return Check(same[0].criterion, worst, state, f"of {len(same)} repetitions {counts}", beyond)


def _verdict(kept: list[Result], group: list[Result]) -> dict[str, str]:
    """The worst one's; reasons by repetition, one that is INVALID beside others is left out and said so."""
    all_invalid, numbers = not kept[0].trusted, {}
    for number, r in enumerate(group, 1):
        if r.row["reasons"]:
            left_out = "" if r.trusted or all_invalid else " (INVALID, left out)"
            numbers.setdefault((left_out, r.row["reasons"]), []).append(str(number))
    reasons = [f"repetition {', '.join(n)}{left_out}: {why}" for (left_out, why), n in numbers.items()]
    return {"verdict": "INVALID" if all_invalid else "SUSPECT" if reasons else "VALID", "reasons": "; ".join(reasons)}


def _intervals(stage: Stage, row: dict, kept: list[Result], billed: Bill | None) -> dict[str, Interval]:
    names = set.intersection(*(set(r.intervals) for r in kept)) - set(COSTS)
    found = {n: _interval(row[n], kept, n) for n in names if row[n] is not None}
    costs = cost_intervals(stage, billed, found)
    if billed is not None:
        costs = {
            n: _of_bills(ends, row, kept, n)
            for n, ends in costs.items()
            if len(_known([r.row for r in kept], n)) == len(kept)
        }
    return found | costs


def _of_bills(ends: Interval, row: dict, kept: list[Result], name: str) -> Interval:
    """ends: the bounds of all bills together, widened by the spread of the calls' bills. To each bound at least by what lies
    between the repetitions' own such bounds."""
    below, above = (_between([_bound(r.row, name, end) for r in kept]) for end in ("low", "high"))
    return max(0.0, min(ends[0], _bound(row, name, "low") - below)), max(ends[1], _bound(row, name, "high") + above)


def _bound(row: dict, name: str, end: str) -> float:
    """What a cost would be if the bill were at that bound."""
    return row[name] * row[f"{USD}_{end}"] / row[USD] if row[USD] else 0.0


def _between(figures: list[float]) -> float:
    """95 % half-width of their mean."""
    return t_975(len(figures) - 1) * statistics.stdev(figures) / math.sqrt(len(figures))


def _interval(value: float, kept: list[Result], name: str) -> Interval:
    """The wider of within (the repetitions' own intervals, averaged as independent) and between (their figures)."""
    n = len(kept)
    below = math.sqrt(sum((r.row[name] - r.intervals[name][0]) ** 2 for r in kept)) / n
    above = math.sqrt(sum((r.intervals[name][1] - r.row[name]) ** 2 for r in kept)) / n
    between = _between([r.row[name] for r in kept])
    return max(0.0, value - max(below, between)), value + max(above, between)


def _ends(row: dict, rows: list[dict], column: str, ends: tuple[str, str]) -> tuple[float | None, float | None]:
    """The interval of a percentile of all requests, widened to what lies between the repetitions. An end that does not exist stays so."""
    low, high = (row[name] for name in ends)
    own = _known(rows, column)
    if len(own) < 2:
        return low, high
    half = _between(own)
    return None if low is None else min(low, max(0.0, row[column] - half)), None if high is None else max(
        high, row[column] + half
    )
