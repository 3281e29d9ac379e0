"""Cohere's Command, which takes text, and Command R, which takes a chat."""

from locustfiles.common.dialects.answer_parts import needs, objects
from locustfiles.common.dialects.body_parts import Split, known, merged, turns_of
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.messages import texts_of
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import Target


def _sampling(split: Split) -> dict:
    return known(max_tokens=split.max_tokens, temperature=split.temperature, p=split.top_p, stop_sequences=split.stop)


def command_body(target: Target, prompt: Prompt, split: Split) -> dict:
    document = {"prompt": prompt.text} | _sampling(split)
    return merged(document | ({"stream": True} if target.stream else {}), split.rest, prompt)


def command_r_body(target: Target, prompt: Prompt, split: Split) -> dict:
    system, turns = turns_of(target, prompt)
    if turns[-1]["role"] != "user":
        raise BadPayload(f"prompt `{prompt.id}`: its last message is not of role user; cohere-command-r needs one")
    *history, (_, message) = [
        ("USER" if m["role"] == "user" else "CHATBOT", "\n".join(texts_of(m["content"]))) for m in turns
    ]
    document = {"message": message} | _sampling(split)
    document |= known(
        preamble="\n\n".join(system) or None,
        chat_history=[{"role": role, "message": text} for role, text in history] or None,
    )
    return merged(document, split.rest, prompt)


def command_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    """Command: pieces of text; a request without `stream: true` is answered in one piece, as a whole body."""
    builder.say(event.get("text"), time)
    for generation in objects(event, "generations"):
        if not builder.times:
            builder.say(generation.get("text"), None)
        _cohere_end(builder, generation)
    if event.get("is_finished") is True:
        builder.closed = True
        _cohere_end(builder, event)


def command_whole(builder: AnswerBuilder, answer: dict) -> None:
    needs(builder, answer, "generations", list)
    for generation in objects(answer, "generations"):
        builder.say(generation.get("text"), None)
        _cohere_end(builder, generation)


def command_r_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    kind = event.get("event_type")
    if kind == "text-generation":
        builder.say(event.get("text"), time)
    elif kind == "tool-calls-generation":
        builder.produced = True
    elif kind == "stream-end":
        builder.closed = True
        _cohere_end(builder, event)


def command_r_whole(builder: AnswerBuilder, answer: dict) -> None:
    needs(builder, answer, "text", str)
    builder.say(answer.get("text"), None)
    builder.produced |= bool(objects(answer, "tool_calls"))
    _cohere_end(builder, answer)


def _cohere_end(builder: AnswerBuilder, holder: dict) -> None:
    reason = holder.get("finish_reason")
    builder.stop(reason)
    if reason in ("ERROR", "ERROR_TOXIC"):
        builder.fail(ErrorClass.BAD_RESPONSE, reason, f"the model ended the generation with finish_reason {reason}")
