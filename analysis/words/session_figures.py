"""What is known of conversations: of a stage's as wholes, and of their turns by number."""

# ruff: noqa: RUF009  a field is made by a function that tells of it

import dataclasses
import typing

from analysis.words.figure_fields import count, group, number, text
from analysis.words.spread import Spread, lower_end, spread


def _share(p: str) -> typing.Any:
    return number(
        f"{{what}}: so long until {p[1:]} % of all conversations that began in the window had finished, by Aalen and Johansen's "
        "estimate, in which those that the stage's end cut count for as long as they were followed; empty where so many never do",
        better="lower",
        ends=p,
    )


_HIGH = "its upper end; empty (wide) where there is none"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinishTimes:
    """When conversations finish, those that were cut off allowed for."""

    mean: float | None = number(
        "{what}, mean of those that finish; empty where more than 5 % could not be followed to their end",
        better="lower",
    )
    p50: float | None = _share("p50")
    p90: float | None = _share("p90")
    p95: float | None = _share("p95")
    p50_low: float | None = lower_end("p50")
    p50_high: float | None = number(_HIGH)
    p90_low: float | None = lower_end("p90")
    p90_high: float | None = number(_HIGH)
    p95_low: float | None = lower_end("p95")
    p95_high: float | None = number(_HIGH)


_WEIGHTED = (
    "each that ended counts for those that were cut before they could get so far, too (Kaplan and Meier's weights); empty where more "
    "than 5 % could not be followed to their end"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionFigures:
    """Of conversations as wholes; nothing is known of it where requests are part of none."""

    sessions: int | None = count("conversations whose first turn began in the window")
    sessions_finished: int | None = count(
        "those whose last planned turn ended well, in the window or in the hold behind it", "higher"
    )
    sessions_failed: int | None = count("those whose last turn that was sent failed, all its attempts", "lower")
    sessions_ended_early: int | None = count(
        "those that ended well before their last planned turn, for nothing could be said to an answer (`session_ended`)",
        "lower",
    )
    sessions_cut: int | None = count(
        "those that the stage's end cut off in between: long ones more often than short ones"
    )
    sessions_untold: int | None = count(
        "those of which it is not known how many turns they were to have; in no figure below"
    )
    sessions_followed_share: float | None = number(
        "share of the conversations that ended, or whose like were seen to end: 1 unless the longest of them were cut"
    )
    session_turns_mean: float | None = number("mean number of turns that those that began in the window were to have")
    turn_mean: float | None = number("mean number in its conversation of the requests that began in the window")
    turn_mean_whole: float | None = number(
        "the same if each conversation that began in the stage were measured from its first turn to its last"
    )
    session_time: FinishTimes = group(
        FinishTimes(),
        "session_time",
        "s",
        "the time from the first send to the last byte, pauses between turns included",
    )
    session_waiting_mean_s: float | None = number(
        f"mean time in it that was spent waiting for answers, retries included; {_WEIGHTED}", "s", "lower"
    )
    session_waiting_share: float | None = number("share of the time of finished conversations that was spent waiting")
    session_tokens_mean: float | None = number(
        f"mean prompt and output tokens of all requests of a finished conversation; {_WEIGHTED}",
        "tokens",
        heading="tokens per conversation",
    )
    usd_per_session: float | None = number(
        "tokens: dollars billed for conversations that ended / those that finished; hourly: usd_per_transaction x successful requests "
        f"in conversations that ended / those that finished; {_WEIGHTED}. Where the bill of failures has bounds only, the upper one",
        "USD",
        "lower",
        heading="$ per conversation",
    )
    usd_per_session_low: float | None = number(
        "with failures of unknown tokens billed nothing, and tokens written to a cache for an unknown time the price of five minutes",
        "USD",
        "lower",
    )
    usd_per_session_high: float | None = number(
        "with them billed their prompt and max_tokens, and the price of an hour", "USD", "lower"
    )

    @property
    def there(self) -> bool:
        """Whether requests of the stage are turns of conversations."""
        return self.sessions is not None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TurnFigures:
    """Of a stage's requests that are of one number in their conversations. `turn` and above name it."""

    run: str = text("the run's name", required=True)
    stage: int = count("number of the stage", required=True)
    target: str = text("the scenario's target", required=True)
    payload: str = text("the payload file's stem", required=True)
    users: int | None = count("closed loop: planned concurrent users; else empty")
    rate: float | None = number("open loop: conversations that were planned to begin a second; else empty", "1/s")
    mix_share: float | None = number("of a part of a mix: its share of the mix's requests, as planned")
    turn: int = count("number of the request in its conversation", required=True)
    requests: int = count("requests of this number that began in the window; with `retry:` calls", required=True)
    attempts: int = count(
        "requests that were sent for them in the window: with `retry:` more than calls", required=True
    )
    error_rate: float | None = number(
        "share of them that failed, without those that our own stop ended", better="lower"
    )
    latency: Spread = spread(
        "latency", "s", "the time that a user waits for the last byte: from the send, with `retry:` the first attempt's, in the "
        "open loop from when it was due, successes",
    )  # fmt: skip
    ttft: Spread = spread("ttft", "s", "the same to the first output, streamed successes")
    prompt_tokens_mean: float | None = number(
        "mean prompt tokens of successes, cached ones included: how the prompt grows", "tokens"
    )
    cache_read_share: float | None = number("share of these tokens that were read from a prompt cache")
    completion_tokens_mean: float | None = number("mean output tokens of successes", "tokens")
    usd_per_request: float | None = number(
        "tokens: dollars billed for these calls / their successes, where the bill of failures has bounds only the upper one; hourly: "
        "empty, for an hour is not any turn's own",
        "USD",
        "lower",
    )
    usd_per_request_low: float | None = number("with failures of unknown tokens billed nothing", "USD", "lower")

    @property
    def of_conversations(self) -> bool:
        """Of its level: what is due at its rate."""
        return True
