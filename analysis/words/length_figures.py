"""LengthFigures: how long prompts and answers were beside how long a trace or a synthetic payload wanted them."""

import dataclasses

from analysis.words.figure_fields import number


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LengthFigures:
    """Of the successes of which a length was asked and counted; empty where none was asked."""

    asked_prompt_tokens_mean: float | None = number(
        "mean prompt tokens that the trace or the synthetic payload asks for", "tokens", heading="prompt tokens asked"
    )
    prompt_length_ratio: float | None = number(
        "prompt tokens / those asked for, each summed; a chat template and the system text count, too",
        heading="prompt tokens of those asked",
    )
    prompt_length_share: float | None = number(
        "share of the prompts whose tokens are within 2 % of those asked for",
        better="higher",
        heading="prompts within 2 %",
    )
    asked_completion_tokens_mean: float | None = number(
        "mean output tokens that the trace or the synthetic payload asks for, by `max_tokens`",
        "tokens",
        heading="output tokens asked",
    )
    completion_length_ratio: float | None = number(
        "output tokens / those asked for, each summed", heading="output tokens of those asked"
    )
    completion_length_share: float | None = number(
        "share of the answers whose tokens are within 2 % of those asked for",
        better="higher",
        heading="answers within 2 %",
    )
