"""Claude's messages: a body made of blocks with cache points as marks on them, and the events of its answer."""

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.billed import cache_creation
from locustfiles.common.dialects.body_parts import Split, known, merged, model_of, turns_of
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.images import image_in
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget


def claude_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """Of InvokeModel, whose path names the model, and whether it streams."""
    return _body(target, prompt, split, {"anthropic_version": "bedrock-2023-05-31"})


def messages_body(target: OpenAITarget, prompt: Prompt, split: Split) -> dict:
    """Of Anthropic's own route."""
    return _body(target, prompt, split, model_of(target) | known(stream=True if target.stream else None))


def _body(target: BedrockTarget | OpenAITarget, prompt: Prompt, split: Split, own: dict) -> dict:
    if split.max_tokens is None:
        raise BadScenario(f"target `{target.name}`: Claude's body needs `max_tokens`; add it to `parameters:`")
    system, messages = turns_of(target, prompt)
    if prompt.cached or prompt.pictured:
        messages = [{"role": m["role"], "content": _claude_parts(m["content"], prompt)} for m in messages]
    document = own | {"max_tokens": split.max_tokens, "messages": messages}
    document |= known(
        system=_claude_system(target, prompt, system),
        temperature=split.temperature,
        top_p=split.top_p,
        stop_sequences=split.stop,
    )
    return merged(document, split.rest, prompt)


def _claude_system(target: BedrockTarget | OpenAITarget, prompt: Prompt, texts: list[str]) -> str | list[dict] | None:
    if isinstance(target, BedrockTarget) and target.cache_system:
        mark = {"type": "ephemeral"} | known(ttl=target.cache_ttl)
        return [{"type": "text", "text": target.system, "cache_control": mark}]
    lead = [m["content"] for m in prompt.led_by]
    if target.system is None and (prompt.cached or any(_marked(content) for content in lead)):
        return [part for content in lead for part in _claude_parts(content, prompt)] or None
    return "\n\n".join(texts) or None


def _claude_parts(content: str | list[dict], prompt: Prompt) -> list[dict]:
    """Content as Claude has it: a cache point is a mark on the part before it."""
    parts: list[dict] = []
    pieces: list[dict] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for piece in pieces:
        if image := image_in(piece):
            source = {"type": "base64", "media_type": f"image/{image.format}", "data": image.base64}
            parts.append({"type": "image", "source": source})
        elif "cachePoint" not in piece:
            parts.append(piece)
        elif not parts:
            raise BadPayload(f"prompt `{prompt.id}` has a `cachePoint` with no text before it; move it behind one")
        else:
            ttl = known(ttl=piece["cachePoint"].get("ttl"))
            parts[-1] = parts[-1] | {"cache_control": {"type": "ephemeral"} | ttl}
    return parts


def _marked(content: str | list[dict]) -> bool:
    """Whether parts say more than their text."""
    return isinstance(content, list) and any(part.keys() - {"type", "text"} for part in content)


def claude_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    kind = event.get("type")
    if kind == "content_block_delta":
        delta = part(event, "delta")
        match delta.get("type"):
            case "text_delta":
                builder.say(delta.get("text"), time)
            case "thinking_delta":
                builder.reason(delta.get("thinking"), time)
            case "input_json_delta":
                builder.produce(delta.get("partial_json"), time)
            case "signature_delta":
                builder.concealed = True
    elif kind == "content_block_start":
        _claude_block(builder, part(event, "content_block"))
    elif kind == "message_start":
        builder.identify(part(event, "message").get("id"))
        # its output_tokens is a placeholder, the count comes with message_delta
        _claude_usage(builder, builder.usage(part(event, "message")), final=False)
    elif kind == "message_delta":
        builder.stop(part(event, "delta").get("stop_reason"))
        _claude_usage(builder, builder.usage(event), final=True)
    elif kind == "message_stop":
        builder.closed = True


def claude_whole(builder: AnswerBuilder, answer: dict) -> None:
    builder.identify(answer.get("id"))
    _claude_usage(builder, builder.usage(answer), final=True)
    builder.stop(answer.get("stop_reason"))
    if type(answer.get("content")) is not list:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `content` in the answer")
    for block in objects(answer, "content"):
        _claude_block(builder, block)
        builder.say(block.get("text"), None)
        builder.reason(block.get("thinking"), None)
        builder.concealed |= "signature" in block


def _claude_block(builder: AnswerBuilder, block: dict) -> None:
    kind = block.get("type")
    # tools, the service's own tools and their results: an answer of nothing else is not empty
    builder.produced |= isinstance(kind, str) and kind not in ("text", "thinking", "redacted_thinking")
    builder.redacted |= kind == "redacted_thinking"


def _claude_usage(builder: AnswerBuilder, usage: dict, final: bool) -> None:
    builder.count(
        prompt_tokens=usage.get("input_tokens"),
        completion_tokens=usage.get("output_tokens") if final else None,
        cache_read_tokens=usage.get("cache_read_input_tokens"),
        cache_write_tokens=usage.get("cache_creation_input_tokens"),
    )
    cache_creation(builder, part(usage, "cache_creation"))
