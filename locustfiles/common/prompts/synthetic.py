"""A scenario's synthetic payloads: lines of exact lengths by a tokenizer; the same seed makes the same."""

import collections.abc
import hashlib
import random

from locustfiles.common.prompts.asked import Asked
from locustfiles.common.prompts.made_text import TextMaker
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.synthetic import COUNT, Synthetic, drawn

MOST_TOKENS = 30_000_000  # of all lines: what a process can hold, and make in half a minute

Pair = tuple[int | None, int | None]  # tokens of a prompt and of its answer


def lengths_of(spec: Synthetic, trace: collections.abc.Sequence[Pair], seed_text: str) -> list[tuple[int, int | None]]:
    """Of each line. trace: the arrivals of `spec.trace`, those without a prompt's length are passed over. Raises BadInput."""
    if spec.trace is not None:
        told = [(prompt, answer) for prompt, answer in trace if prompt is not None]
        if not told:
            raise BadInput(
                f"{spec.trace} has no prompt lengths; fill its column `prompt_tokens`, or set `prompt_tokens:` instead"
            )
        found: list[tuple[int, int | None]] = told[: spec.count]
    else:
        of = random.Random(f"{seed_text}/lengths")
        found = [
            (drawn(spec.prompt_tokens, of) or 1, drawn(spec.completion_tokens, of)) for _ in range(spec.count or COUNT)
        ]
    if (whole := sum(prompt for prompt, _ in found)) > MOST_TOKENS:
        raise BadInput(f"{whole:,} tokens of text, more than {MOST_TOKENS:,}; give a smaller `count:`")
    return found


def made_lines(
    name: str,
    lengths: list[tuple[int, int | None]],
    count: collections.abc.Callable[[str], int],
    seed_text: str,
    beside: int = 0,
) -> list[Prompt]:
    """A line for each length. `prompt_tokens` is what the tokenizer counts, `asked` what was wanted of the line alone. beside: tokens
    that are sent with each and are in the lengths."""
    maker, lines, draw = TextMaker(count), [], random.Random(f"{seed_text}/texts")
    for number, (tokens, answer) in enumerate(lengths, 1):
        alone = max(1, tokens - beside)
        text, found = maker.text(alone, draw)
        parameters = {} if answer is None else {"max_tokens": answer}
        asked = Asked(alone, completion_tokens=answer)
        lines.append(Prompt(f"{name}-{number:05d}", text, None, found, parameters, asked=asked))
    return lines


def inexact(lines: collections.abc.Iterable[Prompt]) -> list[Prompt]:
    """Those whose length could not be had."""
    return [line for line in lines if line.asked.prompt_tokens != line.prompt_tokens]


def digest_of(lines: collections.abc.Iterable[Prompt]) -> str:
    """A hash of what is sent, as of a payload file."""
    whole = hashlib.sha256()
    for line in lines:
        whole.update(f"{line.id} {line.parameters} {line.text}\n".encode())
    return whole.hexdigest()
