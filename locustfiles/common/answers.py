"""What an answer says, per family: an event of its stream, and its whole body when it was not streamed.

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
    usage = part(holder, "usage")
    draft.count(
        prompt_tokens=usage.get("inputTokens"),
        completion_tokens=usage.get("outputTokens"),
        cache_read_tokens=usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount")),
        cache_write_tokens=usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount")),
    )
    draft.service_times(part(holder, "metrics").get("latencyMs"))


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


# --- Llama on Bedrock ---


def llama_event(draft: Draft, event: dict, time: float | None) -> None:
    """One chunk of a stream, or with `time` None a whole answer: both have the same keys."""
    draft.say(event.get("generation"), time)
    draft.count(prompt_tokens=event.get("prompt_token_count"), completion_tokens=event.get("generation_token_count"))
    if event.get("stop_reason") is not None:
        draft.closed = True
        draft.stop(event["stop_reason"])


def llama_whole(draft: Draft, answer: dict) -> None:
    llama_event(draft, answer, None)
    if type(answer.get("generation")) is not str:
        draft.fail(ErrorClass.BAD_RESPONSE, None, "no `generation` in the answer")


# --- TGI and LMI ---


def text_generation_event(draft: Draft, event: dict, time: float) -> None:
    token = part(event, "token")
    if not (token.get("special") or token.get("special_token")):
        draft.say(token.get("text"), time)
    generated = event.get("generated_text")
    if type(generated) is str:
        draft.closed = True
        if not draft.times:  # a container that answered a streamed request in one piece
            draft.say(_without_echo(draft, generated), time)
    _text_generation_details(draft, event)


def text_generation_whole(draft: Draft, answer: dict) -> None:
    if type(answer.get("generated_text")) is str:
        draft.say(_without_echo(draft, answer["generated_text"]), None)
    else:
        draft.fail(ErrorClass.BAD_RESPONSE, None, "no `generated_text` in the answer")
    _text_generation_details(draft, answer)


def _without_echo(draft: Draft, text: str) -> str:
    return text.removeprefix(draft.echo) if draft.echo else text


def _text_generation_details(draft: Draft, holder: dict) -> None:
    details = part(holder, "details")
    if not details:
        return
    prefill = details.get("prefill")
    prompt_tokens = details.get("input_length", details.get("prompt_tokens"))
    if prompt_tokens is None and type(prefill) is list and prefill:
        prompt_tokens = len(prefill)
    draft.count(prompt_tokens=prompt_tokens, completion_tokens=details.get("generated_tokens"))
    draft.stop(details.get("finish_reason"))
    if details.get("finish_reason") == "error":
        draft.fail(ErrorClass.BAD_RESPONSE, "error", "the container ended the generation with finish_reason error")


# --- OpenAI chat completions ---


def openai_event(draft: Draft, event: dict, time: float) -> None:
    for choice in objects(event, "choices"):
        _openai_message(draft, part(choice, "delta"), time)
        draft.stop(choice.get("finish_reason"))
    _openai_usage(draft, event)


def openai_whole(draft: Draft, answer: dict) -> None:
    choices = objects(answer, "choices")
    if not any("message" in choice for choice in choices):
        draft.fail(ErrorClass.BAD_RESPONSE, None, "no `choices[0].message` in the answer")
    for choice in choices:
        _openai_message(draft, part(choice, "message"), None)
        draft.stop(choice.get("finish_reason"))
    _openai_usage(draft, answer)


def _openai_message(draft: Draft, message: dict, time: float | None) -> None:
    if "reasoning_content" in message or "reasoning" in message:
        draft.reason(message.get("reasoning_content") or message.get("reasoning"), time)
    draft.say(message.get("content") or message.get("refusal"), time)
    if "tool_calls" in message:
        for call in objects(message, "tool_calls"):
            draft.produce(part(call, "function").get("arguments"), time)
            draft.produced = True


def _openai_usage(draft: Draft, holder: dict) -> None:
    usage = part(holder, "usage")
    if not usage:
        return
    prompt, cached = usage.get("prompt_tokens"), part(usage, "prompt_tokens_details").get("cached_tokens")
    if type(prompt) is int and type(cached) is int and 0 < cached <= prompt:
        prompt -= cached  # counted apart, as everywhere in the record
    draft.count(prompt_tokens=prompt, completion_tokens=usage.get("completion_tokens"), cache_read_tokens=cached)
    hidden = part(usage, "completion_tokens_details").get("reasoning_tokens")
    draft.concealed |= type(hidden) is int and hidden > 0
