"""Bedrock's operations that no engine answers, CountTokens, ApplyGuardrail and InvokeGuardrailChecks: each with a quota, faults and a
time of its own."""

import time

from scripts.emulator import counting, errors, guarding, reading
from scripts.emulator.dialects import Call
from scripts.emulator.hosted import Hosted
from scripts.emulator.text import count_tokens

NAMES = ("ApplyGuardrail", "InvokeGuardrailChecks")


def guard(a, hosted: Hosted, guardrails: list[str], policies: list[str]) -> None:
    """Answer what a guardrail, or checks, say of the texts. Raises AwsError or BadBody."""
    a.take(hosted.config, None)
    if _fails(a, hosted):
        return
    body = reading.json_of(a.request.body)
    if a.operation.name == "ApplyGuardrail":
        if a.target_name not in guardrails:
            raise errors.guardrail_not_found()
        asked = guarding.read(body)
    else:
        asked = guarding.read_checks(body)
    a.call = Call(prompt="\n".join(asked.texts), max_tokens=0)
    _reserve(a, hosted, count_tokens(a.call.prompt))
    value = (
        guarding.applied(asked, policies, hosted.config)
        if asked.checks is None
        else guarding.checked(asked, hosted.config)
    )
    _close(a, hosted, value if a.reports_usage else {key: part for key, part in value.items() if key != "usage"})


def count(a, hosted: Hosted, counting_of: Hosted, family) -> None:
    """Answer what the prompt of a request would have. Raises AwsError or BadBody."""
    config = hosted.config
    counts = config.family == "claude" if config.counts_tokens is None else config.counts_tokens
    if not counts or not hasattr(hosted.engine, "count"):
        raise errors.no_counting()
    if _fails(a, counting_of):
        return
    a.ask(counting.read(reading.json_of(a.request.body), family))
    a.prompt_tokens = hosted.engine.count(a.call)
    _reserve(a, counting_of, a.prompt_tokens)
    _close(a, counting_of, {"inputTokens": a.prompt_tokens if a.reports_usage else None})


def _fails(a, hosted: Hosted) -> bool:
    """Whether a fault answers in place of the operation."""
    a.fault = hosted.fault(a.operation)
    if a.fault and a.fault[1].stage in ("request", "call"):
        a.fault[1].apply(a)
    return a.fault is not None and a.fault[1].stage == "request"


def _reserve(a, hosted: Hosted, tokens: int) -> None:
    if unit := hosted.quota.exceeded(tokens, time.perf_counter()):
        raise errors.throttled(a.operation.service, unit)


def _close(a, hosted: Hosted, value: dict) -> None:
    due = a.request.arrived + hosted.config.latency_ms / 1000
    if hosted.config.latency_ms:
        a.app.clock.at(due, lambda: a.out.ended or a.close(due, None, value))
    else:
        a.close(due, None, value)
