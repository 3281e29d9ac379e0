"""What answers say of what is billed beside plain tokens: the prompt cache, guardrails, routers, service tiers."""

import hashlib
import math

from scripts.emulator.dialects import Call, block_text, tool_text, want
from scripts.emulator.errors import BadBody
from scripts.emulator.operations import model_ids
from scripts.emulator.text import digest

FIVE_MINUTES, HOUR = "5m", "1h"
_BLOCK_TOKENS = 128  # OpenAI's routes cache a prompt by whole blocks
_UNIT_CHARACTERS = 1000  # of a guardrail's text unit
_POLICIES = ("topic", "content", "word", "sensitiveInformation", "contextualGrounding")  # which every usage counts


# --- the prompt cache ---


def cache_points(system, messages, tools=None) -> list[tuple[str, str]]:
    """(all text before it, how long it is kept) of every cache point: Converse's block, or Claude's mark on a block. Tools
    stand before the system prompt. Raises BadBody."""
    text, points = "".join(tool_text(tools)), []
    for tool in tools or ():
        points += [(text, ttl) for ttl in _ttls(tool)]
    contents = [system, *(m.get("content") for m in messages or ())]
    for block in (b for content in contents if isinstance(content, list) for b in content):
        text += block_text(block)
        points += [(text, ttl) for ttl in _ttls(block)]
    return points


def _ttls(block: dict) -> list[str]:
    marks = (want(block, key, dict) for key in ("cachePoint", "cache_control"))
    ttls = [want(mark, "ttl", str, FIVE_MINUTES) for mark in marks if mark is not None]
    for ttl in ttls:
        if ttl not in (FIVE_MINUTES, HOUR):
            raise BadBody(f"cache_control.ephemeral.ttl: Input should be '{FIVE_MINUTES}' or '{HOUR}'")
    return ttls


def whole_blocks(call: Call, ends: list[int]) -> list[tuple[str, str, int]]:
    """As OpenAI's routes cache by themselves: each whole block of a prompt with all that is before it, as (what tells it apart, how
    long it is kept, tokens). ends: where each token ends in the text."""
    whole, points, at = hashlib.blake2b(digest_size=16), list[tuple[str, str, int]](), 0
    for tokens in range(_BLOCK_TOKENS, len(ends) + 1, _BLOCK_TOKENS):
        whole.update(call.prompt[at : ends[tokens - 1]].encode())
        at = ends[tokens - 1]
        points.append((whole.hexdigest(), FIVE_MINUTES, tokens))
    return points


def cache_counts(a, read: str, write: str) -> dict:
    """The counts of the prompt cache, if the request had a cache point."""
    return {} if a.cache_read is None else {read: a.cache_read, write: a.cache_write}


def by_ttl(a) -> dict[str, int]:
    """Written tokens by how long they are kept, the longest first."""
    return {HOUR: a.cache_write_1h, FIVE_MINUTES: a.cache_write - a.cache_write_1h} if a.cache_write else {}


def cache_details(a) -> dict:
    """Converse's."""
    split = by_ttl(a) if a.target.splits_cache_writes else {}
    details = [{"ttl": ttl, "inputTokens": n} for ttl, n in split.items() if n]
    return {"cacheDetails": details} if details else {}


def cache_creation(a) -> dict:
    """Claude's, where the request had a cache point."""
    if a.cache_read is None or not a.target.splits_cache_writes:
        return {}
    split = by_ttl(a)
    return {"cache_creation": {f"ephemeral_{ttl}_input_tokens": split.get(ttl, 0) for ttl in (FIVE_MINUTES, HOUR)}}


def prompt_details(a) -> dict:
    """OpenAI's."""
    counts = cache_counts(a, "cached_tokens", "cache_write_tokens")
    return {"prompt_tokens_details": counts} if counts else {}


# --- guardrails and routers ---


def guardrail_action(a) -> dict:
    """What a guardrail did, in the bodies of InvokeModel; nothing where the request names none."""
    if a.call.guardrail is None or a.operation.converse or a.operation.openai:
        return {}
    action = {"amazon-bedrock-guardrailAction": "INTERVENED" if a.blocked else "NONE"}
    if not a.call.guardrail_trace:
        return action
    before, after = _assessments(a)
    told = {"input": before, "outputs": [{_id(a): one} for one in after], "actionReason": _reason(a)}
    return action | {"amazon-bedrock-trace": {"guardrail": {key: value for key, value in told.items() if value}}}


def converse_trace(a) -> dict:
    """Converse's `trace`: the model that a router chose, and what a guardrail looked at."""
    told: dict = {}
    if a.target.routes_to:
        told["promptRouter"] = {"invokedModelId": _arn(a, _route(a))}
    if a.call.guardrail and a.call.guardrail_trace:
        before, after = _assessments(a)
        told["guardrail"] = {"inputAssessment": before} | ({"outputAssessments": {_id(a): after}} if after else {})
        told["guardrail"]["actionReason"] = _reason(a)
    return {"trace": told} if told else {}


def _reason(a) -> str:
    return "Guardrail blocked." if a.blocked else "No action."


def _route(a) -> str:
    """By the prompt, and always the same."""
    return a.target.routes_to[digest(0, a.call.prompt) % len(a.target.routes_to)]


def _arn(a, model_id: str) -> str:
    if model_id.startswith("arn:"):
        return model_id
    if len(model_ids(model_id)) > 1:  # of a geography
        return f"arn:aws:bedrock:{a.region}:{a.app.account}:inference-profile/{model_id}"
    return f"arn:aws:bedrock:{a.region}::foundation-model/{model_id}"


def _id(a) -> str:
    return a.call.guardrail.rpartition(":")[0].rpartition("/")[2]


def _assessments(a) -> tuple[dict, list[dict]]:
    """Of the prompt, by the guardrail's id; and of the answer, which a stream has looked at unit by unit. A blocked prompt
    has no answer."""
    before = {_id(a): _assessment(a, len(a.call.prompt)) | (_DENIED if a.blocked else {})}
    length = 0 if a.blocked else len(a.text())
    if not a.events:
        return before, [_assessment(a, length)] if length else []
    pieces = range(0, length, _UNIT_CHARACTERS)
    return before, [_assessment(a, min(_UNIT_CHARACTERS, length - start)) for start in pieces]


_DENIED = {"topicPolicy": {"topics": [{"name": "Denied", "type": "DENY", "action": "BLOCKED", "detected": True}]}}


def _assessment(a, characters: int) -> dict:
    units = math.ceil(characters / _UNIT_CHARACTERS)
    usage = {f"{policy}PolicyUnits": units if policy in a.app.guardrail_policies else 0 for policy in _POLICIES}
    coverage = {"textCharacters": {"guarded": characters, "total": characters}}
    return {
        "invocationMetrics": {
            "guardrailProcessingLatency": 1,
            "usage": usage | {"sensitiveInformationPolicyFreeUnits": 0},
            "guardrailCoverage": coverage,
        }
    }


# --- service tiers of OpenAI's routes ---


def tier(a) -> dict:
    """Repeats what was asked for, unless the model is served in one tier."""
    asked = a.call.options.get("service_tier")
    alone = asked == "auto" or getattr(a.target, "standard_only", False)
    served = a.target.serves_tier or ("default" if asked and alone else asked)
    return {"service_tier": served} if served else {}


# --- in Bedrock's last chunk ---


def invocation_metrics(a) -> dict:
    """What Bedrock adds to the last chunk of every family; no metrics when usage is not reported."""
    if not a.reports_usage:
        return guardrail_action(a)
    return guardrail_action(a) | {
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": a.input_tokens(),
            "outputTokenCount": a.completion_tokens,
            "invocationLatency": a.elapsed_ms(),
            "firstByteLatency": a.first_token_ms(),
            **cache_counts(a, "cacheReadInputTokenCount", "cacheWriteInputTokenCount"),
        }
    }
