"""Everything OpenAI-shaped: chats on containers, OpenAI's routes and Bedrock (Mistral's too), and their answers."""

from locustfiles.common.dialects.answer_parts import begins_or_ends, ends, objects, part
from locustfiles.common.dialects.billed import cache_creation
from locustfiles.common.dialects.body_parts import (
    Split,
    chat_turns,
    merged,
    model_of,
    sampling,
)
from locustfiles.common.dialects.error_answers import error_event
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.dialects.token_counts import whole_number
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import Target


def openai_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    """A stream's event; the stream is whole when every choice that began has ended, which the reader of its lines looks at."""
    if _plain_text(builder, event, time):
        return
    for choice in _event(builder, event):
        if "message" in choice and "delta" not in choice:  # a whole answer in one event
            if not builder.times:
                _openai_choice(builder, choice, "message", None)
        else:
            _openai_choice(builder, choice, "delta", time)


_TEXT = frozenset(("role", "content"))
_BEYOND = ("finish_reason", "stop_reason", "usage", "error")


def _plain_text(builder: AnswerBuilder, event: dict, time: float) -> bool:
    """Read an event that is nothing but a piece of one choice's text, as nearly all of them are; False of any other."""
    choices, of = event.get("choices"), event.get
    if type(choices) is not list or len(choices) != 1 or of("usage") or of("x_groq") or of("service_tier"):
        return False
    choice = choices[0]
    delta = choice.get("delta") if type(choice) is dict else None
    if type(delta) is not dict or not _TEXT.issuperset(delta) or any(map(choice.get, _BEYOND)) or "text" in choice:
        return False
    content = delta.get("content")
    if type(content) is not str:
        return False
    builder.identify(of("id"))
    begins_or_ends(builder, 0, choice, None)
    builder.say_tagged(content, time)
    return True


def _event(builder: AnswerBuilder, event: dict) -> list[dict]:
    """The choices of a stream's event, each noted as begun or ended; id and usage are read."""
    builder.identify(event.get("id"))
    choices = objects(event, "choices")
    holder = _holder(event, choices)
    if tier := holder.get("service_tier"):
        builder.billing.tier = tier
    if holder.get("usage"):
        openai_usage(builder, holder)
        told = whole_number(part(holder, "usage").get("completion_tokens"))
        if told is not None:
            builder.usages.append(told)
    for place, choice in enumerate(choices):
        begins_or_ends(builder, place, choice, _reason(choice))
    return choices


def _holder(event: dict, choices: list[dict]) -> dict:
    """Where the usage is: Moonshot counts in the choice, Groq in a part of its own."""
    if event.get("usage"):
        return event
    for choice in choices:
        if choice.get("usage"):
            return choice
    groqs = part(event, "x_groq")
    return groqs if groqs.get("usage") else event


def openai_whole(builder: AnswerBuilder, answer: dict) -> None:
    builder.identify(answer.get("id"))
    choices = objects(answer, "choices")
    if not any("message" in choice or "text" in choice for choice in choices):
        builder.fail(ErrorClass.BAD_RESPONSE, None, "neither `message` nor `text` in `choices[0]` of the answer")
    for choice in choices:
        _openai_choice(builder, choice, "message", None)
    openai_usage(builder, answer)


def bedrock_chat_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    """On Bedrock a stream ends with the chunk that has the last finish reason; Mistral's has `message` for `delta`."""
    for choice in _event(builder, event):
        _openai_choice(builder, choice, "message" if "message" in choice else "delta", time)
    builder.closed |= builder.all_choices_ended


def _openai_choice(builder: AnswerBuilder, choice: dict, key: str, time: float | None) -> None:
    """One choice of a chat (`key`: where its message is) or of completions (`text`)."""
    if "text" in choice:
        builder.say(choice["text"], time)
    if message := part(choice, key):
        _openai_message(builder, message, time)
    if "error" in choice and part(choice, "error"):  # a gateway's, of this choice alone
        error_event(builder, choice)
    if reason := _reason(choice):
        ends(builder, reason)


def _reason(choice: dict) -> object:
    return choice.get("finish_reason") or choice.get("stop_reason")


def _openai_message(builder: AnswerBuilder, message: dict, time: float | None) -> None:
    if "reasoning_content" in message or "reasoning" in message:
        builder.reason(message.get("reasoning_content") or message.get("reasoning"), time)
    content = message.get("content")
    if type(content) is list:  # Mistral's reasoning models answer in parts
        _openai_parts(builder, message, time)
    else:
        builder.say_tagged(content or message.get("refusal"), time)
    if not _BESIDE.isdisjoint(message):
        _beside_text(builder, message, time)


_BESIDE = frozenset(("audio", "function_call", "tool_calls"))


def _beside_text(builder: AnswerBuilder, message: dict, time: float | None) -> None:
    if "audio" in message:
        audio = part(message, "audio")
        builder.produce(audio.get("transcript") or audio.get("data"), time)
    calls = [part(message, "function_call")] if "function_call" in message else []
    for call in calls + objects(message, "tool_calls"):
        function = part(call, "function") or part(call, "custom") or call
        builder.produce(function.get("arguments") or function.get("input"), time)
        builder.produced |= bool(call)


def _openai_parts(builder: AnswerBuilder, message: dict, time: float | None) -> None:
    for piece in objects(message, "content"):
        builder.say(piece.get("text") or piece.get("refusal"), time)
        for thought in objects(piece, "thinking"):
            builder.reason(thought.get("text"), time)


def openai_usage(builder: AnswerBuilder, holder: dict, prompt: str = "prompt", completion: str = "completion") -> None:
    """The tier and the counts; prompt, completion: what their names begin with, `input` and `output` of Responses."""
    builder.billing.tier = holder.get("service_tier") or builder.billing.tier
    usage = builder.usage(holder)
    details, tokens = part(usage, f"{prompt}_tokens_details"), usage.get(f"{prompt}_tokens")
    # DeepSeek's name, and Moonshot's
    cached = _most(details.get("cached_tokens"), usage.get("prompt_cache_hit_tokens"), usage.get("cached_tokens"))
    written = _most(details.get("cache_write_tokens"), details.get("cache_creation_tokens"))  # LiteLLM's
    whole, beside = whole_number(tokens), (whole_number(cached) or 0) + (whole_number(written) or 0)
    if whole is not None and 0 < beside <= whole:
        tokens = whole - beside  # counted apart, as everywhere in the record
    builder.count(
        prompt_tokens=tokens,
        completion_tokens=usage.get(f"{completion}_tokens"),
        cache_read_tokens=cached,
        cache_write_tokens=written,
    )
    if written is not None:
        cache_creation(builder, part(details, "cache_creation_token_details"))
    hidden = part(usage, f"{completion}_tokens_details").get("reasoning_tokens")
    builder.count(reasoning_tokens=hidden)
    builder.concealed |= bool(whole_number(hidden))


def _most(*counts: object) -> object:
    """The same count under several names, of which a gateway may leave some at 0; one that is no count, so that it is told."""
    given = [count for count in counts if count is not None]
    numbers = [number for count in given if (number := whole_number(count)) is not None]
    return (
        max(numbers, default=None) if len(numbers) == len(given) else next(c for c in given if whole_number(c) is None)
    )


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
