"""OpenAI's Responses: a body of `input` items, and the events of its answer, each of which names its type.

Facts: https://platform.openai.com/docs/api-reference/responses and /responses-streaming.
"""

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.body_parts import Split, known, merged, model_of, turns_of
from locustfiles.common.dialects.error_answers import error_event
from locustfiles.common.dialects.openai import openai_usage
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.images import image_in
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import OpenAITarget

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_TEXT = ("response.output_text.delta", "response.refusal.delta")
_REASONING = ("response.reasoning_text.delta", "response.reasoning_summary_text.delta", "response.reasoning.delta")
_SHOWN = ("message", "reasoning")  # output items that are no call of a tool


def responses_body(target: OpenAITarget, prompt: Prompt, split: Split) -> dict:
    """`instructions` are the system prompt. Raises BadScenario for stop sequences, which the API does not have."""
    if split.stop is not None:
        raise BadScenario(f"target `{target.name}`: Responses have no `stop`; remove it from `parameters:`")
    system, turns = turns_of(target, prompt)
    own = prompt.text if prompt.messages is None else [_item(turn) for turn in turns]
    document = model_of(target) | {"input": own}
    document |= known(
        instructions="\n\n".join(system) or None,
        max_output_tokens=split.max_tokens,
        temperature=split.temperature,
        top_p=split.top_p,
        stream=True if target.stream else None,
    )
    return merged(document, split.rest, prompt)


def _item(turn: dict) -> dict:
    """A message, or an item of the API's own, which is sent as it is."""
    content = turn.get("content")
    if "role" not in turn or not isinstance(content, list):
        return turn
    return turn | {"content": [_part(piece, turn["role"]) for piece in content]}


def _part(piece: dict, role: str) -> dict:
    if image := image_in(piece):
        return {"type": "input_image", "image_url": image.url}
    if piece.get("type") != "text":
        return piece
    return {"type": "output_text" if role == "assistant" else "input_text", "text": piece["text"]}


def responses_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    kind = event.get("type")
    if kind in _TEXT:
        builder.say(event.get("delta"), time)
    elif kind in _REASONING:
        builder.reason(event.get("delta"), time)
    elif kind in _ENDS:
        _ended(builder, part(event, "response"))
    elif kind == "response.created":
        builder.identify(part(event, "response").get("id"))
    elif kind == "response.output_item.added":
        _begun(builder, part(event, "item"))
    elif kind == "error":
        error_event(builder, event)
    elif isinstance(kind, str) and kind.endswith(".delta"):  # a tool's input, code, sound
        builder.produce(event.get("delta"), time)


def responses_whole(builder: AnswerBuilder, answer: dict) -> None:
    if type(answer.get("output")) is not list:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `output` in the answer")
    _ended(builder, answer)


def _ended(builder: AnswerBuilder, answer: dict) -> None:
    """The answer as it is at its end; what no delta has brought has no time."""
    builder.closed = True
    builder.identify(answer.get("id"))
    if not builder.produced:
        for item in objects(answer, "output"):
            _begun(builder, item)
            _read_item(builder, item)
    why = part(answer, "incomplete_details").get("reason")
    builder.stop(why or answer.get("status"))
    if answer.get("status") in ("failed", "cancelled"):
        error_event(builder, {"error": answer.get("error") or {"message": f"the response is {answer['status']}"}})
    openai_usage(builder, answer, prompt="input", completion="output")


def _read_item(builder: AnswerBuilder, item: dict) -> None:
    for piece in objects(item, "content"):
        if item.get("type") == "reasoning":
            builder.reason(piece.get("text"), None)
        else:
            builder.say(piece.get("text") or piece.get("refusal"), None)
    for piece in objects(item, "summary"):
        builder.reason(piece.get("text"), None)


def _begun(builder: AnswerBuilder, item: dict) -> None:
    """An answer of nothing but a tool's call is not empty; reasoning may be encrypted."""
    kind = item.get("type")
    builder.produced |= isinstance(kind, str) and kind not in _SHOWN
    builder.redacted |= kind == "reasoning" and bool(item.get("encrypted_content"))
