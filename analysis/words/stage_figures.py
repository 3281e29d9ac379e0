"""StageFigures: everything that is known of one stage, in groups; None is not known, and never 0.

A field has the name, and the place, of its column in steps.csv; the columns of a Spread are named by `prefix_field_unit`.
"""

# ruff: noqa: RUF009  a field is made by a function that tells of it

import dataclasses
import typing

from analysis.words.cost_figures import Cost
from analysis.words.figure_fields import count, flag, group, number, text
from analysis.words.gap_figures import InterToken
from analysis.words.instrument_figures import Instrument
from analysis.words.length_figures import LengthFigures
from analysis.words.sent_figures import SentFigures
from analysis.words.session_figures import SessionFigures
from analysis.words.spread import Spread, WithFailures, spread
from analysis.words.token_figures import Tokens
from analysis.words.token_sources import TokenSources
from analysis.words.user_figures import CallFigures, OpenLoop

Verdict = typing.Literal["VALID", "SUSPECT", "INVALID"]
Slo = typing.Literal["met", "missed", "undecided", "unknown", "none"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which visit of what it was."""

    stage: int = count("number of the visit of (target, payload, users or rate)", required=True)
    repeat: int | None = count("repetition of the sweep")
    target: str = text("the scenario's target", required=True)
    model: str = text("what groups targets that serve the same model", required=True)
    service: str = text("sagemaker, bedrock or openai", required=True)
    instance_type: str | None = text("the price key: the instance type, or the model id on Bedrock")
    instance_count: int | None = count("instances of the target")
    payload: str = text("the payload file's stem", required=True)
    users: int | None = count(
        "closed loop: planned concurrent users, each of which sends when its last answer has come; else empty"
    )
    rate: float | None = number(
        "open loop: planned requests a second, of conversations those that are begun, sent when they are due; of a replay its mean; else "
        "empty",
        "1/s",
        heading="planned requests/s",
    )
    stream: bool = flag("whether answers are streamed", required=True)
    mix: int | None = count(
        "of a part of a mix: the stage number of the mix's first part; the parts are sent to at the same time, and users or rate "
        "are those of all together"
    )
    ramp: str | None = text(
        "of a ramp: requests/s at begin and end of its window, as `1 to 20`; `rate` is their mean, its figures are of no one rate"
    )
    mix_share: float | None = number("of a part of a mix: its share of the mix's requests, as planned")
    effort: str | None = text(
        "how much of it its requests asked the model for, in the API's word; empty where they asked for none"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How its requests ended."""

    window_s: float | None = number("length of the measured window [a, b)", "s")
    requests: int | None = count(
        "requests that began in the window (of a search's not in its holds between looks); all are awaited; empty where a stage "
        "was imported from a table that does not tell it"
    )
    successes: int | None = count("those that ended whole, with output", "higher")
    failures: int | None = count("those that failed, without the cancelled", "lower")
    cancelled: int | None = count(
        "those that our own stop ended, or that a client left on purpose; outside the error rate"
    )
    left_by_client: int | None = count(
        "of the cancelled those that a client left on purpose, as the scenario's `cancel` asks; neither successes nor failures; empty "
        "without it"
    )
    error_rate: float | None = number("failures / (requests - cancelled)", "", "lower")
    errors: str | None = text("failures by class")
    bad_stop_share: float | None = number("share of the successes that ended by a bad stop reason", "", "lower")
    bad_stops: str | None = text("those, by reason: filtered, refused, malformed, out of context")
    good_share: float | None = number(
        "requests (with `retry:` calls) that began in the window and were inside the limits, as in goodput / those that were not "
        "cancelled; empty without such a limit",
        "",
        "higher",
        heading="inside the limits",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What was done in a second, and how much at once."""

    throughput_per_s: float | None = number(
        "successes, each by the share of [send, end] that lies in the window, / window; requests of the stage that "
        "began before the window count with their share",
        "1/s",
        "higher",
        ends="throughput",
        heading="transactions/s",
    )
    throughput_low: float | None = number(
        "lower end of the 95 % interval of throughput: means of twenty equal batches of the window, in the closed loop at least by "
        "the spread of the requests; of repetitions together the wider of within and between them",
        "1/s",
    )
    throughput_high: float | None = number("its upper end", "1/s")
    batches: str | None = text(
        "`too narrow` where p95 of latency is longer than a quarter of the window: it then holds too little of the requests' "
        "course, and the intervals of throughput and hourly costs may claim too much"
    )
    transactions_per_minute: float | None = number("60 x throughput", "1/min", "higher", heading="transactions/min")
    goodput_per_s: float | None = number(
        "successes inside the limits on latency, TTFT and TPOT, credited to the window like throughput. A request is inside when "
        "each of them, as a user perceives it, is at most the limit that the SLO sets on the highest percentile of it; "
        "empty without such a limit",
        "1/s",
        "higher",
        heading="goodput/s",
    )
    in_flight_mean: float | None = number(
        "time-weighted mean of the stage's requests in flight over the window", heading="in flight"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whether the figures can be trusted."""

    verdict: Verdict | None = text("VALID, SUSPECT or INVALID")
    reasons: str | None = text("why it is not VALID, with what to do")
    cautions: str | None = text("kinds of these reasons, by their names in analysis/verdicts/caution_kinds.py")
    price_bias: str | None = text("whether they make the price too high, too low, or either; empty: not told")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Whether the scenario's limits are kept."""

    slo: Slo | None = text(
        "all limits together, with `retry:` on calls, in the open loop on times from when a request was due: met, missed, "
        "undecided (none was missed, and more samples would tell), unknown (a limited value is not known, and more samples would "
        "not help) or none",
        heading="SLO",
    )
    slo_failed: str | None = text("limits that were missed", heading="SLO missed on")
    slo_open: str | None = text("limits that are undecided or unknown, and why", heading="SLO open on")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """One stage, or the repetitions of one level together."""

    identity: Identity
    outcome: Outcome
    tokens: Tokens = Tokens()
    latency: Spread = spread("latency", "s", "the time from send to the last byte of the answer, successes")
    latency_with_failures: WithFailures = group(WithFailures(), "latency", "s")
    ttft: Spread = spread("ttft", "s", "the time from send to the first delta that carries output, streamed successes")
    tpot: Spread = spread(
        "tpot",
        "ms",
        "(last token - first token) / (output tokens - 1), streamed successes of one choice and two deltas or more "
        "that show all reasoning they bill",
    )
    itl: InterToken = group(
        InterToken(),
        "itl",
        "ms",
        "the gaps between two deltas with output of a stream, which may hold several tokens, successes",
    )
    latency_per_output_token_p50_ms: float | None = number(
        "median of latency / output tokens, successes",
        "ms/token",
        "lower",
        heading="latency per output token, p50 (ms)",
    )
    throughput: Throughput = Throughput()
    open_loop: OpenLoop = OpenLoop()
    calls: CallFigures = CallFigures()
    sessions: SessionFigures = SessionFigures()
    cost: Cost = Cost()
    instrument: Instrument = Instrument()
    token_sources: TokenSources = TokenSources()
    sent: SentFigures = SentFigures()
    lengths: LengthFigures = LengthFigures()
    trust: Trust = Trust()
    limits: Limits = Limits()
    ended_by: str | None = text(
        "what ended the stage: time, requests, precision, abort (its error rate), skip (by a person), budget or stop"
    )
    run: str = text("the run's name", required=True)

    @property
    def users(self) -> int | None:
        """Of its level: planned users, None in the open loop."""
        return self.identity.users

    @property
    def rate(self) -> float | None:
        """Of its level: planned requests/s, of conversations those begun; None in the closed loop."""
        return self.identity.rate

    @property
    def of_conversations(self) -> bool:
        """Of its level: whether what is due at its rate are conversations."""
        return self.sessions.there

    @property
    def mix_share(self) -> float | None:
        """Of its level: its share of a mix's requests; None outside of mixes."""
        return self.identity.mix_share

    @property
    def ramp(self) -> str | None:
        """Of its level: from which rate it went to which; None where it stayed at one."""
        return self.identity.ramp

    @property
    def alone_at_a_level(self) -> bool:
        """Whether it had one load, and that for itself: no part of a mix and no ramp."""
        return self.identity.mix is None and self.identity.ramp is None

    @property
    def retried(self) -> bool:
        """Whether the scenario has `retry:`, so that calls are known beside requests."""
        return self.calls.calls is not None
