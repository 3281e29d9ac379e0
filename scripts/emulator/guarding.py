"""What ApplyGuardrail and InvokeGuardrailChecks answer: text units, findings, and whether the guardrail intervenes."""

import dataclasses
import math

from scripts.emulator import service_model

_UNIT_CHARACTERS = 1000  # of a text unit
_POLICIES = ("topic", "content", "word", "sensitiveInformation", "contextualGrounding")  # which every usage counts
_FILTERS = ("INSULTS", "HATE", "SEXUAL", "VIOLENCE", "MISCONDUCT", "PROMPT_ATTACK")
_BLOCKED = "Sorry, this text is blocked by the guardrail."
_SEVERE = 0.9  # of a text that is blocked; 0 of any other


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    texts: list[str]
    images: int = 0
    full: bool = False  # whether what was not detected is told as well
    checks: dict | None = None  # of InvokeGuardrailChecks

    @property
    def characters(self) -> int:
        return sum(map(len, self.texts))


def read(body: dict) -> Asked:
    """ApplyGuardrail's body. Raises AwsError or BadBody."""
    service_model.check_whole("ApplyGuardrail", body)
    texts = [block["text"]["text"] for block in body["content"] if "text" in block]
    images = sum("image" in block for block in body["content"])
    return Asked(texts, images, body.get("outputScope") == "FULL")


def read_checks(body: dict) -> Asked:
    """InvokeGuardrailChecks' body. Raises AwsError or BadBody."""
    service_model.check_whole("InvokeGuardrailChecks", body)
    blocks = [block for message in body["messages"] for block in message["content"]]
    return Asked([block["text"] for block in blocks], checks=body["checks"])


def _blocks(asked: Asked, config) -> bool:
    text = "\n".join(asked.texts).lower()
    return any(each.lower() in text for each in config.blocks)


def applied(asked: Asked, policies: list[str], config) -> dict:
    """ApplyGuardrail's answer."""
    blocked = _blocks(asked, config)
    units = math.ceil(asked.characters / _UNIT_CHARACTERS)
    usage = {f"{policy}PolicyUnits": units if policy in policies else 0 for policy in _POLICIES}
    usage["sensitiveInformationPolicyFreeUnits"] = 0
    coverage: dict = {"textCharacters": {"guarded": asked.characters, "total": asked.characters}}
    if asked.images:
        usage["contentPolicyImageUnits"] = asked.images if "content" in policies else 0
        coverage["images"] = {"guarded": asked.images, "total": asked.images}
    metrics = {"guardrailProcessingLatency": round(config.latency_ms), "usage": usage, "guardrailCoverage": coverage}
    found = {"invocationMetrics": metrics} | _findings(asked, policies, blocked)
    action = {"action": "GUARDRAIL_INTERVENED" if blocked else "NONE"}
    reason = {"actionReason": "Guardrail blocked." if blocked else "No action."}
    outputs = [{"text": _BLOCKED}] if blocked else []
    return {
        "usage": usage,
        **action,
        **reason,
        "outputs": outputs,
        "assessments": [found],
        "guardrailCoverage": coverage,
    }


def _findings(asked: Asked, policies: list[str], blocked: bool) -> dict:
    """What was detected; of everything, where the request wants it."""
    found: dict = {}
    if blocked or (asked.full and "topic" in policies):
        action = {"action": "BLOCKED" if blocked else "NONE", "detected": blocked}
        found["topicPolicy"] = {"topics": [{"name": "Denied", "type": "DENY", **action}]}
    if asked.full and "content" in policies:
        none = {"confidence": "NONE", "filterStrength": "HIGH", "action": "NONE", "detected": False}
        found["contentPolicy"] = {"filters": [{"type": each, **none} for each in _FILTERS]}
    return found


def checked(asked: Asked, config) -> dict:
    """InvokeGuardrailChecks' answer: a score for each category, no entity."""
    score = _SEVERE if _blocks(asked, config) else 0.0
    units = max(1, math.ceil(asked.characters / _UNIT_CHARACTERS))
    results: dict = {}
    for check, given in (asked.checks or {}).items():
        scores = [{"category": each["category"], "severityScore": score} for each in given.get("categories", ())]
        results[check] = {"results": scores}
    return {"results": results, "usage": {check: {"textUnits": units} for check in results}}
