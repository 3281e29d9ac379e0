"""How much effort a request asks the model to make, whatever its API calls that."""

import typing

#: where it stands: a parameter, or a parameter and the member of it
_PLACES: tuple[tuple[str, ...], ...] = (
    ("effort",),
    ("reasoning_effort",),
    ("outputConfig", "effort"),
    ("output_config", "effort"),
    ("reasoning", "effort"),
    ("reasoningConfig", "maxReasoningEffort"),
)
#: parameters that hold others
_HOLDERS = ("additionalModelRequestFields", "extra_body")


def asked_effort(parameters: typing.Mapping[str, typing.Any]) -> str | None:
    """`high`, as it is written; None where nothing asks for any."""
    holders = (parameters, *(parameters.get(name) for name in _HOLDERS))
    for holder in holders:
        for place in _PLACES:
            found: typing.Any = holder
            for key in place:
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, str) and found.strip():
                return " ".join(found.split())[:64]
    return None
