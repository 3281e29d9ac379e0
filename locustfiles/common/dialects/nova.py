"""Nova: Converse's messages in a body of its own, and Converse's events as keys."""

import typing

from locustfiles.common.dialects.body_parts import Split, known, merged, turns_of
from locustfiles.common.dialects.converse import converse_event, inference_config, system_blocks, turn_blocks
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.targets import BedrockTarget


def nova_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    system, messages = turns_of(target, prompt)
    document: dict[str, typing.Any] = {"schemaVersion": "messages-v1", "messages": turn_blocks(messages)}
    if system:
        document["system"] = system_blocks(target, prompt, system)
    return merged(document | known(inferenceConfig=inference_config(split) or None), split.rest, prompt)


def nova_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    for kind, inner in event.items():
        if type(inner) is dict:
            converse_event(builder, kind, inner, time)
