"""Converse: one body and one answer for all models, made of blocks with cache points between them."""

import typing

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.billed import cache_details, trace
from locustfiles.common.dialects.body_parts import Split, known, merged, turns_of
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.images import image_in
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget, Target

_CONVERSE_MEMBERS = frozenset(
    "system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables "
    "additionalModelResponseFieldPaths requestMetadata projectIdentifier performanceConfig serviceTier outputConfig".split()
)
#: members of a content block that are read by themselves, or are no output
_TOLD = frozenset("text reasoningContent citationsContent cachePoint".split())
_SERVED = frozenset("toolUse toolResult".split())  # whole in the event that begins a block


def blocks(content: str | list[dict]) -> list[dict]:
    """Content as Converse has it: its own blocks as they are."""
    return [{"text": content}] if isinstance(content, str) else [_block(part) for part in content]


def _block(part: dict) -> dict:
    if image := image_in(part):
        return {"image": {"format": image.format, "source": {"bytes": image.base64}}}
    return {"text": part["text"]} if part.get("type") == "text" else part


def turn_blocks(messages: list[dict]) -> list[dict]:
    return [{"role": m["role"], "content": blocks(m["content"])} for m in messages]


def system_blocks(target: Target, prompt: Prompt, texts: list[str]) -> list[dict]:
    """texts: the system prompt's, as `turns_of` has them."""
    if target.system is not None or prompt.messages is None:
        return [{"text": text} for text in texts]
    return [block for m in prompt.led_by for block in blocks(m["content"])]


def converse_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    texts, messages = turns_of(target, prompt)
    document: dict[str, typing.Any] = {"messages": turn_blocks(messages)}
    system = system_blocks(target, prompt, texts)
    if target.cache_system:
        system.append({"cachePoint": {"type": "default"} | known(ttl=target.cache_ttl)})
    document |= known(system=system or None, inferenceConfig=inference_config(split) or None)
    if target.guardrail:
        named = {"guardrailIdentifier": target.guardrail.id, "guardrailVersion": target.guardrail.version}
        document["guardrailConfig"] = named
    if target.latency:
        document["performanceConfig"] = {"latency": target.latency}
    if target.service_tier:
        document["serviceTier"] = {"type": target.service_tier}
    members = {key: value for key, value in split.rest.items() if key in _CONVERSE_MEMBERS}
    models_own = {key: value for key, value in split.rest.items() if key not in _CONVERSE_MEMBERS}
    if models_own:
        document["additionalModelRequestFields"] = models_own
    document = merged(document, members, prompt)
    if guard := part(document, "guardrailConfig"):
        document["guardrailConfig"] = {"trace": "enabled"} | guard  # it says what the guardrail bills
    return document


def inference_config(split: Split) -> dict:
    return known(maxTokens=split.max_tokens, temperature=split.temperature, topP=split.top_p, stopSequences=split.stop)


def converse_event(builder: AnswerBuilder, kind: str | None, event: dict, time: float) -> None:
    if kind == "contentBlockDelta":
        delta = part(event, "delta")
        if "text" in delta:
            builder.say(delta["text"], time)
        elif "toolUse" in delta:
            builder.produce(part(delta, "toolUse").get("input"), time)
        elif "reasoningContent" in delta:
            content = part(delta, "reasoningContent")
            builder.reason(content.get("text"), time)
            builder.concealed |= "signature" in content
            builder.redacted |= "redactedContent" in content
        elif "citation" not in delta:  # which says where a text is from
            _other_content(builder, delta, time)
    elif kind == "contentBlockStart":
        builder.produced |= any(key in part(event, "start") for key in _SERVED)
    elif kind == "messageStop":
        builder.closed = True
        builder.stop(event.get("stopReason"))
    elif kind == "metadata":
        _converse_usage(builder, event)


def converse_whole(builder: AnswerBuilder, answer: dict) -> None:
    _converse_usage(builder, answer)
    builder.stop(answer.get("stopReason"))
    message = part(part(answer, "output"), "message")
    if type(message.get("content")) is not list:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `output.message.content` in the answer")
    for block in objects(message, "content"):
        builder.say(block.get("text"), None)
        for cited in objects(part(block, "citationsContent"), "content"):
            builder.say(cited.get("text"), None)
        _other_content(builder, block, None)
        if "reasoningContent" in block:
            content = part(block, "reasoningContent")
            builder.reason(part(content, "reasoningText").get("text"), None)
            builder.concealed |= "signature" in part(content, "reasoningText")
            builder.redacted |= "redactedContent" in content


def _other_content(builder: AnswerBuilder, block: dict, time: float | None) -> None:
    """What is neither text nor reasoning: tools, images, sound, video, and what nobody knows yet; one that failed is none.

    What the service puts in by itself (the result of its own tool) has no time: the model did not write it."""
    for kind, content in block.items():
        if kind in _TOLD or not content or (type(content) is dict and content.get("error")):
            continue
        builder.produced = True
        if time is not None and kind not in _SERVED:
            builder.times.append(time)


def _converse_usage(builder: AnswerBuilder, holder: dict) -> None:
    """What it took, and what was served."""
    usage = builder.usage(holder)
    builder.count(
        prompt_tokens=usage.get("inputTokens"),
        completion_tokens=usage.get("outputTokens"),
        cache_read_tokens=usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount")),
        cache_write_tokens=usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount")),
    )
    cache_details(builder, usage)
    trace(builder, part(holder, "trace"))
    builder.service_times(part(holder, "metrics").get("latencyMs"))
    builder.serve(part(holder, "performanceConfig").get("latency"), part(holder, "serviceTier").get("type"))
