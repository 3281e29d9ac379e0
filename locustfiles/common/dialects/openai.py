"""Everything OpenAI-shaped: chats on containers, OpenAI's routes and Bedrock (Mistral's too), and their answers."""

from locustfiles.common.dialects.answer_parts import ends, objects, part
from locustfiles.common.dialects.body_parts import (
    Split,
    chat_turns,
    merged,
    model_of,
    sampling,
)
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import Target


def openai_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    for choice in objects(event, "choices"):
        _openai_choice(builder, choice, "delta", time)
    _openai_usage(builder, event)


def openai_whole(builder: AnswerBuilder, answer: dict) -> None:
    choices = objects(answer, "choices")
    if not any("message" in choice or "text" in choice for choice in choices):
        builder.fail(ErrorClass.BAD_RESPONSE, None, "neither `message` nor `text` in `choices[0]` of the answer")
    for choice in choices:
        _openai_choice(builder, choice, "message", None)
    _openai_usage(builder, answer)


def bedrock_chat_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    """On Bedrock a stream ends with the chunk that has a finish reason; Mistral's has `message` for `delta`."""
    for choice in objects(event, "choices"):
        _openai_choice(builder, choice, "message" if "message" in choice else "delta", time)
    _openai_usage(builder, event)
    builder.closed |= builder.parsed.stop_reason is not None


def _openai_choice(builder: AnswerBuilder, choice: dict, key: str, time: float | None) -> None:
    """One choice of a chat (`key`: where its message is) or of completions (`text`)."""
    builder.say(choice.get("text"), time)
    _openai_message(builder, part(choice, key), time)
    ends(builder, choice.get("finish_reason") or choice.get("stop_reason"))


def _openai_message(builder: AnswerBuilder, message: dict, time: float | None) -> None:
    if "reasoning_content" in message or "reasoning" in message:
        builder.reason(message.get("reasoning_content") or message.get("reasoning"), time)
    builder.say_tagged(message.get("content") or message.get("refusal"), time)
    if "tool_calls" in message:
        for call in objects(message, "tool_calls"):
            builder.produce(part(call, "function").get("arguments"), time)
            builder.produced = True


def _openai_usage(builder: AnswerBuilder, holder: dict) -> None:
    usage = part(holder, "usage")
    if not usage:
        return
    prompt, cached = usage.get("prompt_tokens"), part(usage, "prompt_tokens_details").get("cached_tokens")
    if type(prompt) is int and type(cached) is int and 0 < cached <= prompt:
        prompt -= cached  # counted apart, as everywhere in the record
    builder.count(prompt_tokens=prompt, completion_tokens=usage.get("completion_tokens"), cache_read_tokens=cached)
    hidden = part(usage, "completion_tokens_details").get("reasoning_tokens")
    builder.count(reasoning_tokens=hidden)
    builder.concealed |= type(hidden) is int and hidden > 0


def mistral_chat_body(target: Target, prompt: Prompt, split: Split) -> dict:
    return merged({"messages": chat_turns(target, prompt)} | sampling(split), split.rest, prompt)


def openai_chat_body(target: Target, prompt: Prompt, split: Split) -> dict:
    document = model_of(target) | {"messages": chat_turns(target, prompt)} | sampling(split)
    if target.service == "bedrock":
        if "max_tokens" in document:
            document["max_completion_tokens"] = document.pop("max_tokens")
    elif target.stream:
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    return merged(document, split.rest, prompt)
