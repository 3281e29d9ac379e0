"""What the body functions share: parameters taken apart, a prompt's turns and texts, and merging."""

import typing

from locustfiles.common.prompts.messages import texts_of
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.scenario.targets import OpenAITarget, SageMakerTarget, Target


class Split:
    """Parameters apart: the four that are translated (None when absent) and the rest."""

    def __init__(self, parameters: dict[str, typing.Any]) -> None:
        self.all = parameters
        self.rest = dict(parameters)
        self.max_tokens = self.rest.pop("max_tokens", None)
        self.temperature = self.rest.pop("temperature", None)
        self.top_p = self.rest.pop("top_p", None)
        stop = self.rest.pop("stop", None)
        self.stop: list[str] | None = [stop] if isinstance(stop, str) else stop


def known(**values: typing.Any) -> dict[str, typing.Any]:
    return {key: value for key, value in values.items() if value is not None}


def merged(document: dict, rest: dict, prompt: Prompt) -> dict:
    """`rest` over the document's top level; objects of one name are merged, and null takes away what would be sent."""
    for key, value in rest.items():
        if key == "system" and key in document:
            raise BadPayload(f"prompt `{prompt.id}`: has a system message and `parameters` a `system`; keep one")
        if value is None and document.pop(key, None) is not None:
            continue
        own = document.get(key)
        document[key] = own | value if isinstance(value, dict) and isinstance(own, dict) else value
    return document


def messages_of(prompt: Prompt) -> list[dict]:
    return [{"role": "user", "content": prompt.text}] if prompt.messages is None else prompt.messages


def turns_of(target: Target, prompt: Prompt) -> tuple[list[str], list[dict]]:
    """The texts of the system prompt, and the messages behind it, which may have system messages of their own. Raises BadPayload."""
    own, lead = [] if target.system is None else [target.system], prompt.led_by
    if own and lead:
        raise BadPayload(f"prompt `{prompt.id}`: has a system message and target `{target.name}` a `system`; keep one")
    return own or [text for m in lead for text in texts_of(m["content"])], messages_of(prompt)[len(lead) :]


def sampling(split: Split) -> dict:
    return known(max_tokens=split.max_tokens, temperature=split.temperature, top_p=split.top_p, stop=split.stop)


def model_of(target: Target) -> dict:
    """OpenAI's routes and SageMaker's gateways name the model in the body; AWS's others name it in the path."""
    named = isinstance(target, OpenAITarget) or (isinstance(target, SageMakerTarget) and target.gateway)
    return {"model": target.model_id} if named else {}


def chat_turns(target: Target, prompt: Prompt) -> list[dict]:
    if target.system is None:
        return messages_of(prompt)
    system, turns = turns_of(target, prompt)
    return [{"role": "system", "content": system[0]}, *turns]
