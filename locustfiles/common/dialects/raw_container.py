"""`dialect: raw`: a body that the scenario writes down, and an answer read where the scenario says."""

import json
import typing

import jmespath.exceptions

from locustfiles.common.dialects.body_parts import Split, messages_of
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.raw import RawAnswer, expression, fill, has_place
from locustfiles.contract.scenario.targets import SageMakerTarget


def raw_body(target: SageMakerTarget, prompt: Prompt, split: Split) -> dict:
    values = {f"{{{name}}}": value for name, value in split.all.items()}
    if prompt.messages is None:
        values |= {"{prompt}": prompt.text, "{messages}": messages_of(prompt)}
    elif has_place(target.body, "{messages}"):
        values["{messages}"] = prompt.messages
    else:
        raise BadPayload(
            f'target `{target.name}`: prompt `{prompt.id}` has `messages`, but `body` takes "{{prompt}}"; '
            'write it as `prompt`, or "{messages}" into `body`'
        )
    try:
        filled: dict = fill(target.body, values)
        return filled
    except ValueError as e:
        raise BadScenario(f"target `{target.name}`: {e}") from None


def raw_event(builder: AnswerBuilder, event: object, time: float | None) -> None:
    """One line of a stream, or with `time` None a whole answer."""
    raw = builder.raw
    assert raw is not None
    if error := _found(raw.error, event):
        builder.fail(ErrorClass.BAD_RESPONSE, "error", error if isinstance(error, str) else json.dumps(error))
        return
    text = text_in(raw, event)
    builder.say(text, time)
    if time is None and not isinstance(text, str):
        builder.fail(ErrorClass.BAD_RESPONSE, None, f"no text at `{raw.text}` in the answer")
    builder.count(
        prompt_tokens=_found(raw.prompt_tokens, event), completion_tokens=_found(raw.completion_tokens, event)
    )
    builder.billing.take(_found(raw.units, event))
    builder.stop(_found(raw.stop_reason, event))
    builder.closed |= bool(_found(raw.done, event))


def text_in(raw: RawAnswer, value: object) -> typing.Any:
    """What is at `text`; of a list its texts together."""
    text = _found(raw.text, value)
    return "".join(t for t in text if isinstance(t, str)) if isinstance(text, list) else text


def raw_whole(builder: AnswerBuilder, answer: object) -> None:
    raw_event(builder, answer, None)


def _found(path: str | None, value: object) -> typing.Any:
    """What a JMESPath expression finds; None where it does not fit the value."""
    if path is None:
        return None
    try:
        return expression(path).search(value)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError, LookupError, RecursionError):
        return None
