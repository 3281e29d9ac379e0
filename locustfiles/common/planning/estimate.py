"""What a run will take and cost, told before it: from a recorded call or a few of each target, without load.

"About" takes every call to be as the first ones: its answer as long as theirs on average, or where they ran into `max_tokens`,
as long as each line's own; the time after the first token in proportion. A search, which doubles, finds its answer
half way up in doublings, the geometric mean of 1 and `up_to`, where its windows have answers enough to tell.
"At most" takes every wait to its end: settling to `settle_at_most_s`, windows to their longest, the last call of a window
and of a drain to its timeout, a search to its longest way or `find.at_most_s`. Then users either send twice as fast, or
every answer is as long as `max_tokens` allows; where requests come by their rate, all answers are that long, Poisson
arrivals three standard deviations above their mean, and every retry is sent and billed. Prompts are the payload's longest.
A conversation's turns are taken one by one: each sends all that was said before, at most with answers of `max_tokens`.
It does not hold where calls fail faster than they answer, or a searched level that is repeated says something else.
"""

import collections.abc
import math
import statistics
import typing

from locustfiles.common.planning.bisection import LOOKS, way
from locustfiles.common.planning.call_bill import CallBill
from locustfiles.common.planning.first_call import Call, answers, nearest
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.mixed_load import seconds_of, share_out
from locustfiles.common.planning.plan import START_S, STOP_S, USERS_A_SECOND, Group, alone
from locustfiles.common.planning.prompt_tokens import Counts, PromptTokens, tokens_of_trace
from locustfiles.common.planning.sample_sizes import beyond_limits, search_decides
from locustfiles.common.planning.turns_ahead import each_request, pause_s, turns_of
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.scenario.loads import Find, Level

QUICKER = 2  # at most so many times as quick as the first call, or without `max_tokens` so many times its answer
Calls = dict[tuple[str, str], Call]  # (target, payload) -> what a first call was like


class Amount(typing.NamedTuple):
    seconds: float
    requests: float
    usd: float

    @property
    def text(self) -> str:
        """`12 min, 3,000 requests and $1.25`"""
        return f"{math.ceil(self.seconds / 60):,} min, {self.requests:,.0f} requests and {dollars(self.usd)}"


class Estimate(typing.NamedTuple):
    about: Amount
    most: Amount
    unknown: list[str]  # targets whose calls' price is not known: they are not in `usd`
    unlimited: list[str]  # targets that may answer more than is assumed
    failed: list[str]  # targets, or payloads of them, without a call that worked: they are in nothing
    spread: tuple[str, ...] = ()  # what is said of targets of which several calls were made

    @property
    def text(self) -> str:
        like = f"calls like the first ({', '.join(self.spread)})" if self.spread else "calls like the first"
        text = f"about {self.about.text} with {like}; at most {self.most.text} even if calls are twice as quick or "
        text += "answers as long as max_tokens"
        if self.unlimited:
            text += f" ({', '.join(self.unlimited)} without max_tokens: twice the first answer)"
        if self.unknown:
            text += f"; without {', '.join(self.unknown)}, whose tokens or units are not known"
        return text + (f"; without {', '.join(self.failed)}, whose first call failed" if self.failed else "")


def dollars(usd: float) -> str:
    """Cents, or below ten of them two digits."""
    return f"${usd:,.2f}" if usd >= 0.0995 or usd == 0 else f"${usd:.2g}"


def estimate(
    inputs: Inputs,
    groups: list[Group],
    calls: Calls,
    failed: collections.abc.Collection[tuple[str, str]] = (),
    counts: Counts | None = None,
) -> Estimate:
    """Of the groups that are still to come. calls: those that worked, for a target with one payload or with each; failed:
    (target, payload) of those that did not; counts: prompts' tokens by the service's own count."""
    worked, groups = {target for target, _ in calls}, alone(groups)
    without = dict.fromkeys(
        f"{g.target} on {g.payload}" if g.target in worked else g.target
        for g in groups
        if g.target not in worked or (g.target, g.payload) in failed
    )
    groups = [g for g in groups if g.target in worked and (g.target, g.payload) not in failed]
    warm: dict[tuple[str, str], Group] = {}  # whose warm-up call has been made
    for group in groups:
        if (group.target, group.payload) in calls:
            warm.setdefault((group.target, group.payload), group)
    about, most = (
        [_Ahead(inputs, g, calls, g in warm.values(), m, counts or {}) for g in groups] for m in (False, True)
    )
    for ahead in (about, most):
        share_out(ahead)
    by_token = [a for a in about if isinstance(a.price, TokenPrice)]
    unknown = dict.fromkeys(a.group.target for a in by_token if a.call.usd is None)
    unlimited = dict.fromkeys(a.group.target for a in by_token if a.call.answer_tokens and a.longest_answer is None)
    spread = (_spread(name, calls) for name in dict.fromkeys(g.target for g in groups))
    return Estimate(
        _sum(about), _sum(most), list(unknown), list(unlimited), list(without), tuple(s for s in spread if s)
    )


def _spread(target: str, calls: Calls) -> str:
    """`answers of 12 to 61 tokens in 3 calls of NAME`; empty where one call of each payload was enough."""
    found = [call for (name, _), call in calls.items() if name == target]
    made = [one for call in found for one in call.singles]
    lengths = [one.answer_tokens for one in made if one.answer_tokens is not None]
    if len(made) == len(found) or not lengths:
        return ""
    tokens = " to ".join(dict.fromkeys(f"{n:g}" for n in (min(lengths), max(lengths))))
    return f"answers of {tokens} tokens in {len(lengths)} calls of {target}"


def _sum(groups: list["_Ahead"]) -> Amount:
    amounts = [g.amount() for g in groups]
    seconds = seconds_of((g.group, amount.seconds) for g, amount in zip(groups, amounts, strict=True))
    return Amount(seconds, sum(amount.requests for amount in amounts), sum(amount.usd for amount in amounts))


class _Ahead:
    """One group, seen from a first call of its target: about, or at most."""

    def __init__(self, inputs: Inputs, group: Group, calls: Calls, warm: bool, most: bool, counts: Counts) -> None:
        key = nearest(group.target, group.payload, calls)
        assert key is not None  # the others are not counted
        call = calls[key]
        self.most, self.load, self.group, self.call, self.warm = most, group.load, group, call, warm
        self.price, self.planned_s = inputs.prices[group.target], inputs.stage_s(group.load)
        self.prompts, called = inputs.payloads[group.payload], inputs.payloads[key[1]]
        self.trace = inputs.traces[self.load.replay] if self.load.replay else None
        self.trace_fit = None if most else inputs.trace_fit(group.target, group.payload)
        self.scenario = scenario = inputs.scenario
        self.target = scenario.target(group.target)
        self.longest_answer = inputs.most_tokens(self.target)
        self.pause_s, self.turns = pause_s(self.load, self.prompts), turns_of(self.prompts, most)
        counted = counts.get((group.target, group.payload), {})
        self.tokens = PromptTokens(self.target, self.prompts, call.usual, called, counted)
        self.prompts = each_request(self.target, self.prompts, self.load, self._answer, self.tokens.of_size(1.0))
        self.tokens = PromptTokens(self.target, self.prompts, call.usual, called, counted)
        self.answers = answers(self.target, call, called, self.prompts, self.trace)
        self.call_s = call.lasting(statistics.fmean(self.answers) if self.answers else None)
        if most:
            self.call_s = min(self.call_s, call.latency_s)
        self.round_s = self.call_s + self.pause_s  # a user's call and its pause
        self.attempts = scenario.retry.attempts if most and scenario.retry else 1
        self.last_s = scenario.longest_call_s if most else self.call_s  # until what is awaited has ended
        self.users_share, self.by_hour = 1.0, True  # of a part of a mix: `mix_shares`
        self.drain_s = scenario.request_timeout_s + STOP_S if most else self.call_s

    def _answer(self, limit: int | None) -> float:
        """Tokens of an answer that is history in the next turn: at most, or about as the first ones."""
        made = self.call.answer_tokens or 0.0
        return limit or QUICKER * made if self.most else min(made, limit or made)

    def amount(self) -> Amount:
        paths = self._paths(self.load.find) if self.load.find else [self.group.levels]  # of a search: what takes most
        seconds, requests, slow = (max(column) for column in zip(*map(self._way, paths), strict=True))
        if isinstance(self.price, HourlyPrice):
            return Amount(seconds, requests, self.price.usd_per_hour_in_all * seconds / 3600 * self.by_hour)
        if self.call.usd is None or (self.call.answer_tokens is None and self.target.writes_text):
            return Amount(seconds, requests, 0.0)
        bill = CallBill(self.price)
        if self.most:
            singles, tokens = self.call.singles, max(self.tokens.all)
            answer = max(c.answer_tokens or 0 for c in singles)
            longest = max(answer, self.longest_answer or QUICKER * answer)
            usd, long_usd = (bill.at_most(singles, tokens, self.tokens.longest, n) for n in (answer, longest))
            return Amount(seconds, requests, max(requests * usd, slow * long_usd))
        if found := self.trace_fit:
            tokens = self.tokens.of_size(tokens_of_trace(self.target, found.sent_tokens))
            lines = [(tokens, statistics.fmean(self.answers))]
        elif self.trace:
            lines = [(tokens, statistics.fmean(self.answers)) for tokens in self.tokens.all]
        else:
            lines = list(zip(self.tokens.all, self.answers, strict=True))
        usual, writing = self.call.usual, [c for c in self.call.singles if c.wrote_cache]
        usd = statistics.fmean(bill.about(usual, *line) for line in lines) * requests
        # each line does, when first
        if (len(writing) > 1 and not self.call.wrote_cache) or (writing and not self.call.made):
            more = statistics.fmean(bill.about(writing, *line) - bill.about(usual, *line) for line in lines)
            usd += min(requests, len(self.prompts)) * more
        return Amount(seconds, requests, usd)

    def _way(self, levels: list[Level]) -> tuple[float, float, float]:
        """(seconds, requests, requests with calls no quicker than the first) of these levels one after another."""
        find, begins_s, longest_s, busiest = self.load.find, 0.0, 0.0, 0.0
        seconds, requests, slow, users = 0.0, 0.0, 0.0, 0
        for level in levels:
            if find and begins_s + self.planned_s > find.at_most_s:
                break
            there = self.load.max_users if level.users is None else level.users
            stage_s = (there - users) / USERS_A_SECOND + self._stage_s(level, fresh=users == 0)
            sent = self._requests(level, stage_s, QUICKER if self.most else 1)
            requests, slow = requests + sent, slow + self._requests(level, stage_s, 1)
            busiest, users = max(busiest, sent / stage_s), 0 if find else there
            stage_s += self.drain_s if find else 0.0
            seconds, longest_s = seconds + stage_s, max(longest_s, stage_s)
            begins_s += (
                stage_s if not self.most else 0.0 if self.load.until or self.load.abort_stage else self.planned_s
            )
        if find and self.most and seconds > (over := max(0.0, find.at_most_s - self.planned_s) + longest_s):
            share = min(1.0, over * busiest / requests)
            seconds, requests, slow = over, requests * share, slow * share
        seconds += 0.0 if find else self.drain_s
        if self.warm:  # its warm-up call has been made
            return seconds, requests, slow
        return seconds + self.last_s, requests + self.attempts, slow + self.attempts

    def _stage_s(self, level: Level, fresh: bool) -> float:
        """Settling, measuring, and until the last measured call has ended. fresh: no call of a level before is in flight."""
        load = self.load
        if self.trace:
            return self.trace[-1].at_s + self.last_s
        round_s = self.round_s  # a call of every user; in the open loop of as many as are in flight
        each_s = level.apart_s(round_s) / (self.turns if load.open_loop else 1)
        # Tally.steady
        steady_s = round_s + (max(round_s, 5 * each_s) if load.open_loop else round_s + min(load.settle_s, START_S))
        window_s = load.at_most_s
        if self.most:
            steady_s = math.inf
            if load.find:
                window_s = LOOKS[-1] * window_s + (len(LOOKS) - 1) * self.last_s  # with the holds between its looks
        elif load.find and not self._decides(level):
            window_s *= LOOKS[-1]
        elif load.until and load.until.requests and load.until.relative_ci is None:
            window_s = min(window_s, load.until.requests * each_s + self.call_s)
        settle_s = max(load.settle_s, min(load.settle_at_most_s, steady_s), 0.0 if fresh else self.last_s)
        return settle_s + window_s + self.last_s

    def _requests(self, level: Level, seconds: float, quicker: float) -> float:
        if level.users is not None:
            return self.users_share * level.users * (seconds / (self.call_s / quicker + self.pause_s) + self.most)
        mean = (level.rate or 0.0) * (self.group.share or 1.0) * seconds
        spread = (3 * math.sqrt(self.load.dispersion * mean) + 1) * self.most
        return self.attempts * self.turns * (len(self.trace) if self.trace else mean + spread)

    def _decides(self, level: Level) -> bool:
        return search_decides(self.scenario, self.group.target, level, self.call_s)

    def _paths(self, find: Find) -> list[list[Level]]:
        """The levels of a search whose limits hold up to half way in doublings, where there are answers enough to tell, and at none if the
        first call was beyond them; at most: of all that may be longest or highest, which end just below a level."""
        if not self.most:
            end = 0.0 if beyond_limits(self.scenario, self.group.target, self.call) else math.sqrt(find.up_to)
            return [way(find, end, self._decides)]
        below = [0.9999 * (level.users or level.rate or 0.0) for end in (0.0, find.up_to) for level in way(find, end)]
        return [way(find, end) for end in (0.0, find.up_to, *below)]
