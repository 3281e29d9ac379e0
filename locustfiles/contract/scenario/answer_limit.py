"""The most tokens that a request's parameters let an answer have, whatever the API calls that limit."""

import typing

#: `max_tokens` is translated for every dialect; the others go into the body as they are, at its top or in an object of it
NAMES = (
    "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "max_gen_len", "maxTokens", "maxTokenCount",
)  # fmt: skip


def answer_limit(parameters: typing.Mapping[str, typing.Any]) -> int | None:
    """Tokens; the largest where several names have one, for a service may follow any; None where none has."""
    inside = [value for value in parameters.values() if isinstance(value, dict)]
    found = [limit for place in (parameters, *inside) for name in NAMES if type(limit := place.get(name)) is int]
    return max(found, default=None)
