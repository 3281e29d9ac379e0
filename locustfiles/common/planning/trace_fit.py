"""How near the prompts that a replay sends come to the lengths that its trace has: each arrival takes the nearest line."""

import bisect
import collections.abc
import functools

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import counter_of
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.stage_asked import TraceFit

REFUSED_ABOVE = 0.50


class ByLength:
    """A payload's lines by how long they are for a target: by its tokenizer, without one as their `prompt_tokens` say. Lines without
    a count are left out."""

    def __init__(
        self, prompts: collections.abc.Iterable[Prompt], target: Target | None = None, more_tokens: int = 0
    ) -> None:
        """more_tokens: what is sent with each beside its text and the target's system text."""
        counter = counter_of(target.tokenizer) if target and target.tokenizer else None
        self._lines: dict[int, list[Prompt]] = {}
        self.uncounted = 0
        for prompt in prompts:
            tokens = counter.prompt(target, prompt) if counter and target else prompt.prompt_tokens
            if tokens is None:
                self.uncounted += 1
            else:
                self._lines.setdefault(tokens + more_tokens, []).append(prompt)
        self._lengths = sorted(self._lines)

    def nearest(self, tokens: int) -> dict[int, list[Prompt]]:
        """Length -> all lines of it, of the one or two lengths that are nearest."""
        at = bisect.bisect_left(self._lengths, tokens)
        beside = self._lengths[max(0, at - 1) : at + 1]
        least = min((abs(n - tokens) for n in beside), default=0)
        return {n: self._lines[n] for n in beside if abs(n - tokens) == least}

    def lines(self, tokens: int) -> list[Prompt]:
        """All lines that are nearest."""
        return [line for lines in self.nearest(tokens).values() for line in lines]


def fit(trace: collections.abc.Iterable[Arrival], lines: ByLength) -> TraceFit | None:
    """None where the trace has no prompt lengths, or no line a count. off: the sum of |asked - sent| over the sum of asked."""
    counted = [a.prompt_tokens for a in trace if a.prompt_tokens is not None]
    nearest = functools.cache(lines.nearest)
    if not counted or not nearest(counted[0]):
        return None
    off = sum(_mean([(abs(asked - n), of) for n, of in nearest(asked).items()]) for asked in counted)
    sent = [_mean(list(nearest(asked).items())) for asked in counted]
    return TraceFit(sum(counted) / len(counted), sum(sent) / len(sent), off / sum(counted))


def _mean(lengths: list[tuple[int, list[Prompt]]]) -> float:
    """Each line as often as any other."""
    return sum(n * len(of) for n, of in lengths) / sum(len(of) for _, of in lengths)
