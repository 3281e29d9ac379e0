"""A plan as JSON, as it would be sent: without the values that `env_from:` took in."""

import json
import typing

from scripts.endpoints.deployment import Planned

HIDDEN = "[from the environment]"


def shown(planned: Planned) -> str:
    """One object an operation, in the order in which they are made."""
    kept = set(planned.secrets)

    def hidden(value: typing.Any) -> typing.Any:
        if isinstance(value, dict):
            return {key: hidden(each) for key, each in value.items()}
        if isinstance(value, list):
            return [hidden(each) for each in value]
        return HIDDEN if isinstance(value, str) and value in kept else value

    return json.dumps([{each.operation: hidden(each.body)} for each in planned.requests], indent=1)
