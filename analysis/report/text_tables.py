"""Stages as people read them: a few columns of text, formatted, with intervals."""

import typing

import pandas as pd

from analysis.cost.run_cost import RunCost
from analysis.report.stage_groups import quiet
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Cell, Column, headed
from analysis.words.level import level_text, short_level
from analysis.words.spread import STATISTICS
from analysis.words.stage_figures import StageFigures
from analysis.words.user_perceived import perceived
from analysis.words.value_text import bounds, figure, instances_of, with_interval
from locustfiles.contract.statistics.binomial import written


def _errors(figures: StageFigures) -> str:
    outcome = figures.outcome
    rate = show.percent(outcome.error_rate)
    rate = f"{rate} ({outcome.errors})" if outcome.errors else rate
    if outcome.bad_stops:
        rate += (
            f"; of the successes {show.percent(outcome.bad_stop_share)} with a bad stop reason ({outcome.bad_stops})"
        )
    return f"{rate}, ended early by it" if figures.ended_by == "abort" else rate


def _cached(f: StageFigures) -> dict[str, object]:
    """Beside a cost: what a cache did."""
    return {"Prompt tokens from a cache": f.tokens.cache_read_share, "Written to a cache": f.tokens.cache_write_share}


def _lengths(f: StageFigures) -> dict[str, object]:
    return {
        "Prompt tokens of those asked": f.lengths.prompt_length_ratio, "Prompts within 2 %": f.lengths.prompt_length_share,
        "Output tokens of those asked": f.lengths.completion_length_ratio, "Answers within 2 %": f.lengths.completion_length_share,
    }  # fmt: skip


PERCENTILES = STATISTICS[1:]
#: every figure that the summary of a price-performance study has
FULL = headed(
    lambda f: {
        "Target": f.identity.target, "Instance": instances_of, "Level": level_text, "Requests": f.outcome.requests, "Error rate": _errors,
        "Prompt tokens": f.tokens.prompt_tokens_mean, "Prompt tokens/s": f.tokens.prompt_tokens_per_s,
        "Output tokens": f.tokens.completion_tokens_mean, "Output tokens/s": f.tokens.completion_tokens_per_s,
        "Latency mean": f.latency.mean, **{written(p): f.latency.at(p) for p in PERCENTILES},
        **{f"{written(p)} with failures": getattr(f.latency_with_failures, f"{p}_all") for p in PERCENTILES},
        **{f"TTFT {written(p)}": f.ttft.at(p) for p in PERCENTILES}, **{f"TPOT {written(p)}": f.tpot.at(p) for p in PERCENTILES},
        **{f"ITL {written(p)}": f.itl.at(p) for p in PERCENTILES}, "ITL max": f.itl.max,
        "In flight": f.throughput.in_flight_mean, "Transactions/min": f.throughput.transactions_per_minute,
        "Transactions/s": f.throughput.throughput_per_s, "Goodput/s": f.throughput.goodput_per_s,
        **_lengths(f), "Price per transaction": f.cost.usd_per_transaction, **_cached(f),
        "Limits": f.limits.slo, "Verdict": f.trust.verdict,
    }
)  # fmt: skip
WITH_FAILURES = [f"{written(p)} with failures" for p in PERCENTILES]  # a failure counts as infinity
#: where requests are retried
OF_ATTEMPTS = {
    "Requests": "Attempts",
    "Error rate": "Error rate of attempts",
    "Latency mean": "Latency of attempts, mean",
}
GAPS = [head for head in FULL if head.startswith("ITL ")]
COST = headed(
    lambda f: {
        "Target": f.identity.target, "Level": level_text, "Priced by": f.cost.price_basis,
        "Per transaction": f.cost.usd_per_transaction, **_cached(f), "Bounds": bounds,
        "Per good transaction": f.cost.usd_per_good_transaction,
        "Per 10,000": f.cost.usd_per_10k_transactions, "Per 1M output tokens": f.cost.usd_per_1m_output_tokens,
        "Per 1M tokens": f.cost.usd_per_1m_tokens, "Minutes per 1M output tokens": f.cost.minutes_per_1m_output_tokens,
        "At 10 % use": f.cost.usd_per_transaction_at_10pct, "At 30 % use": f.cost.usd_per_transaction_at_30pct,
        "At 60 % use": f.cost.usd_per_transaction_at_60pct,
    }
)  # fmt: skip


def _where(f: StageFigures) -> dict[str, object]:
    return {"Run": f.run, "Target": f.identity.target, "Dataset": f.identity.payload}


#: first attempts beside what a user perceives
CALLS = headed(
    lambda f: {
        **_where(f), "Level": level_text, "Calls": f.calls.calls, "Failed": f.calls.calls_failed,
        "Call error rate": f.calls.call_error_rate, "Attempts per call": f.calls.attempts_per_call_mean,
        **{f"First attempt: latency {written(p)}": f.calls.first_attempt_latency.at(p) for p in STATISTICS},
        **{f"User-perceived: latency {written(p)}": f.calls.call_latency.at(p) for p in STATISTICS},
        **{f"User-perceived: TTFT {written(p)}": f.calls.call_ttft.at(p) for p in PERCENTILES},
    }
)  # fmt: skip
#: planned and achieved rate, how late requests were sent, latency from both sends
OPENED = headed(
    lambda f: {
        **_where(f), "Planned": level_text, "Achieved, 1/s": f.open_loop.rate_achieved_per_s,
        "Schedule delay p50": f.open_loop.schedule_delay_p50_ms, "Schedule delay p99": f.open_loop.schedule_delay_p99_ms,
        "Schedule delay max": f.open_loop.schedule_delay_max_ms,
        **{f"From the send: latency {written(p)}": f.latency.at(p) for p in PERCENTILES},
        **{f"From when it was due: latency {written(p)}": f.open_loop.intended_latency.at(p) for p in PERCENTILES},
    }
)  # fmt: skip


def text_table(
    stages: typing.Sequence[Result],
    columns: dict[str, Cell],
    *,
    intervals: bool = True,
    without: typing.Iterable[str] = (),
) -> pd.DataFrame:
    """Text cells, a row a stage. columns: heading -> what stands under it. intervals: beside each figure, where one is known."""

    def cell(stage: Result, of: Cell) -> str:
        if not isinstance(of, Column):
            return of(stage.figures)
        return with_interval(stage, of) if intervals else figure(stage.figures, of)

    figures_of = [stage.figures for stage in stages]
    says = {head: of for head, of in columns.items() if not (isinstance(of, Column) and quiet(of, figures_of))}
    wanted = {head: of for head, of in says.items() if head not in set(without)}
    return pd.DataFrame({head: [cell(stage, of) for stage in stages] for head, of in wanted.items()}, dtype=object)


def full_table(stages: list[Result]) -> pd.DataFrame:
    """Every figure of stages of one dataset; percentiles with failures and of gaps only where there are some."""
    failures, gaps = (any(of(r.figures) for r in stages) for of in (lambda f: f.outcome.failures, lambda f: f.itl.gaps))
    table = text_table(stages, FULL, without=[*([] if failures else WITH_FAILURES), *([] if gaps else GAPS)])
    return table.rename(columns=OF_ATTEMPTS) if any(r.figures.retried for r in stages) else table


def cost_table(stages: list[Result]) -> pd.DataFrame:
    """Every cost figure of stages of one dataset; bounds only where they differ."""
    differ = any(bounds(r.figures) for r in stages)
    return text_table(stages, COST, without=() if differ else ("Bounds",))


def call_table(stages: list[Result], several_runs: bool) -> pd.DataFrame:
    """Of the stages whose requests are retried."""
    return text_table([r for r in stages if r.figures.retried], CALLS, without=() if several_runs else ("Run",))


def open_table(stages: list[Result], several_runs: bool) -> pd.DataFrame:
    """Of the open-loop stages."""
    opened = [r for r in stages if r.figures.rate is not None]
    return text_table(opened, OPENED, without=() if several_runs else ("Run",))


def short_table(stages: list[Result]) -> pd.DataFrame:
    """Text cells for a terminal; a run or payload that all stages share has no column. With retries of attempts and calls."""
    units = {"users" if r.figures.rate is None else "requests/s" for r in stages}
    level = units.pop() if len(units) == 1 else "level"
    retried, opened = any(r.figures.retried for r in stages), any(r.figures.rate is not None for r in stages)
    requests, errors = ("attempts", "attempt errors") if retried else ("requests", "errors")
    p95 = "call p95" if retried else "p95 from due" if opened else "p95"
    columns = headed(
        lambda f: {
            "run": f.run, "target": f.identity.target, "payload": f.identity.payload, level: short_level,
            requests: f.outcome.requests, errors: f.outcome.error_rate, "call errors": _call_errors, "TTFT p50": f.ttft.p50,
            "TPOT p50": f.tpot.p50, "latency p50": f.latency.p50, p95: _p95,
            "tx/min": f.throughput.transactions_per_minute, "out tok/s": f.tokens.completion_tokens_per_s,
            "$/10k tx": f.cost.usd_per_10k_transactions, "from cache": f.tokens.cache_read_share,
            "limits": f.limits.slo, "verdict": f.trust.verdict,
        }
    )  # fmt: skip
    shared = [] if len({r.figures.run for r in stages}) > 1 else ["run"]
    shared += [] if len({r.payload for r in stages}) > 1 else ["payload"]
    return text_table(stages, columns, intervals=False, without=shared + ([] if retried else ["call errors"]))


def _call_errors(figures: StageFigures) -> str:
    """Of the calls; where nothing is retried each is one request."""
    return show.percent(figures.calls.call_error_rate if figures.retried else figures.outcome.error_rate)


def _p95(figures: StageFigures) -> str:
    """As a user perceives it: of calls, in the open loop from when a request was due."""
    return show.seconds(perceived(figures).latency.p95)


def run_cost_table(costs: list[RunCost]) -> pd.DataFrame:
    """What the run cost, with both factors."""
    return pd.DataFrame(
        {
            "Run": cost.run,
            "Target": cost.target,
            "Instance": show.text(cost.instance_type),
            "Duration": show.seconds(cost.duration_s),
            "Factors": _factors(cost),
            "Cost": show.span(cost.usd_low, cost.usd_high),
        }
        for cost in costs
    )


KINDS = {
    "input": "prompt tokens", "cache_read": "read from a cache", "cache_write": "written to one",
    "cache_write_1h": "written for an hour", "output": "output tokens",
}  # fmt: skip
PLURAL = {"query": "queries", "image": "images", "second": "seconds", "page": "pages"}


def _factors(cost: RunCost) -> str:
    if cost.duration_s is None:
        return "nothing was sent"
    if cost.price_basis == "hourly":
        instances = show.count(cost.instance_count) + (f" × {show.percent(cost.share)} of it" if cost.share else "")
        return f"{show.number(cost.duration_s, 5)} s × {show.price(cost.usd_per_hour)}/h × {instances}"
    in_steps = len({part.above for part in cost.parts}) > 1
    terms = _by_steps(cost) if in_steps else _by_kinds(cost)
    if cost.unit:
        units = show.exact(cost.billed_units) if cost.unit == "second" else show.count(cost.billed_units)
        terms.append(f"{units} {PLURAL[cost.unit]} × {show.price(cost.usd_per_unit)}")
    if cost.guardrail_usd is not None:
        terms.append(f"{show.money(cost.guardrail_usd)} of its guardrail")
    return " + ".join(terms)


def _by_kinds(cost: RunCost) -> list[str]:
    if cost.unit and not (cost.usd_per_1k_input or cost.usd_per_1k_output):
        return []
    hour = cost.cache_write_1h_tokens or 0
    billed = [(cost.prompt_tokens, "input", cost.usd_per_1k_input)]
    beside = [(cost.cache_read_tokens, "cache_read", cost.usd_per_1k_cache_read)]
    beside.append(((cost.cache_write_tokens or 0) - hour, "cache_write", cost.usd_per_1k_cache_write))
    beside.append((hour, "cache_write_1h", cost.usd_per_1k_cache_write_1h))
    billed += [(tokens, kind, price) for tokens, kind, price in beside if tokens]
    billed.append((cost.completion_tokens, "output", cost.usd_per_1k_output))
    return [_term(count, kind, price) for count, kind, price in billed]


def _by_steps(cost: RunCost) -> list[str]:
    of_tokens = [part for part in cost.parts if part.kind in KINDS]
    return [
        _term(part.amount, part.kind, part.usd_per)
        + (f" of prompts above {show.count(part.above)}" if part.above else "")
        for part in sorted(of_tokens, key=lambda part: (part.above or 0, list(KINDS).index(part.kind)))
    ]


def _term(count: float | None, kind: str, price: float | None) -> str:
    return f"{show.count(count)} {KINDS[kind]} × {show.price(price)}/1k"
