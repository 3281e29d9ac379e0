"""What a guardrail's trace says that it has processed: text units by policy."""

import collections
import json
import typing

from locustfiles.common.transport.limits import MAX_TOKENS

#: what the usage counts that nobody is billed for: regular expressions, and how many policies there are
_UNBILLED = frozenset({"sensitiveInformationPolicyFreeUnits", "automatedReasoningPolicies"})


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


def units_of(assessed: typing.Mapping[str, int]) -> str | None:
    """`contentPolicyUnits=2 topicPolicyUnits=2`: units of all assessments together, by policy."""
    units: collections.Counter[str] = collections.Counter()
    for metrics, times in assessed.items():
        usage = json.loads(metrics).get("usage")
        for policy, count in usage.items() if type(usage) is dict else ():
            if policy.isidentifier() and policy not in _UNBILLED and type(count) is int and 0 <= count <= MAX_TOKENS:
                units[policy] += count * times
    spent = {policy: n for policy, n in units.items() if n} or units  # without any, the zeros are what is known
    return " ".join(f"{policy}={n}" for policy, n in sorted(spent.items())) or None
