"""What answers say of what is billed beside plain tokens, walked against botocore's description of the service."""

import base64
import json

import pytest

from scripts.emulator.config import Config
from tests.helpers import bodies, openai_wire, raw_wire, shapes
from tests.helpers.emulator_process import running_emulator

N = 4
ROUTER = "arn:aws:bedrock:us-east-1:123456789012:prompt-router/abc123"
CACHING, GUARDED = "caching.claude", "gr12345"
UNSPLIT = "unsplit.claude"
HOUR = {"type": "default", "ttl": "1h"}
FIVE = {"type": "default"}


@pytest.fixture(scope="module")
def endpoint():
    config = {
        "engines": {"exact": {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 5000, "seed": 1}},
        "models": {
            CACHING: {"engine": "exact", "family": "claude", "cache_minimum_tokens": 8},
            UNSPLIT: {"engine": "exact", "family": "claude", "cache_minimum_tokens": 8, "splits_cache_writes": False},
            ROUTER: {
                "engine": "exact",
                "family": "nova",
                "routes_to": ["amazon.nova-lite-v1:0", "eu.amazon.nova-pro-v1:0"],
            },
        },
        "openai": {"caching": {"engine": "exact", "caches_prompts": True, "serves_tier": "priority"}},
        "guardrails": [f"{GUARDED}:1"],
        "guardrail_policies": ["sensitiveInformation"],
    }
    Config.model_validate(config)
    with running_emulator(config) as e:
        yield e


def answered(endpoint, operation: str, model: str, body: dict, headers: dict | None = None) -> dict:
    """What a walked answer says: a whole body, or a stream's last event."""
    answer = raw_wire.send(endpoint.url, operation, model, body, headers=headers)
    shapes.walk_answer("bedrock", operation, answer)
    if "Stream" not in operation:
        return answer.json()
    last = json.loads(answer.frames()[-1].payload)
    return json.loads(base64.b64decode(last["bytes"])) if "bytes" in last else last


def converse(system: str, text: str, first: dict, second: dict) -> dict:
    content = [{"text": text}, {"cachePoint": second}, {"text": "Go on."}]
    system_blocks = [{"text": system}, {"cachePoint": first}]
    return bodies.converse(N) | {"system": system_blocks, "messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_writes_are_told_by_how_long_they_are_kept(endpoint, operation):
    system = f"{operation} ".ljust(48, ".")  # 12 tokens of four characters; with 40 more, 22
    usage = answered(endpoint, operation, CACHING, converse(system, "x" * 40, HOUR, FIVE))["usage"]
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (0, 22)
    assert usage["cacheDetails"] == [{"ttl": "1h", "inputTokens": 12}, {"ttl": "5m", "inputTokens": 10}]
    usage = answered(endpoint, operation, CACHING, converse(system, "y" * 40, HOUR, FIVE))["usage"]
    assert (usage["cacheReadInputTokens"], usage["cacheDetails"]) == (12, [{"ttl": "5m", "inputTokens": 10}])
    usage = answered(endpoint, operation, CACHING, converse(system, "y" * 40, HOUR, FIVE))["usage"]
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (22, 0)
    assert "cacheDetails" not in usage


def test_claudes_own_usage_tells_the_same(endpoint):
    mark = {"type": "ephemeral", "ttl": "1h"}
    system = [{"type": "text", "text": "claude ".ljust(48, "."), "cache_control": mark}]
    body = bodies.invoke(bodies.CLAUDE, N) | {"system": system}
    usage = answered(endpoint, "InvokeModel", CACHING, body)["usage"]
    assert usage["cache_creation_input_tokens"] == 12
    assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 12}
    answer = raw_wire.send(endpoint.url, "InvokeModelWithResponseStream", CACHING, body)
    start = json.loads(base64.b64decode(json.loads(answer.frames()[0].payload)["bytes"]))
    usage = start["message"]["usage"]
    assert (usage["cache_read_input_tokens"], usage["cache_creation"]["ephemeral_1h_input_tokens"]) == (12, 0)


def test_a_model_may_say_how_much_was_written_and_not_for_how_long(endpoint):
    usage = answered(endpoint, "Converse", UNSPLIT, converse("unsplit ".ljust(48, "."), "x" * 40, HOUR, FIVE))["usage"]
    assert usage["cacheWriteInputTokens"] == 22 and "cacheDetails" not in usage
    system = [
        {"type": "text", "text": "unsplit too ".ljust(48, "."), "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    ]
    usage = answered(endpoint, "InvokeModel", UNSPLIT, bodies.invoke(bodies.CLAUDE, N) | {"system": system})["usage"]
    assert usage["cache_creation_input_tokens"] == 12 and "cache_creation" not in usage


def test_another_time_to_live_is_refused(endpoint):
    answer = raw_wire.send(
        endpoint.url, "Converse", CACHING, converse("s" * 48, "x", {"type": "default", "ttl": "2h"}, FIVE)
    )
    assert shapes.walk_error("bedrock", "Converse", answer) == "ValidationException"
    system = [{"type": "text", "text": "s" * 48, "cache_control": {"type": "ephemeral", "ttl": "2h"}}]
    answer = raw_wire.send(endpoint.url, "InvokeModel", CACHING, bodies.invoke(bodies.CLAUDE, N) | {"system": system})
    assert shapes.walk_error("bedrock", "InvokeModel", answer) == "ValidationException"
    assert "'5m' or '1h'" in answer.json()["message"]


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
@pytest.mark.parametrize("trace", ["enabled", "enabled_full", "disabled", None])
def test_a_guardrails_trace_comes_where_it_is_asked_for(endpoint, operation, trace):
    named = {"guardrailIdentifier": GUARDED, "guardrailVersion": "1"} | ({"trace": trace} if trace else {})
    value = answered(endpoint, operation, CACHING, bodies.converse(N) | {"guardrailConfig": named})
    if trace in ("disabled", None):
        assert "trace" not in value
        return
    [(name, before)] = value["trace"]["guardrail"]["inputAssessment"].items()
    [(_, [after])] = value["trace"]["guardrail"]["outputAssessments"].items()
    usages = [one["invocationMetrics"]["usage"] for one in (before, after)]
    assert name == GUARDED
    # 29 characters, and some of an answer: a unit each of the one policy
    assert [usage["sensitiveInformationPolicyUnits"] for usage in usages] == [1, 1]
    assert all(sum(usage.values()) == 1 for usage in usages)


@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
def test_invoke_models_trace_has_its_own_places(endpoint, operation):
    headers = {"X-Amzn-Bedrock-GuardrailIdentifier": GUARDED, "X-Amzn-Bedrock-GuardrailVersion": "1"}
    body = bodies.invoke(bodies.CLAUDE, N)
    assert "amazon-bedrock-trace" not in answered(endpoint, operation, CACHING, body, headers)
    value = answered(endpoint, operation, CACHING, body, headers | {"X-Amzn-Bedrock-Trace": "ENABLED"})
    guardrail = value["amazon-bedrock-trace"]["guardrail"]
    assert list(guardrail["input"]) == [GUARDED] and [list(one) for one in guardrail["outputs"]] == [[GUARDED]]


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_a_prompt_router_names_the_model_that_it_chose(endpoint, operation):
    chosen = set()
    for n in range(8):
        body = bodies.converse(N) | {"messages": [{"role": "user", "content": [{"text": f"Question {n}."}]}]}
        chosen.add(answered(endpoint, operation, ROUTER, body)["trace"]["promptRouter"]["invokedModelId"])
    assert chosen == {
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0",
    }


def test_openais_route_caches_whole_blocks_and_names_the_tier(endpoint):
    # 4,800 characters are 1,200 tokens: 9 blocks of 128 are 1,152
    body = {"model": "caching", "messages": [{"role": "user", "content": "z" * 4800}], "max_tokens": N}
    details = []
    for more in ({}, {"stream": True, "stream_options": {"include_usage": True}}, {}):
        answer = openai_wire.ask(endpoint.url, openai_wire.CHAT, body | more)
        values = openai_wire.values(answer) if more else [answer.json()]
        assert {value["service_tier"] for value in values} == {"priority"}
        assert values[-1]["usage"]["prompt_tokens"] == 1200
        details.append(values[-1]["usage"]["prompt_tokens_details"])
    written, read = {"cached_tokens": 0, "cache_write_tokens": 1152}, {"cached_tokens": 1152, "cache_write_tokens": 0}
    assert details == [written, read, read]
    text = {"model": "caching", "prompt": "z" * 100, "max_tokens": N, "service_tier": "flex"}
    answer = openai_wire.ask(endpoint.url, openai_wire.COMPLETIONS, text).json()
    assert (answer["service_tier"], answer["usage"]["prompt_tokens_details"]["cache_write_tokens"]) == ("priority", 0)
