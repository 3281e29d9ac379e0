"""The schema that a prompt shows, where a client describes in words the JSON that it wants."""

import json

_MOST = 50  # braces that are looked behind


def shown(prompt: str) -> dict | None:
    """The last JSON schema of an object with properties in a text; None without one."""
    if '"properties"' not in prompt:
        return None
    decoder, at, found = json.JSONDecoder(), prompt.find("{"), None
    for _ in range(_MOST):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(prompt, at)
            found = value if isinstance(value.get("properties"), dict) else found
        except (ValueError, RecursionError):
            end = at + 1
        at = prompt.find("{", end)
    return found
