"""Parameters that decide what a call is billed: they would pass the target's price by, however they are spelled."""

import re
import typing

from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, Target

#: a parameter's name, without case and signs -> the target's key for it
_PRICED = {"servicetier": "service_tier", "performanceconfig": "latency", "performanceconfiglatency": "latency"}
#: parameters that hold others: what a client or a gateway unpacks into body or headers
_HOLDERS = {
    "additionalmodelrequestfields",
    "extrabody",
    "extraheaders",
    "extraquery",
    "headers",
    "modelkwargs",
    "parameters",
}


def check_price(target: Target, prompt: Prompt, parameters: dict[str, typing.Any]) -> None:
    """Raises BadPayload or BadScenario for a tier or latency that would pass the price by."""
    if not isinstance(target, BedrockTarget | OpenAITarget):
        return
    own = isinstance(target, OpenAITarget) and (target.price is not None or target.instance_type is not None)
    for path, key, value in _priced(parameters, "parameters", 0):
        if own or value is None or (isinstance(target, OpenAITarget) and value == "default"):
            continue
        remedy = (
            f"write it as the target's `{key}:`" if isinstance(target, BedrockTarget) else "add the target's `price:`"
        )
        top = path.split(".")[1]
        bad, place = (BadPayload, f"prompt `{prompt.id}`: ") if top in prompt.parameters else (BadScenario, "")
        raise bad(f"target `{target.name}`: {place}`{path}` decides the price, which no price book has; {remedy}")


def _priced(values: dict[str, typing.Any], path: str, depth: int) -> typing.Iterator[tuple[str, str, typing.Any]]:
    """(path, key of the target, value) of each, also in what holds parameters."""
    for name, value in values.items():
        plain = re.sub("[^a-z]", "", str(name).lower()).removeprefix("xamznbedrock")
        if plain in _PRICED:
            yield f"{path}.{name}", _PRICED[plain], value
        elif plain in _HOLDERS and isinstance(value, dict) and depth < 5:
            yield from _priced(value, f"{path}.{name}", depth + 1)
