"""What an answer says of what is billed beside plain tokens: for how long a cache is kept, a guardrail's units, a model's own
units, the model that a router chose."""

import typing

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.guardrail_usage import assessments
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.dialects.token_counts import whole_number

TRACE = "amazon-bedrock-trace"  # of InvokeModel's bodies and last chunks
_COHERES_UNITS = ("search_units", "images")  # the first that an answer has


def cache_details(builder: AnswerBuilder, usage: dict) -> None:
    """Converse's cache writes, each with how long it is kept."""
    details = objects(usage, "cacheDetails")
    if not details:
        return
    builder.count(cache_write_1h_tokens=_sum(d.get("inputTokens") for d in details if d.get("ttl") == "1h"))
    if builder.parsed.cache_write_tokens is None:
        builder.count(cache_write_tokens=_sum(d.get("inputTokens") for d in details))
    shorter = [d.get("inputTokens") for d in details if d.get("ttl") != "1h"]
    builder.billing.for_five_minutes(_sum(shorter) if shorter else None, told=bool(shorter))


def cache_creation(builder: AnswerBuilder, split: dict) -> None:
    """Claude's cache writes by how long they are kept; gateways tell the same on OpenAI's routes."""
    five, hour = split.get("ephemeral_5m_input_tokens"), split.get("ephemeral_1h_input_tokens")
    builder.count(cache_write_1h_tokens=hour)
    if split and builder.parsed.cache_write_tokens is None:
        builder.count(cache_write_tokens=_sum(n for n in (five, hour) if n is not None))
    builder.billing.for_five_minutes(five, told=five is not None)


def trace(builder: AnswerBuilder, told: dict) -> None:
    """The router's choice and the guardrail's assessments."""
    if told:
        builder.billing.invoke(part(told, "promptRouter").get("invokedModelId"))
        builder.billing.assess(assessments(told))
        builder.billing.reason = part(told, "guardrail").get("actionReason") or builder.billing.reason


def coheres_units(builder: AnswerBuilder, answer: dict) -> None:
    units = part(part(answer, "meta"), "billed_units")
    builder.billing.take(next((units[name] for name in _COHERES_UNITS if units.get(name) is not None), None))


def _sum(counts: typing.Iterable[object]) -> object:
    """What is no count is given back, so that it is told."""
    given = list(counts)
    return next((n for n in given if whole_number(n) is None), sum(whole_number(n) or 0 for n in given))
