"""What containers answer: TGI and LMI, everything OpenAI-shaped (Bedrock's too), and `raw`."""

import json
import typing

import jmespath.exceptions

from locustfiles.common.answers import objects, part
from locustfiles.common.errors import ErrorClass
from locustfiles.common.raw import expression
from locustfiles.common.reading import Draft

_FAILED = ("error", "abort")  # how TGI, LMI, vLLM and SGLang name an end that is none


def _ends(draft: Draft, reason: object) -> None:
    draft.stop(reason)
    if reason in _FAILED:
        draft.fail(ErrorClass.BAD_RESPONSE, reason, f"the container ended the generation with finish_reason {reason}")


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
    _ends(draft, details.get("finish_reason"))


# --- OpenAI's chat completions and completions ---


def openai_event(draft: Draft, event: dict, time: float) -> None:
    for choice in objects(event, "choices"):
        _openai_choice(draft, choice, "delta", time)
    _openai_usage(draft, event)


def openai_whole(draft: Draft, answer: dict) -> None:
    choices = objects(answer, "choices")
    if not any("message" in choice or "text" in choice for choice in choices):
        draft.fail(ErrorClass.BAD_RESPONSE, None, "neither `message` nor `text` in `choices[0]` of the answer")
    for choice in choices:
        _openai_choice(draft, choice, "message", None)
    _openai_usage(draft, answer)


def bedrock_chat_event(draft: Draft, event: dict, time: float) -> None:
    """On Bedrock a stream ends with the chunk that has a finish reason; Mistral's has `message` for `delta`."""
    for choice in objects(event, "choices"):
        _openai_choice(draft, choice, "message" if "message" in choice else "delta", time)
    _openai_usage(draft, event)
    draft.closed |= draft.reading.stop_reason is not None


def _openai_choice(draft: Draft, choice: dict, key: str, time: float | None) -> None:
    """One choice of a chat (`key`: where its message is) or of completions (`text`)."""
    draft.say(choice.get("text"), time)
    _openai_message(draft, part(choice, key), time)
    _ends(draft, choice.get("finish_reason") or choice.get("stop_reason"))


def _openai_message(draft: Draft, message: dict, time: float | None) -> None:
    if "reasoning_content" in message or "reasoning" in message:
        draft.reason(message.get("reasoning_content") or message.get("reasoning"), time)
    draft.say_tagged(message.get("content") or message.get("refusal"), time)
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
    draft.count(reasoning_tokens=hidden)
    draft.concealed |= type(hidden) is int and hidden > 0


# --- raw: wherever the scenario says ---


def raw_event(draft: Draft, event: object, time: float | None) -> None:
    """One line of a stream, or with `time` None a whole answer."""
    raw = draft.raw
    assert raw is not None
    if error := _found(raw.error, event):
        draft.fail(ErrorClass.BAD_RESPONSE, "error", error if isinstance(error, str) else json.dumps(error))
        return
    text = _found(raw.text, event)
    if isinstance(text, list):
        text = "".join(t for t in text if isinstance(t, str))
    draft.say(text, time)
    if time is None and not isinstance(text, str):
        draft.fail(ErrorClass.BAD_RESPONSE, None, f"no text at `{raw.text}` in the answer")
    draft.count(
        prompt_tokens=_found(raw.prompt_tokens, event), completion_tokens=_found(raw.completion_tokens, event)
    )
    draft.stop(_found(raw.stop_reason, event))
    draft.closed |= bool(_found(raw.done, event))


def raw_whole(draft: Draft, answer: object) -> None:
    raw_event(draft, answer, None)


def _found(path: str | None, value: object) -> typing.Any:
    """What a JMESPath expression finds; None where it does not fit the value."""
    if path is None:
        return None
    try:
        return expression(path).search(value)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError, LookupError, RecursionError):
        return None
