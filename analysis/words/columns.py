"""METRICS: every column of the steps table, with its unit and its definition in words.

The steps table, steps.csv and the report's glossary come from this one table.
"""

import typing

from analysis.words import format as show


class Metric(typing.NamedTuple):
    """A column: `better` is lower, higher or empty; `kind` is how its values are held."""

    name: str
    unit: str
    definition: str
    better: str = ""
    kind: typing.Literal["number", "count", "flag", "text"] = "number"

    @property
    def words(self) -> typing.Callable[[typing.Any], str]:
        """What writes a value of it with its unit: 2.51 s, $0.004332, 6.25 %."""
        if self.kind != "number":
            return {"count": show.count, "flag": lambda value: "yes" if value else "no", "text": show.text}[self.kind]
        if self.name.endswith(("_share", "error_rate", "cpu_max")):
            return show.percent
        return {"s": show.seconds, "ms": show.milliseconds, "USD": show.money}.get(self.unit, show.number)


def _text(name: str, definition: str) -> Metric:
    return Metric(name, "", definition, kind="text")


def _count(name: str, definition: str, better: str = "") -> Metric:
    return Metric(name, "", definition, better, "count")


def _spread(name: str, unit: str, what: str) -> list[Metric]:
    """mean, percentiles, n and the intervals of a per-request value: `latency`, s."""
    columns = [Metric(f"{name}_mean_{unit}", unit, f"mean of {what}", "lower")]
    for p in ("p50", "p95", "p99"):
        words = f"{p} of {what}, exact from the records, linear between two values"
        columns.append(Metric(f"{name}_{p}_{unit}", unit, words, "lower"))
    columns.append(_count(f"{name}_n", f"how many successes {name} is known of", "higher"))
    for p in ("p50", "p95", "p99"):
        columns += [
            Metric(f"{name}_{p}_low_{unit}", unit, f"lower end of the 95 % order-statistic interval of {name} {p}"),
            Metric(
                f"{name}_{p}_high_{unit}",
                unit,
                "its upper end; empty (wide) when even the largest of n values is none",
            ),
        ]
    return columns


#: empty unless the scenario has `retry:`; a call is a request and, after failures, its further attempts
CALL_METRICS: tuple[Metric, ...] = (
    _count("calls", "with `retry:`: calls whose first attempt began in the window; all their attempts are awaited"),
    _count("calls_failed", "those of which no attempt succeeded, without those that our own stop ended", "lower"),
    Metric("call_error_rate", "", "calls_failed / (calls - those that our own stop ended in an attempt)", "lower"),
    Metric("attempts_per_call_mean", "", "mean number of attempts made for a call", "lower"),
    *_spread("first_attempt_latency", "s", "the time from send to the last byte of first attempts that succeeded"),
    *_spread(
        "call_latency",
        "s",
        "the time that a user waits: from the first attempt's send to the last byte of the attempt that succeeded, pauses "
        "included, calls that succeeded",
    ),
    *_spread(
        "call_ttft",
        "s",
        "the time from the first attempt's send to the first output of the attempt that succeeded, streamed calls that succeeded",
    ),
)

#: empty in the closed loop
OPEN_METRICS: tuple[Metric, ...] = (
    Metric(
        "rate_achieved_per_s",
        "1/s",
        "open loop: requests sent in the window / its length; with `retry:` first attempts only",
    ),
    Metric("schedule_delay_p50_ms", "ms", "open loop: median of how much later than due a request was sent", "lower"),
    Metric("schedule_delay_p99_ms", "ms", "its p99", "lower"),
    Metric("schedule_delay_max_ms", "ms", "its largest", "lower"),
    *_spread(
        "intended_latency",
        "s",
        "the time that a user waits: from when the request was due to the last byte, schedule delay + latency, successes "
        "(with `retry:` calls that succeeded)",
    ),
    *_spread(
        "intended_ttft",
        "s",
        "the time from when the request was due to the first output, schedule delay + TTFT, streamed successes (with "
        "`retry:` calls that succeeded)",
    ),
)

METRICS: tuple[Metric, ...] = (
    _count("stage", "number of the visit of (target, payload, users or rate)"),
    _count("repeat", "repetition of the sweep"),
    _text("target", "the scenario's target"),
    _text("model", "what groups targets that serve the same model"),
    _text("service", "sagemaker, bedrock or openai"),
    _text("instance_type", "the price key: the instance type, or the model id on Bedrock"),
    _count("instance_count", "instances of the target"),
    _text("payload", "the payload file's stem"),
    _count(
        "users", "closed loop: planned concurrent users, each of which sends when its last answer has come; else empty"
    ),
    Metric(
        "rate", "1/s", "open loop: planned requests a second, sent when they are due; of a replay its mean; else empty"
    ),
    Metric("stream", "", "whether answers are streamed", kind="flag"),
    Metric("window_s", "s", "length of the measured window [a, b)"),
    _count(
        "requests", "requests that began in the window (of a search's not in its holds between looks); all are awaited"
    ),
    _count("successes", "those that ended whole, with output", "higher"),
    _count("failures", "those that failed, without the cancelled", "lower"),
    _count("cancelled", "those that our own stop ended; outside the error rate"),
    Metric("error_rate", "", "failures / (requests - cancelled)", "lower"),
    _text("errors", "failures by class"),
    Metric("prompt_tokens_mean", "tokens", "mean prompt tokens of successes, cached ones included, where known"),
    Metric("cache_read_share", "", "share of the prompt tokens of successes that were read from a prompt cache"),
    Metric("completion_tokens_mean", "tokens", "mean output tokens of successes, where known"),
    Metric(
        "reasoning_tokens_mean", "tokens", "mean reasoning tokens among the output tokens, where the service tells them"
    ),
    Metric(
        "prompt_tokens_per_s",
        "tokens/s",
        "prompt tokens of successes, each by the share of [send, first token] (without streaming [send, end]) that "
        "lies in the window, / window; empty when over 1 % of them are not counted",
        "higher",
    ),
    Metric(
        "completion_tokens_per_s",
        "tokens/s",
        "output tokens of successes, each by the share of [first, last token] (without streaming [send, end]) that "
        "lies in the window, / window; empty when over 1 % of them are not counted",
        "higher",
    ),
    *_spread("latency", "s", "the time from send to the last byte of the answer, successes"),
    *(
        Metric(
            f"latency_{p}_all_s",
            "s",
            f"{p} of successes and failures together, a failure counting as infinity, so that shed load does not look fast; "
            "`inf` where it falls among the failures",
            "lower",
        )
        for p in ("p50", "p95", "p99")
    ),
    *_spread("ttft", "s", "the time from send to the first delta that carries output, streamed successes"),
    *_spread(
        "tpot",
        "ms",
        "(last token - first token) / (output tokens - 1), streamed successes of two deltas or more that show all "
        "reasoning they bill",
    ),
    Metric("latency_per_output_token_p50_ms", "ms/token", "median of latency / output tokens, successes", "lower"),
    Metric(
        "throughput_per_s",
        "1/s",
        "successes, each by the share of [send, end] that lies in the window, / window; requests of the stage that "
        "began before the window count with their share",
        "higher",
    ),
    Metric(
        "throughput_low",
        "1/s",
        "lower end of the 95 % interval of throughput: means of twenty equal batches of the window, in the closed loop at least by "
        "the spread of the requests; of repetitions together the wider of within and between them",
    ),
    Metric("throughput_high", "1/s", "its upper end"),
    _text(
        "batches",
        "`too narrow` where p95 of latency is longer than a quarter of the window: it then holds too little of the requests' "
        "course, and the intervals of throughput and hourly costs may claim too much",
    ),
    Metric("transactions_per_minute", "1/min", "60 x throughput", "higher"),
    Metric(
        "goodput_per_s",
        "1/s",
        "successes inside the limits on latency and TTFT, credited to the window like throughput. A request is inside when "
        "each of the two, as a user perceives it, is at most the limit that the SLO sets on the highest percentile of it; "
        "empty without such a limit",
        "higher",
    ),
    Metric("in_flight_mean", "", "time-weighted mean of the stage's requests in flight over the window"),
    *OPEN_METRICS,
    *CALL_METRICS,
    Metric(
        "usd_per_transaction",
        "USD",
        "hourly: price x instances / successes per hour, at full use, in the open loop at the planned rate; tokens: dollars "
        "billed for the calls that began in the window / its successes. Where the bill of failures has bounds only, the upper one",
        "lower",
    ),
    Metric("usd_per_transaction_low", "USD", "with failures of unknown tokens billed nothing", "lower"),
    Metric("usd_per_transaction_high", "USD", "with them billed their prompt and max_tokens", "lower"),
    Metric(
        "usd_per_transaction_ci_low",
        "USD",
        "lower end of its 95 % interval: hourly by the interval of throughput, tokens by the spread of the calls' bills, from "
        "five successes on and, where all bills are alike, twenty",
    ),
    Metric("usd_per_transaction_ci_high", "USD", "its upper end"),
    Metric(
        "usd_per_good_transaction",
        "USD",
        "hourly: price x instances / goodput per hour; tokens: dollars billed for the calls that began in the window / its "
        "successes inside the limits",
        "lower",
    ),
    Metric("usd_per_10k_transactions", "USD", "10,000 x usd_per_transaction", "lower"),
    Metric(
        "usd_per_1m_output_tokens",
        "USD",
        "hourly: price / output tokens per hour; tokens: billed / output tokens; x 1,000,000",
        "lower",
    ),
    Metric("usd_per_1m_tokens", "USD", "the same over prompt and output tokens", "lower"),
    Metric("minutes_per_1m_output_tokens", "min", "1,000,000 / completion_tokens_per_s / 60", "lower"),
    Metric(
        "usd_per_transaction_at_10pct",
        "USD",
        "hourly priced: with 10 % of these transactions per hour, for an endpoint is paid for when idle",
        "lower",
    ),
    Metric("usd_per_transaction_at_30pct", "USD", "the same at 30 %", "lower"),
    Metric("usd_per_transaction_at_60pct", "USD", "the same at 60 %", "lower"),
    _text("price_basis", "hourly or tokens"),
    Metric("service_latency_p50_s", "s", "median of the latency that the service itself reports, successes", "lower"),
    Metric(
        "lag_ms_max",
        "ms",
        "worst event-loop lag while a request that began in the window was under way, after the window too",
        "lower",
    ),
    Metric("worker_cpu_max", "", "largest share of one core that a worker used in the window", "lower"),
    Metric(
        "worker_lag_ms_max", "ms", "worst event-loop lag of a worker in the window, requests under way or not", "lower"
    ),
    _count(
        "reconnects",
        "requests of the window that had to open a connection; empty where the transport does not tell",
        "lower",
    ),
    _count("prompts_distinct", "different prompts sent in the window"),
    Metric(
        "prompt_repeat_share",
        "",
        "requests whose prompt had been sent in the window before / requests; attempts of one call count once",
        "lower",
    ),
    Metric("service_token_share", "", "successes whose output tokens the service counted / successes", "higher"),
    Metric("tokenizer_token_share", "", "successes whose output tokens a tokenizer counted / successes"),
    Metric("prompt_service_token_share", "", "successes whose prompt tokens the service counted / successes", "higher"),
    Metric("prompt_tokenizer_token_share", "", "successes whose prompt tokens a tokenizer counted / successes"),
    Metric("prompt_payload_token_share", "", "successes whose prompt tokens the payload file states / successes"),
    _text("verdict", "VALID, SUSPECT or INVALID"),
    _text("reasons", "why it is not VALID"),
    _text(
        "slo",
        "all limits together, with `retry:` on calls, in the open loop on times from when a request was due: met, missed, undecided (none was missed, and more samples would tell), unknown (a limited "
        "value is not known, and more samples would not help) or none",
    ),
    _text("slo_failed", "limits that were missed"),
    _text("slo_open", "limits that are undecided or unknown, and why"),
    _text("ended_by", "what ended the stage: time, requests, precision, abort (its error rate), budget or stop"),
    _text("run", "the run's name"),
)

STEP_COLUMNS: tuple[str, ...] = tuple(m.name for m in METRICS)
