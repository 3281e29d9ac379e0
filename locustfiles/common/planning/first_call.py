"""A target's first call, recorded without load: with which line, what it was like, and what it says of other lines."""

import collections.abc
import statistics
import typing

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.prices.charge import charge, usage_of
from locustfiles.contract.prices.price import Price, TokenPrice
from locustfiles.contract.scenario.targets import Target

CHARACTERS = 4  # a token, where a payload does not say its tokens; only ratios of them count


class Call(typing.NamedTuple):
    """What a target's recorded call was like; `usd` is None where its tokens are not known."""

    latency_s: float
    usd: float | None
    answer_tokens: int | None = None
    prompt_id: str | None = None  # of the payload's line; without it, one of the mean length
    ttft_s: float | None = None

    def of(self, prompts: list[Prompt]) -> list[Prompt]:
        """The line that it sent; all where that is not known."""
        return [p for p in prompts if p.id == self.prompt_id] or prompts

    def lasting(self, answer_tokens: float | None) -> float:
        """s: as this call, with an answer of so many tokens. What comes after the first token grows with them."""
        if not answer_tokens or not self.answer_tokens:
            return self.latency_s
        first_s = self.ttft_s or 0.0
        return first_s + (self.latency_s - first_s) * answer_tokens / self.answer_tokens


class Recorded(typing.Protocol):
    """A record, or as much of it as an estimate needs."""

    @property
    def latency_ms(self) -> float: ...
    @property
    def ttft_ms(self) -> float | None: ...
    @property
    def prompt_id(self) -> str: ...
    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...
    @property
    def cache_read_tokens(self) -> int | None: ...
    @property
    def cache_write_tokens(self) -> int | None: ...


def call_of(made: Recorded, price: Price) -> Call:
    found = charge(usage_of(made), price).usd if isinstance(price, TokenPrice) else None
    usd = None if found is None else float(found)
    ttft_s = None if made.ttft_ms is None else made.ttft_ms / 1000
    return Call(made.latency_ms / 1000, usd, made.completion_tokens, made.prompt_id, ttft_s)


def typical(target: Target, prompts: list[Prompt]) -> Prompt:
    """The line that a first call sends: of the mean size, so that `check` and a run tell the same of one scenario."""
    mean = statistics.fmean(size_of(target, p) for p in prompts)
    return min(prompts, key=lambda p: abs(size_of(target, p) - mean))


def size_of(target: Target, prompt: Prompt) -> float:
    """Tokens of a prompt with the target's system text, roughly; only ratios count."""
    own = prompt.prompt_tokens or max(1, sum(map(len, prompt.texts))) / CHARACTERS
    return own + len(target.system or "") / CHARACTERS


def answers(
    target: Target,
    call: Call,
    called: list[Prompt],
    prompts: list[Prompt],
    trace: collections.abc.Sequence[Arrival] | None,
) -> list[int]:
    """Tokens that each line's (a trace: each arrival's) answer is taken to have; empty where the call's are not known.

    called: the payload that the call's line is from. A call that ran into its `max_tokens` says that others will, too.
    """
    if call.answer_tokens is None:
        return []
    most = target.parameters.get("max_tokens")
    asked = [p.parameters.get("max_tokens", most) for p in call.of(called)]
    limits = [a.max_tokens or most for a in trace] if trace else [p.parameters.get("max_tokens", most) for p in prompts]
    if len(asked) == 1 and asked[0] is not None and call.answer_tokens >= asked[0]:
        return [limit or call.answer_tokens for limit in limits]
    return [min(call.answer_tokens, limit or call.answer_tokens) for limit in limits]
