"""Bodies of Converse, and of Claude and Nova, whose messages are made of blocks with cache points between them."""

import typing

from locustfiles.common.body_parts import Split, known, merged, turns_of
from locustfiles.common.payloads import BadPayload, Prompt
from locustfiles.common.targets import BedrockTarget
from locustfiles.common.yaml_file import BadScenario

_CONVERSE_MEMBERS = frozenset(
    "system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables "
    "additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig".split()
)
_DEFAULT_CACHE_POINT = {"type": "default"}


def _blocks(content: str | list[dict]) -> list[dict]:
    """Content as Converse has it: texts and cache points."""
    if isinstance(content, str):
        return [{"text": content}]
    return [{"text": part["text"]} if "text" in part else part for part in content]


def _turn_blocks(messages: list[dict]) -> list[dict]:
    return [{"role": m["role"], "content": _blocks(m["content"])} for m in messages]


def converse(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    system, messages = turns_of(target, prompt)
    document: dict[str, typing.Any] = {"messages": _turn_blocks(messages)}
    if target.system is None and prompt.messages is not None:
        system = [block for m in prompt.messages if m["role"] == "system" for block in _blocks(m["content"])]
    else:
        system = [{"text": text} for text in system]
        if target.cache_system:
            system.append({"cachePoint": _DEFAULT_CACHE_POINT})
    document |= known(system=system or None, inferenceConfig=_inference_config(split) or None)
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
    return merged(document, members, prompt)


def _inference_config(split: Split) -> dict:
    return known(maxTokens=split.max_tokens, temperature=split.temperature, topP=split.top_p, stopSequences=split.stop)


def nova(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    system, messages = turns_of(target, prompt)
    document: dict[str, typing.Any] = {"schemaVersion": "messages-v1", "messages": _turn_blocks(messages)}
    if system:
        document["system"] = [{"text": text} for text in system]
    return merged(document | known(inferenceConfig=_inference_config(split) or None), split.rest, prompt)


def claude(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    if split.max_tokens is None:
        raise BadScenario(f"target `{target.name}`: Claude's body needs `max_tokens`; add it to `parameters:`")
    system, messages = turns_of(target, prompt)
    if prompt.cached:
        messages = [{"role": m["role"], "content": _claude_parts(m["content"], prompt)} for m in messages]
    document = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": split.max_tokens, "messages": messages}
    document |= known(
        system=_claude_system(target, prompt, system),
        temperature=split.temperature,
        top_p=split.top_p,
        stop_sequences=split.stop,
    )
    return merged(document, split.rest, prompt)


def _claude_system(target: BedrockTarget, prompt: Prompt, texts: list[str]) -> str | list[dict] | None:
    if target.cache_system:
        return [{"type": "text", "text": target.system, "cache_control": {"type": "ephemeral"}}]
    if prompt.cached and target.system is None:
        own = (m["content"] for m in prompt.messages if m["role"] == "system")
        return [part for content in own for part in _claude_parts(content, prompt)] or None
    return "\n\n".join(texts) or None


def _claude_parts(content: str | list[dict], prompt: Prompt) -> list[dict]:
    """Content as Claude has it: a cache point is a mark on the part before it."""
    parts: list[dict] = []
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        if "text" in part:
            parts.append(part)
            continue
        if not parts:
            raise BadPayload(f"prompt `{prompt.id}` has a `cachePoint` with no text before it; move it behind one")
        ttl = known(ttl=part["cachePoint"].get("ttl"))
        parts[-1] = parts[-1] | {"cache_control": {"type": "ephemeral"} | ttl}
    return parts
