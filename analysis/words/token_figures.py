"""Tokens: how many a stage's successes read and wrote, and how many of them a prompt cache had."""

import dataclasses

from analysis.words.figure_fields import number


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """How many were read and written."""

    prompt_tokens_mean: float | None = number(
        "mean prompt tokens of successes, cached ones included, where known", "tokens", heading="prompt tokens"
    )
    cache_read_share: float | None = number(
        "share of successes' prompt tokens that were read from a prompt cache; empty where no answer tells of it"
    )
    cache_write_share: float | None = number(
        "share of successes' prompt tokens that were written to a prompt cache; empty where no answer tells of it"
    )
    completion_tokens_mean: float | None = number(
        "mean output tokens of successes, where known", "tokens", heading="output tokens"
    )
    reasoning_tokens_mean: float | None = number(
        "mean reasoning tokens among the output tokens, where the service tells them",
        "tokens",
        heading="reasoning tokens",
    )
    prompt_tokens_per_s: float | None = number(
        "prompt tokens of successes, each by the share of [send, first token] (without streaming [send, end]) that "
        "lies in the window, / window; empty when over 1 % of them are not counted",
        "tokens/s",
        "higher",
        heading="prompt tokens/s",
    )
    completion_tokens_per_s: float | None = number(
        "output tokens of successes, each by the share of [first, last token] (without streaming [send, end]) that "
        "lies in the window, / window; empty when over 1 % of them are not counted",
        "tokens/s",
        "higher",
        heading="output tokens/s",
    )
