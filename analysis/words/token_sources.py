"""TokenSources: who counted a stage's tokens."""

import dataclasses

from analysis.words.figure_fields import number


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TokenSources:
    """Who counted the tokens of the successes."""

    service_token_share: float | None = number(
        "successes whose output tokens the service counted / successes", better="higher"
    )
    tokenizer_token_share: float | None = number("successes whose output tokens a tokenizer counted / successes")
    prompt_service_token_share: float | None = number(
        "successes whose prompt tokens the service counted / successes", better="higher"
    )
    prompt_tokenizer_token_share: float | None = number("successes whose prompt tokens a tokenizer counted / successes")
    prompt_payload_token_share: float | None = number(
        "successes whose prompt tokens the payload file states / successes"
    )
