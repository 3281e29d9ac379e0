"""Which columns the tables of stages have, in groups and in the order of reading."""

import typing

from analysis.words.columns import Column, columns, headed
from analysis.words.spread import STATISTICS, Spread
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.statistics.binomial import LEVELS, written


class Group(typing.NamedTuple):
    """Columns under one heading: short heading -> column; a `+` in front: also on paper."""

    name: str
    columns: dict[str, Column]


def _group(name: str, pick: typing.Callable[[StageFigures], dict[str, object]]) -> Group:
    return Group(name, {head: cell for head, cell in headed(pick).items() if isinstance(cell, Column)})


def _times(
    name: str, pick: typing.Callable[[StageFigures], Spread], on_paper: str = "mean p50 p95 p99", without: str = ""
) -> Group:
    """Mean and percentiles of a time, and of how many values. without: what stands elsewhere in the table."""
    paper = on_paper.split()

    def columns_of(f: StageFigures) -> dict[str, object]:
        times = pick(f)
        found: dict[str, object] = {
            f"{'+' if s in paper else ''}{written(s)}": times.at(s) for s in STATISTICS if s != without
        }
        return found | {"n": times.n}

    return _group(name, columns_of)


GROUPS = (
    _group("What decides", lambda f: {
        "+verdict": f.trust.verdict, "+SLO": f.limits.slo, "+$ per 10k transactions": f.cost.usd_per_10k_transactions,
        "+$ per 1M output tokens": f.cost.usd_per_1m_output_tokens, "+call latency p95, s": f.calls.call_latency.p95,
        "+latency p95 from when it was due, s": f.open_loop.intended_latency.p95,
        "+call error rate": f.calls.call_error_rate, "+latency p95, s": f.latency.p95, "+error rate": f.outcome.error_rate,
        "+TTFT p95, s": f.ttft.p95, "+transactions /min": f.throughput.transactions_per_minute, "+calls": f.calls.calls,
        "+requests": f.outcome.requests,
    }),
    _group("Latency, s", lambda f: {
        "+mean": f.latency.mean, "+p50": f.latency.p50, "p90": f.latency.p90, "+p99": f.latency.p99, "p99.9": f.latency.p99_9,
        "n": f.latency.n, "+p50 with failures as ∞": f.latency_with_failures.p50_all,
        "p90 with failures as ∞": f.latency_with_failures.p90_all, "+p95 with failures as ∞": f.latency_with_failures.p95_all,
        "+p99 with failures as ∞": f.latency_with_failures.p99_all,
        "p99.9 with failures as ∞": f.latency_with_failures.p99_9_all,
    }),
    _group("Rate", lambda f: {
        "+output tokens/s": f.tokens.completion_tokens_per_s,
        "prompt tokens/s": f.tokens.prompt_tokens_per_s, "transactions /s": f.throughput.throughput_per_s,
        "its interval": f.throughput.batches, "+goodput /s": f.throughput.goodput_per_s, "inside the limits": f.outcome.good_share,
        "in flight": f.throughput.in_flight_mean,
    }),
    _group("Cost", lambda f: {
        "+per transaction": f.cost.usd_per_transaction, "+prompt tokens from a cache": f.tokens.cache_read_share,
        "+written to a cache": f.tokens.cache_write_share, "per good transaction": f.cost.usd_per_good_transaction,
        "per 1M tokens": f.cost.usd_per_1m_tokens, "minutes per 1M output tokens": f.cost.minutes_per_1m_output_tokens,
        "per transaction at 10 % use": f.cost.usd_per_transaction_at_10pct, "at 30 %": f.cost.usd_per_transaction_at_30pct,
        "at 60 %": f.cost.usd_per_transaction_at_60pct, "priced by": f.cost.price_basis,
    }),
    _times("TTFT, s", lambda f: f.ttft, "p50", without="p95"),
    _times("TPOT, ms", lambda f: f.tpot, "p50"),
    _group("ITL, ms", lambda f: {
        "mean": f.itl.mean, "+p50": f.itl.p50, "p90": f.itl.p90, "p95": f.itl.p95, "+p99": f.itl.p99, "p99.9": f.itl.p99_9,
        "most": f.itl.max, "gaps": f.itl.gaps,
    }),
    _group("Tokens", lambda f: {
        "+prompt, mean": f.tokens.prompt_tokens_mean,
        "+output, mean": f.tokens.completion_tokens_mean, "reasoning, mean": f.tokens.reasoning_tokens_mean,
        "request, bytes": f.sent.request_bytes_mean, "media in it, bytes": f.sent.media_bytes_mean,
        "ms per output token, p50": f.latency_per_output_token_p50_ms, "counted by the service": f.token_sources.service_token_share,
        "by a tokenizer": f.token_sources.tokenizer_token_share,
        "prompt counted by the service": f.token_sources.prompt_service_token_share,
        "prompt by a tokenizer": f.token_sources.prompt_tokenizer_token_share,
        "prompt by the payload file": f.token_sources.prompt_payload_token_share,
    }),
    _group("Lengths asked for", lambda f: {
        "prompt, mean": f.lengths.asked_prompt_tokens_mean, "+prompt tokens of those asked": f.lengths.prompt_length_ratio,
        "+prompts within 2 %": f.lengths.prompt_length_share, "output, mean": f.lengths.asked_completion_tokens_mean,
        "+output tokens of those asked": f.lengths.completion_length_ratio,
        "+answers within 2 %": f.lengths.completion_length_share,
    }),
    _group("Requests", lambda f: {
        "good": f.outcome.successes, "failed": f.outcome.failures, "by class": f.outcome.errors, "cancelled": f.outcome.cancelled,
        "left by clients": f.outcome.left_by_client,
        "ended by a bad stop reason": f.outcome.bad_stop_share, "by reason": f.outcome.bad_stops,
        "window, s": f.outcome.window_s, "limits missed": f.limits.slo_failed, "limits open": f.limits.slo_open,
        "ended by": f.ended_by, "why not VALID": f.trust.reasons, "kinds of reason": f.trust.cautions, "its price so": f.trust.price_bias,
    }),
    _group("Target", lambda f: {
        "model": f.identity.model, "service": f.identity.service, "price key": f.identity.instance_type,
        "instances": f.identity.instance_count, "streamed": f.identity.stream,
        "part of the mix from stage": f.identity.mix, "its share": f.identity.mix_share, "ramp, requests/s": f.identity.ramp,
        "effort asked": f.identity.effort,
    }),
    _group("Instrument", lambda f: {
        "service's own latency p50, s": f.instrument.service_latency_p50_s,
        "loop lag while a request was under way, most, ms": f.instrument.lag_ms_max,
        "worker's CPU, most, of a core": f.instrument.worker_cpu_max,
        "worker's loop lag in the window, most, ms": f.instrument.worker_lag_ms_max, "reconnects": f.instrument.reconnects,
        "distinct prompts": f.instrument.prompts_distinct, "repeated prompts": f.instrument.prompt_repeat_share,
    }),
)  # fmt: skip
#: the same for the table of calls, where requests are retried
CALL_GROUPS = (
    _group("Calls", lambda f: {
        "+calls": f.calls.calls, "+failed": f.calls.calls_failed, "+error rate of calls": f.calls.call_error_rate,
    }),
    _times("User-perceived, latency s", lambda f: f.calls.call_latency),
    _times("User-perceived, TTFT s", lambda f: f.calls.call_ttft, "p50 p95"),
    _group("Attempts", lambda f: {
        "+per call": f.calls.attempts_per_call_mean, "+error rate of attempts": f.outcome.error_rate,
    }),
    _times("First attempt, latency s", lambda f: f.calls.first_attempt_latency),
)  # fmt: skip
#: the same for the table of the open loop
OPEN_GROUPS = (
    _group("Requests/s", lambda f: {"+planned": f.rate, "+achieved": f.open_loop.rate_achieved_per_s}),
    _group("Schedule delay, ms", lambda f: {
        "+p50": f.open_loop.schedule_delay_p50_ms, "+p99": f.open_loop.schedule_delay_p99_ms,
        "+most": f.open_loop.schedule_delay_max_ms,
    }),
    _times("Latency from when it was due, s", lambda f: f.open_loop.intended_latency),
    _times("TTFT from when it was due, s", lambda f: f.open_loop.intended_ttft, "p50 p95"),
    _group("Latency from the send, s", lambda f: {
        "+mean": f.latency.mean, "+p50": f.latency.p50, "p90": f.latency.p90, "+p95": f.latency.p95, "+p99": f.latency.p99,
        "p99.9": f.latency.p99_9,
    }),
)  # fmt: skip
#: the same for the table of conversations
SESSION_GROUPS = (
    _group("Conversations", lambda f: {
        "+began": f.sessions.sessions, "+finished": f.sessions.sessions_finished, "+failed": f.sessions.sessions_failed,
        "ended early": f.sessions.sessions_ended_early, "+cut by the stage's end": f.sessions.sessions_cut,
    }),
    _group("Each takes", lambda f: {"+$": f.sessions.usd_per_session, "+tokens": f.sessions.session_tokens_mean}),
    _group("Send to last byte, s", lambda f: {
        "+mean": f.sessions.session_time.mean, "+p50": f.sessions.session_time.p50, "p90": f.sessions.session_time.p90,
        "+p95": f.sessions.session_time.p95,
    }),
    _group("Of it waiting", lambda f: {
        "+mean, s": f.sessions.session_waiting_mean_s, "share": f.sessions.session_waiting_share,
    }),
    _group("Turns, mean", lambda f: {
        "+planned": f.sessions.session_turns_mean, "number of a request": f.sessions.turn_mean,
        "the same of whole conversations": f.sessions.turn_mean_whole,
    }),
    _group("Their ends", lambda f: {
        "could be followed": f.sessions.sessions_followed_share, "not known": f.sessions.sessions_untold,
    }),
)  # fmt: skip
#: what headings say where there are stages of the open loop
FROM_THE_SEND = {"latency p95, s": "latency p95 from the send, s", "TTFT p95, s": "TTFT p95 from the send, s"}
#: what headings say where requests are retried: of which of the two a figure is
OF_ATTEMPTS = {
    "latency p95, s": "latency p95 of attempts, s", "TTFT p95, s": "TTFT p95 of attempts, s", "error rate": "error rate of attempts",
    "requests": "attempts", "Latency, s": "Latency of attempts, s", "TTFT, s": "TTFT of attempts, s", "good": "good attempts",
    "failed": "failed attempts",
}  # fmt: skip
#: groups without whose name a short heading says too little
AMBIGUOUS = (
    "Latency, s", "TTFT, s", "TPOT, ms", "ITL, ms", "Cost", "Tokens", *(g.name for g in CALL_GROUPS[1:]), *(g.name for g in OPEN_GROUPS),
    *(g.name for g in SESSION_GROUPS[1:]),
)  # fmt: skip

#: of no interest where no cache was used
CACHED = columns(lambda f: (f.tokens.cache_read_share, f.tokens.cache_write_share))


def quiet(of: Column, some: typing.Iterable[StageFigures]) -> bool:
    """Whether the column says nothing of these stages, and is not missed."""
    values = [of.of(figures) for figures in some]
    return (of in CACHED and not any(values)) or (of.path[0] == "lengths" and all(value is None for value in values))


#: of no interest where nothing failed
WITH_FAILURES = columns(lambda f: [getattr(f.latency_with_failures, f"{name}_all") for name in LEVELS])

#: of the recommended stage, in the first study's form
SUMMARY = columns(
    lambda f: (
        f.identity.target, f.identity.model, f.identity.payload, f.identity.instance_type, f.identity.instance_count, f.users, f.rate,
        f.open_loop.rate_achieved_per_s, f.throughput.in_flight_mean, f.outcome.requests, f.outcome.error_rate,
        f.tokens.prompt_tokens_mean, f.tokens.prompt_tokens_per_s, f.tokens.completion_tokens_mean, f.tokens.completion_tokens_per_s,
        *(times.at(s) for times in (f.latency, f.ttft, f.tpot, f.itl) for s in STATISTICS), f.itl.max,
        f.calls.calls, f.calls.call_error_rate, f.calls.attempts_per_call_mean,
        *(f.calls.call_latency.at(s) for s in STATISTICS), *(f.calls.call_ttft.at(s) for s in STATISTICS[1:]),
        *(f.open_loop.intended_latency.at(s) for s in STATISTICS[1:]), f.throughput.transactions_per_minute, f.throughput.goodput_per_s,
        f.cost.usd_per_transaction, f.tokens.cache_read_share, f.tokens.cache_write_share, f.cost.usd_per_good_transaction,
        f.cost.usd_per_10k_transactions,
        f.cost.usd_per_1m_output_tokens, f.cost.usd_per_transaction_at_10pct, f.cost.usd_per_transaction_at_30pct,
        f.cost.usd_per_transaction_at_60pct, f.trust.verdict, f.limits.slo,
    )
)  # fmt: skip
