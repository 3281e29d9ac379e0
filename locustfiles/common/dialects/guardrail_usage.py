"""What a guardrail's trace says that it has processed: text units by policy."""

import collections
import json
import typing

from locustfiles.common.transport.limits import MAX_TOKENS

#: what the usage counts that nobody is billed for: regular expressions, and how many policies there are
_UNBILLED = frozenset({"sensitiveInformationPolicyFreeUnits", "automatedReasoningPolicies"})
_COVERED = ("guarded", "total")


def assessments(guardrail: object) -> collections.Counter[str]:
    """Every `invocationMetrics` of a trace as JSON, and how often it is there. Converse has them in other places than
    InvokeModel."""
    found: collections.Counter[str] = collections.Counter()
    inside: list[typing.Any] = [guardrail]
    while inside:
        value = inside.pop()
        if type(value) is list:
            inside += value
        elif type(value) is dict:
            if type(value.get("invocationMetrics")) is dict:
                found[json.dumps(value["invocationMetrics"], sort_keys=True, default=str)] += 1
            inside += [inner for key, inner in value.items() if key != "invocationMetrics"]
    return found


def coverage_of(assessed: typing.Mapping[str, int]) -> str | None:
    """`textCharacters=900/1200 images=1/1`: guarded of all, of all assessments together."""
    guarded: collections.Counter[str] = collections.Counter()
    total: collections.Counter[str] = collections.Counter()
    for metrics, times in assessed.items():
        told = json.loads(metrics).get("guardrailCoverage")
        for name, counts in told.items() if type(told) is dict else ():
            if name.isidentifier() and type(counts) is dict and all(_is_count(counts.get(key)) for key in _COVERED):
                guarded[name] += counts["guarded"] * times
                total[name] += counts["total"] * times
    return " ".join(f"{name}={guarded[name]}/{total[name]}" for name in sorted(total, reverse=True)) or None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_TOKENS


def units_of(assessed: typing.Mapping[str, int]) -> str | None:
    """`contentPolicyUnits=2 topicPolicyUnits=2`: units of all assessments together, by policy."""
    units: collections.Counter[str] = collections.Counter()
    for metrics, times in assessed.items():
        usage = json.loads(metrics).get("usage")
        for policy, count in usage.items() if type(usage) is dict else ():
            if policy.isidentifier() and policy not in _UNBILLED and _is_count(count):
                units[policy] += count * times
    spent = {policy: n for policy, n in units.items() if n} or units  # without any, the zeros are what is known
    return " ".join(f"{policy}={n}" for policy, n in sorted(spent.items())) or None
