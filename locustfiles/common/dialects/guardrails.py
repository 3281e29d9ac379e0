"""Guardrails on their own: ApplyGuardrail, with a guardrail of the account, and InvokeGuardrailChecks, with checks in the request.

Neither asks a model: there is no output, and no token is counted. Both say how many text units they bill.
"""

import collections
import json
import typing

from locustfiles.common.dialects.answer_parts import needs, objects, part
from locustfiles.common.dialects.body_parts import Split, chat_turns
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.images import image_in
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import BedrockTarget

_CHOICES = {"source": ("INPUT", "OUTPUT"), "outputScope": ("INTERVENTIONS", "FULL")}
_IMAGES = ("png", "jpeg")
_LATENCY = "guardrailProcessingLatency"
#: a check -> where its items stand, and how each is named
_CHECKS = {
    "contentFilter": ("categories", "category"),
    "promptAttack": ("categories", "category"),
    "sensitiveInformation": ("entities", "type"),
}


def apply_guardrail_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """All texts and images of the line, in their order; Converse's `guardContent` goes with its qualifiers. Raises BadPayload
    or BadScenario."""
    _only(target, split, tuple(_CHOICES))
    for key, choices in _CHOICES.items():
        if split.rest.get(key, choices[0]) not in choices:
            raise BadScenario(f"target `{target.name}`: `parameters.{key}` must be {' or '.join(choices)}")
    contents = [turn.get("content") for turn in chat_turns(target, prompt)]
    parts = [part for c in contents for part in ([{"text": c}] if isinstance(c, str) else c or ())]
    return {"source": "INPUT", "content": [_block(target, prompt, part) for part in parts]} | split.rest


def guardrail_checks_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """The line's messages, each with its texts. Raises BadScenario."""
    _only(target, split, ("checks",))
    turns = [(turn["role"], _pieces(turn["content"])) for turn in chat_turns(target, prompt)]
    messages = [{"role": role, "content": [{"text": text} for text in texts]} for role, texts in turns]
    return {"messages": messages, "checks": _checks(target, split.rest.get("checks"))}


def _only(target: BedrockTarget, split: Split, known: tuple[str, ...]) -> None:
    stray = next((name for name in split.all if name not in known), None)
    if stray:
        what = f"`api: {target.api}` has no `{stray}`"
        raise BadScenario(f"target `{target.name}`: {what}; remove it from `parameters:` (it takes {', '.join(known)})")


def _pieces(content: str | list[dict]) -> list[typing.Any]:
    """The texts of a message."""
    if isinstance(content, str):
        return [content]
    return [piece["text"] for piece in content if piece.get("text") is not None]


def _block(target: BedrockTarget, prompt: Prompt, part: dict) -> dict:
    """A part of a message, as the service has it."""
    if image := image_in(part):
        return _image(target, prompt, image.format, {"bytes": image.base64})
    if part.get("type") in (None, "text") and isinstance(part.get("text"), str):
        return {"text": {"text": part["text"]}}
    guarded = part.get("guardContent") or part
    if "text" in guarded and guarded is not part:
        return {"text": guarded["text"]}
    if "image" not in guarded:
        kind = next(iter(part.keys() - {"type"}), "nothing")
        what = f"prompt `{prompt.id}` has `{kind}`, and a guardrail looks at texts and images"
        raise BadPayload(f"target `{target.name}`: {what}; write its text, or remove it")
    return _image(target, prompt, guarded["image"]["format"], guarded["image"]["source"])


def _image(target: BedrockTarget, prompt: Prompt, form: str, source: dict) -> dict:
    what = f"an image of format {form}, and a guardrail takes {' and '.join(_IMAGES)}; convert it, or remove the line"
    if "s3Location" in source:
        what = "an `s3Location`, which a guardrail does not read; write the bytes as base64"
    if form not in _IMAGES or "s3Location" in source:
        raise BadPayload(f"target `{target.name}`: prompt `{prompt.id}` has {what}")
    return {"image": {"format": form, "source": source}}


def _checks(target: BedrockTarget, given: typing.Any) -> dict:
    """As the service has them; a list of names will do for each. Raises BadScenario."""
    known = ", ".join(_CHECKS)
    if not isinstance(given, dict) or not given:
        what = "`api: guardrail-checks` needs `parameters.checks`"
        raise BadScenario(
            f"target `{target.name}`: {what}; write checks: {{contentFilter: [VIOLENCE, HATE]}} (of {known})"
        )
    stray = next((name for name in given if name not in _CHECKS), None)
    if stray:
        raise BadScenario(f"target `{target.name}`: `parameters.checks` has no `{stray}`; it takes {known}")
    return {name: _listed(items, *_CHECKS[name]) for name, items in given.items()}


def _listed(items: typing.Any, key: str, name: str) -> typing.Any:
    return (
        {key: [{name: item} if isinstance(item, str) else item for item in items]} if isinstance(items, list) else items
    )


def apply_guardrail_whole(builder: AnswerBuilder, answer: dict) -> None:
    """Units of all policies, what was done, and how long the slowest assessment took."""
    needs(builder, answer, "action", str)
    _bills(builder, answer, part(answer, "usage"), part(answer, "guardrailCoverage"))
    builder.billing.reason = answer.get("actionReason")
    builder.intervened = answer.get("action") == "GUARDRAIL_INTERVENED"
    metrics = [part(one, "invocationMetrics") for one in objects(answer, "assessments")]
    for ms in sorted(float(ms) for one in metrics if type(ms := one.get(_LATENCY)) in (int, float)):  # type: ignore[arg-type]
        builder.service_times(ms)  # the last is the longest


def guardrail_checks_whole(builder: AnswerBuilder, answer: dict) -> None:
    """Units of each check; what it found has no place in a record."""
    needs(builder, answer, "results", dict)
    usage = part(answer, "usage")
    _bills(builder, answer, {check: part(usage, check).get("textUnits") for check in usage})


def _bills(builder: AnswerBuilder, answer: dict, units: dict[str, object], coverage: dict | None = None) -> None:
    """Without its units an answer cannot be priced, and the service always has them."""
    needs(builder, answer, "usage", dict)
    builder.billing.assess(
        collections.Counter({json.dumps({"usage": units, "guardrailCoverage": coverage}, default=str): 1})
    )
    builder.produced = True
