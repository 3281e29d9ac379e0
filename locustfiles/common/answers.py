"""What an answer says, per family: an event of its stream, and its whole body when it was not streamed.
Here Converse and the families whose messages are made of blocks; `text_answers` and `container_answers` have the others.

Each function feeds a `Draft`. An object that is not of the expected shape says nothing; a stream is
then not whole, a body cannot be read.
"""

from locustfiles.common.errors import ErrorClass
from locustfiles.common.reading import Draft


def part(holder: dict, key: str) -> dict:
    """The object under `key`, else an empty one: answers have nulls where something is not known."""
    value = holder.get(key)
    return value if type(value) is dict else {}


def objects(holder: dict, key: str) -> list[dict]:
    value = holder.get(key)
    return [item for item in value if type(item) is dict] if type(value) is list else []


# --- Converse, and Nova whose bodies have its events as keys ---


def converse_event(draft: Draft, kind: str | None, event: dict, time: float) -> None:
    if kind == "contentBlockDelta":
        delta = part(event, "delta")
        if "text" in delta:
            draft.say(delta["text"], time)
        elif "toolUse" in delta:
            draft.produce(part(delta, "toolUse").get("input"), time)
        elif "reasoningContent" in delta:
            content = part(delta, "reasoningContent")
            draft.reason(content.get("text"), time)
            draft.concealed |= "signature" in content
            draft.redacted |= "redactedContent" in content
    elif kind == "contentBlockStart":
        draft.produced |= "toolUse" in part(event, "start")
    elif kind == "messageStop":
        draft.closed = True
        draft.stop(event.get("stopReason"))
    elif kind == "metadata":
        _converse_usage(draft, event)


def converse_whole(draft: Draft, answer: dict) -> None:
    _converse_usage(draft, answer)
    draft.stop(answer.get("stopReason"))
    message = part(part(answer, "output"), "message")
    if type(message.get("content")) is not list:
        draft.fail(ErrorClass.BAD_RESPONSE, None, "no `output.message.content` in the answer")
    for block in objects(message, "content"):
        draft.say(block.get("text"), None)
        draft.produced |= "toolUse" in block
        if "reasoningContent" in block:
            content = part(block, "reasoningContent")
            draft.reason(part(content, "reasoningText").get("text"), None)
            draft.concealed |= "signature" in part(content, "reasoningText")
            draft.redacted |= "redactedContent" in content


def _converse_usage(draft: Draft, holder: dict) -> None:
    """What it took, and what was served."""
    usage = part(holder, "usage")
    draft.count(
        prompt_tokens=usage.get("inputTokens"),
        completion_tokens=usage.get("outputTokens"),
        cache_read_tokens=usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount")),
        cache_write_tokens=usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount")),
    )
    draft.service_times(part(holder, "metrics").get("latencyMs"))
    draft.serve(part(holder, "performanceConfig").get("latency"), part(holder, "serviceTier").get("type"))


def nova_event(draft: Draft, event: dict, time: float) -> None:
    for kind, inner in event.items():
        if type(inner) is dict:
            converse_event(draft, kind, inner, time)


# --- Claude messages ---


def claude_event(draft: Draft, event: dict, time: float) -> None:
    kind = event.get("type")
    if kind == "content_block_delta":
        delta = part(event, "delta")
        match delta.get("type"):
            case "text_delta":
                draft.say(delta.get("text"), time)
            case "thinking_delta":
                draft.reason(delta.get("thinking"), time)
            case "input_json_delta":
                draft.produce(delta.get("partial_json"), time)
            case "signature_delta":
                draft.concealed = True
    elif kind == "content_block_start":
        _claude_block(draft, part(event, "content_block"))
    elif kind == "message_start":
        # its output_tokens is a placeholder, the count comes with message_delta
        _claude_usage(draft, part(part(event, "message"), "usage"), final=False)
    elif kind == "message_delta":
        draft.stop(part(event, "delta").get("stop_reason"))
        _claude_usage(draft, part(event, "usage"), final=True)
    elif kind == "message_stop":
        draft.closed = True


def claude_whole(draft: Draft, answer: dict) -> None:
    _claude_usage(draft, part(answer, "usage"), final=True)
    draft.stop(answer.get("stop_reason"))
    if type(answer.get("content")) is not list:
        draft.fail(ErrorClass.BAD_RESPONSE, None, "no `content` in the answer")
    for block in objects(answer, "content"):
        _claude_block(draft, block)
        draft.say(block.get("text"), None)
        draft.reason(block.get("thinking"), None)
        draft.concealed |= "signature" in block


def _claude_block(draft: Draft, block: dict) -> None:
    kind = block.get("type")
    draft.produced |= kind == "tool_use"
    draft.redacted |= kind == "redacted_thinking"


def _claude_usage(draft: Draft, usage: dict, final: bool) -> None:
    draft.count(
        prompt_tokens=usage.get("input_tokens"),
        completion_tokens=usage.get("output_tokens") if final else None,
        cache_read_tokens=usage.get("cache_read_input_tokens"),
        cache_write_tokens=usage.get("cache_creation_input_tokens"),
    )
