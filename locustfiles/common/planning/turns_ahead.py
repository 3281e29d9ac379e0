"""What conversations will send: a prompt for each turn, as long as the history makes it, and how long users pause."""

import collections.abc
import dataclasses
import json
import math
import statistics
import typing

from locustfiles.common.planning.first_call import CHARACTERS, size_of
from locustfiles.common.prompts.conversations import Turn
from locustfiles.common.prompts.messages import texts_of
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.answer_limit import answer_limit
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.targets import Target

Answer = collections.abc.Callable[[int | None], float]  # a turn's `max_tokens` -> tokens of its answer


def each_request(
    target: Target, prompts: list[Prompt], load: Load, answer: Answer, tokens_a_size: float
) -> list[Prompt]:
    """Itself for a prompt, and one for each turn of a conversation, whose `prompt_tokens` are of all that it sends.

    tokens_a_size: tokens where `size_of` says 1. A real answer in the history is as long as `answer` says, a recorded one as
    long as it is."""
    found: list[Prompt] = []
    for line in prompts:
        size = size_of(target, line) - len(target.system or "") / CHARACTERS
        for number, one in enumerate(line.requests, 1):
            if number > 1:
                before, turn = line.turns[number - 2], line.turns[number - 1]
                recorded = load.held.answers == "recorded"
                limit = answer_limit(target.parameters | before.parameters)
                real = 0.0 if recorded else answer(limit) / (tokens_a_size or 1.0)
                size += (
                    max(real, _recorded(before, turn)) + sum(map(len, texts_of(turn.message["content"]))) / CHARACTERS
                )
            told, tokens = (
                (f"{line.id}#{number}", max(1, math.ceil(size))) if number > 1 else (one.id, one.prompt_tokens)
            )
            found.append(dataclasses.replace(one, id=told, prompt_tokens=tokens))
    return found


def _recorded(turn: Turn, following: Turn) -> float:
    """The size of the recorded answer, calls of tools too."""
    calls = (json.dumps(result.input or {}) + result.name for result in following.results)
    return (len(turn.answer or "") + sum(map(len, calls))) / CHARACTERS


class Held(typing.NamedTuple):
    """The most that a payload's conversations may hold; `size`: of all that is said or recorded in one."""

    size: float = 0.0
    limits: int = 0  # answers' `max_tokens` before its last turn, together
    unlimited: int = 0  # answers without
    turns: int = 1

    def most(self, tokens_a_size: float, longest_answer: int) -> float:
        """Prompt tokens of a last turn."""
        return self.size * tokens_a_size + self.limits + self.unlimited * longest_answer


def held(target: Target, prompts: list[Prompt], load: Load) -> Held:
    """The most of each, whichever line's; nothing of a payload without conversations."""
    found = Held()
    for line in (p for p in prompts if p.turns):
        last = each_request(target, [line], load, lambda limit: 0.0, 1.0)[-1]
        limits = (
            []
            if load.held.answers == "recorded"
            else [answer_limit(target.parameters | t.parameters) for t in line.turns[:-1]]
        )
        found = Held(
            max(found.size, size_of(target, last)),
            max(found.limits, sum(n or 0 for n in limits)),
            max(found.unlimited, limits.count(None)),
            max(found.turns, len(line.turns)),
        )
    return found


def turns_of(prompts: list[Prompt], most: bool) -> float:
    """Requests that an arrival brings, on average or at most."""
    counts = [len(p.requests) for p in prompts]
    return max(counts) if most else statistics.fmean(counts)


def pause_s(load: Load, prompts: list[Prompt]) -> float:
    """A user's mean pause between an answer and its next request, turns of conversations and what comes after them."""
    if not any(p.turns for p in prompts):
        return load.think_s
    between = load.held.think_s.mean_s if load.held.think_s else load.think_s
    own = [turn.think_s for p in prompts for turn in p.turns[1:]]
    pauses = [load.think_s] * len(prompts) + [between if s is None else s for s in own]
    return statistics.fmean(pauses)


def due(prompts: typing.Iterable[Prompt]) -> typing.Literal["conversations", "requests"]:
    """What is due at the rate of an open loop."""
    return "conversations" if any(p.turns for p in prompts) else "requests"


def due_words(prompts: typing.Iterable[Prompt]) -> str:
    """`conversations/s`, or `requests/s`: the unit of that rate."""
    return f"{due(prompts)}/s"
