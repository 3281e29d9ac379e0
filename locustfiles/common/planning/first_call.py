"""A target's first calls, recorded without load: with which lines, what they were like, and what they say of other lines.

One is enough where answers run into `max_tokens`, and all are as long as it. Where the model ended by itself, or wrote
what later calls read from a prompt cache, one call says little of the others: up to FIRST_CALLS are made, with other lines.
"""

import collections.abc
import statistics
import typing

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.prices.charge import Usage, charge, usage_of
from locustfiles.contract.prices.price import Price, TokenPrice
from locustfiles.contract.scenario.answer_limit import answer_limit
from locustfiles.contract.scenario.targets import Target

FIRST_CALLS = 3  # at most so many of each (target, payload)
SHARE = 0.1  # of a budget that further first calls may take: it is there for the measurement
CHARACTERS = 4  # a token, where a payload does not say its tokens; only ratios of them count


class Call(typing.NamedTuple):
    """What a target's recorded call was like, or several on average; `usd` is None where its tokens are not known."""

    latency_s: float
    usd: float | None
    answer_tokens: float | None = None
    prompt_id: str | None = None  # of the payload's line; without it, one of the mean length
    ttft_s: float | None = None
    wrote_cache: bool = False  # more tokens into a prompt cache than it read from there
    made: tuple["Call", ...] = ()  # of several: all that were made
    usage: Usage | None = None  # what is billed of it; of several, each has its own

    @property
    def usual(self) -> tuple["Call", ...]:
        """Those like most calls to come. Of a single one that wrote into a prompt cache, how it would be when it reads."""
        if not self.made and self.wrote_cache and self.usage is not None:
            usage = self.usage
            cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
            reading = usage._replace(cache_read_tokens=cached, cache_write_tokens=0, cache_write_1h_tokens=0)
            return (self._replace(usage=reading),)
        return tuple(_usual(self.singles))

    @property
    def singles(self) -> tuple["Call", ...]:
        return self.made or (self,)

    def of(self, prompts: list[Prompt]) -> list[Prompt]:
        """The lines that were sent; all where that is not known."""
        ids = {one.prompt_id for one in _usual(self.singles)}
        return [p for p in prompts if p.id in ids] or prompts

    def lasting(self, answer_tokens: float | None) -> float:
        """s: as this call, with an answer of so many tokens. What comes after the first token grows with them."""
        if not answer_tokens or not self.answer_tokens:
            return self.latency_s
        first_s = self.ttft_s or 0.0
        return first_s + (self.latency_s - first_s) * answer_tokens / self.answer_tokens


def averaged(calls: collections.abc.Sequence[Call]) -> Call:
    """As one call. Those that wrote what others read from a prompt cache are not like most calls to come."""
    if len(calls) == 1:
        return calls[0]
    usual = _usual(calls)
    usd, tokens, ttft_s = (_mean([getattr(c, name) for c in usual]) for name in ("usd", "answer_tokens", "ttft_s"))
    latency_s = statistics.fmean(c.latency_s for c in usual)
    return Call(latency_s, usd, tokens, usual[0].prompt_id, ttft_s, usual[0].wrote_cache, tuple(calls))


def _usual(calls: collections.abc.Sequence[Call]) -> collections.abc.Sequence[Call]:
    return [c for c in calls if not c.wrote_cache] or calls


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


class Recorded(typing.Protocol):
    """A record, or as much of it as an estimate needs."""

    @property
    def latency_ms(self) -> float: ...
    @property
    def ttft_ms(self) -> float | None: ...
    @property
    def prompt_id(self) -> str | None: ...
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
    wrote = (made.cache_write_tokens or 0) > (made.cache_read_tokens or 0)
    usage = usage_of(made)
    return Call(made.latency_ms / 1000, usd, usage.completion_tokens, made.prompt_id, ttft_s, wrote, usage=usage)


def nearest(target: str, payload: str, calls: collections.abc.Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """The call to go by: with that payload, else the target's first with another."""
    of_target = [key for key in calls if key[0] == target]
    return (target, payload) if (target, payload) in of_target else next(iter(of_target), None)


def typical(target: Target, prompts: list[Prompt]) -> Prompt:
    """The line that a first call sends: of the mean size, so that `check` and a run tell the same of one scenario."""
    mean = statistics.fmean(size_of(target, p) for p in prompts)
    return min(prompts, key=lambda p: abs(size_of(target, p) - mean))


def next_line(
    target: Target, prompts: list[Prompt], made: list[Call], spent_usd: float, budget_usd: float | None
) -> Prompt | None:
    """The line of the next first call; None where those that were made say enough, or it takes too much of the budget.

    made: those that worked, with this payload; spent_usd: by other payloads' and targets', as far as that is known. A cache
    that was written is read by the same line again; whether other lines read it, too, another one tells.
    """
    if not made:
        return typical(target, prompts)
    ended = any(c.answer_tokens and not _ran_out(target, c, prompts) for c in made)
    if len(made) >= FIRST_CALLS or not (ended or made[0].wrote_cache):
        return None
    usd = [c.usd or 0.0 for c in made]
    if budget_usd is not None and spent_usd + sum(usd) + max(usd) > SHARE * budget_usd:
        return None
    if len(made) == 1 and made[0].wrote_cache:
        return made[0].of(prompts)[0]
    sent = {c.prompt_id for c in made}
    others = sorted((p for p in prompts if p.id not in sent), key=lambda p: size_of(target, p))
    return others[len(others) * (1 if len(made) == 1 else 5) // 6] if others else None


def _ran_out(target: Target, call: Call, prompts: list[Prompt]) -> bool:
    """Whether a single call's answer is as long as its line may ask for. Not known is no."""
    asked = [answer_limit(target.parameters | p.parameters) for p in call.of(prompts)]
    return len(asked) == 1 and asked[0] is not None and (call.answer_tokens or 0) >= asked[0]


def size_of(target: Target, prompt: Prompt) -> float:
    """Tokens of a prompt with the target's system text and made prefix, roughly; only ratios count."""
    own = prompt.prompt_tokens or max(1, sum(map(len, prompt.texts))) / CHARACTERS
    prefix = target.prefix.shared_tokens or 0 if target.prefix else 0
    return own + prefix + len(target.system or "") / CHARACTERS


def answers(
    target: Target,
    call: Call,
    called: list[Prompt],
    prompts: list[Prompt],
    trace: collections.abc.Sequence[Arrival] | None,
) -> list[float]:
    """Tokens that each line's (a trace: each arrival's) answer is taken to have; empty where the calls' are not known.

    called: the payload that the calls' lines are from. A call that ran into its `max_tokens` says that others will, too.
    """
    if not target.writes_text:
        return [0.0] * len(trace or prompts)
    made = [(c.answer_tokens, _ran_out(target, c, called)) for c in call.singles if c.answer_tokens is not None]
    most = answer_limit(target.parameters)
    limits = (
        [a.max_tokens or most for a in trace]
        if trace
        else [answer_limit(target.parameters | p.parameters) for p in prompts]
    )

    def at(limit: int | None) -> float:
        return statistics.fmean((limit or n) if ran_out else min(n, limit or n) for n, ran_out in made)

    found = {limit: at(limit) for limit in set(limits)} if made else {}
    return [found[limit] for limit in limits] if made else []
