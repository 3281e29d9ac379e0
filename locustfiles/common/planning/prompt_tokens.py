"""How many tokens a payload's lines have: counted by the service, else in proportion to those of recorded calls."""

import collections.abc
import statistics

from locustfiles.common.planning.first_call import CHARACTERS, Call, nearest, size_of
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.prices.price import Step, TokenPrice
from locustfiles.contract.scenario.targets import Target

MOST_COUNTED = 20  # lines of a payload: enough to see how long its prompts are
MARGIN = 1.25  # that a prompt may be longer than its characters say

#: (target, payload) -> prompt id -> tokens, as the service counts them
Counts = collections.abc.Mapping[tuple[str, str], collections.abc.Mapping[str, int]]


def spread(target: Target, prompts: list[Prompt]) -> list[Prompt]:
    """The lines that are counted: from the shortest to the longest in even steps."""
    by_size = sorted(prompts, key=lambda p: size_of(target, p))
    if len(by_size) <= MOST_COUNTED:
        return by_size
    return [by_size[round(n * (len(by_size) - 1) / (MOST_COUNTED - 1))] for n in range(MOST_COUNTED)]


class PromptTokens:
    """Of one target's lines, cached tokens counted."""

    def __init__(
        self,
        target: Target,
        prompts: list[Prompt],
        calls: collections.abc.Sequence[Call],
        called: list[Prompt],
        counted: collections.abc.Mapping[str, int],
    ) -> None:
        """called: the payload that the calls' lines are from."""
        self._target, self._prompts, self._counted = target, prompts, counted
        known = [(size_of(target, p), counted[p.id]) for p in prompts if p.id in counted] or [
            (statistics.fmean(size_of(target, p) for p in call.of(called)), call.usage.whole_prompt)
            for call in calls
            if call.usage and call.usage.whole_prompt is not None
        ]
        sizes = sum(size for size, _ in known)
        # a token, by CHARACTERS
        self._tokens_a_size = sum(tokens or 0 for _, tokens in known) / sizes if sizes else 1.0
        self.exact = bool(prompts) and all(p.id in counted for p in prompts)

    def of(self, prompt: Prompt) -> float:
        return self._counted.get(prompt.id, self.of_size(size_of(self._target, prompt)))

    def of_size(self, size: float) -> float:
        return size * self._tokens_a_size

    @property
    def all(self) -> list[float]:
        """Of each line."""
        return [self.of(p) for p in self._prompts]

    @property
    def longest(self) -> float:
        """That a line may have: where not all are counted, with a margin."""
        return max(self.all) * (1.0 if self.exact else MARGIN)


def tokens_of_trace(target: Target, sent_tokens: float) -> float:
    """The size of what a trace sends, with the target's system text."""
    return sent_tokens + len(target.system or "") / CHARACTERS


def steps_reached(
    inputs: Inputs, calls: collections.abc.Mapping[tuple[str, str], Call], counts: Counts | None = None
) -> list[str]:
    """A line for each (target, payload) some lines of which are so long that the whole call has a dearer price."""
    lines, counts = [], counts or {}
    for target in inputs.scenario.targets:
        price = inputs.prices.get(target.name)
        if not isinstance(price, TokenPrice) or not price.steps:
            continue
        for stem in inputs.stems_of(target.name):
            key = nearest(target.name, stem, calls)
            made, called = (calls[key].singles, inputs.payloads[key[1]]) if key else ((), [])
            counted = counts.get((target.name, stem), {})
            tokens = PromptTokens(target, inputs.payloads[stem], made, called, counted)
            lines += [f"target `{target.name}`: {text}" for text in _reached(price, tokens, stem)]
    return lines


def _reached(price: TokenPrice, tokens: PromptTokens, stem: str) -> list[str]:
    found, all_tokens, some = [], tokens.all, "" if tokens.exact else "about "
    for number, step in enumerate(price.steps):
        ends = price.steps[number + 1].above if number + 1 < len(price.steps) else float("inf")
        if above := sum(step.above < n <= ends for n in all_tokens):
            lines = "line" if len(all_tokens) == 1 else "lines"
            have = "has" if above == 1 else "have"
            found.append(
                f"{some}{above} of {len(all_tokens)} {lines} of {stem}.jsonl {have} more than {step.above:,} prompt tokens: "
                f"{_dearer(price, step)}"
            )
    return found


def _dearer(price: TokenPrice, step: Step) -> str:
    if not price.input or not price.output:
        return "the whole call has another price"
    prompt, answer = step.input / price.input, step.output / price.output
    if abs(prompt - answer) < 1e-9:
        return f"the whole call costs {prompt:.3g} times as much"
    return f"the whole prompt costs {prompt:.3g} times and the answer {answer:.3g} times as much"
