"""What is billed beside plain tokens, in the shapes that services and gateways have it in, right ones and contradictory ones."""

import json

import pytest

from locustfiles.common.calls.outcome import token_counts
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget
from tests.helpers.aws_frames import chunk, event, part
from tests.helpers.sample_answers import CLAUDE, CONVERSE, WHOLES, call, openai_chunk, sse, streamed, timed


def whole(dialect: str, more: dict, headers: dict | None = None) -> ParsedAnswer:
    """A dialect's usual answer with more in it; an object is merged into one of the same name."""
    answer = dict(WHOLES[dialect])
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(answer.get(key), dict)
        answer[key] = answer[key] | value if both else value
    return parse_answer(call(dialect, stream=False), 200, headers or {}, [(1.0, json.dumps(answer).encode())], True)


def written(parsed: ParsedAnswer) -> tuple:
    assert parsed.error is None, parsed.error_message
    return parsed.prompt_tokens, parsed.cache_read_tokens, parsed.cache_write_tokens, parsed.cache_write_1h_tokens


FIVE, HOUR = {"ttl": "5m", "inputTokens": 300}, {"ttl": "1h", "inputTokens": 700}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"cacheWriteInputTokens": 1000, "cacheDetails": [HOUR, FIVE]}, (1000, 700)),
        ({"cacheWriteInputTokens": 1400, "cacheDetails": [HOUR, HOUR]}, (1400, 1400)),  # two entries of one time
        ({"cacheWriteInputTokens": 300, "cacheDetails": [FIVE]}, (300, 0)),
        ({"cacheDetails": [HOUR, FIVE]}, (1000, 700)),  # the sum is what was written
        ({"cacheWriteInputTokens": 1000}, (1000, None)),  # not told is not 0
        ({"cacheWriteInputTokens": 1000, "cacheDetails": []}, (1000, None)),
        ({"cacheWriteInputTokens": 1000, "cacheDetails": None}, (1000, None)),
        ({"cacheWriteInputTokens": 1000, "cacheDetails": [{"ttl": "1h", "inputTokens": "700"}]}, (1000, 700)),
    ],
)
def test_converse_tells_how_long_written_tokens_are_kept(usage, expected):
    assert written(whole("converse", {"usage": {"cacheReadInputTokens": 0} | usage}))[2:] == expected
    told = {"inputTokens": 20, "outputTokens": 3, "totalTokens": 23} | usage
    metadata = event("metadata", {"usage": told, "metrics": {"latencyMs": 345}})
    assert written(streamed("converse", *timed(*CONVERSE[:-1], metadata)))[2:] == expected


@pytest.mark.parametrize("count", [-1, 0.5, "many", None, [700]])
def test_a_count_of_an_hours_writes_that_is_none_is_told(count):
    parsed = whole(
        "converse", {"usage": {"cacheWriteInputTokens": 1000, "cacheDetails": [FIVE, HOUR | {"inputTokens": count}]}}
    )
    assert (parsed.error, parsed.cache_write_tokens, parsed.cache_write_1h_tokens) == (None, 1000, None)
    told = (parsed.error_code, (parsed.error_message or "").partition(" ")[0])
    assert told == ((None, "") if count is None else ("UnreadableUsage", "`cache_write_1h_tokens`"))


def claudes_start(usage: dict) -> bytes:
    start = {"input_tokens": 20, "output_tokens": 1, "cache_read_input_tokens": 0} | usage
    return chunk({"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": start}})


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "cache_creation_input_tokens": 1000,
                "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 700},
            },
            (1000, 700),
        ),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 700}}, (1000, 700)),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 700}}, (700, 700)),
        ({"cache_creation_input_tokens": 1000, "cache_creation": None}, (1000, None)),
        ({"cache_creation_input_tokens": 1000}, (1000, None)),
    ],
)
def test_claude_tells_how_long_written_tokens_are_kept(usage, expected):
    assert written(whole("claude", {"usage": usage}))[2:] == expected
    last = chunk({"type": "message_stop"})
    start = streamed("claude", *timed(claudes_start(usage), *CLAUDE[1:-1], last))
    assert written(start)[2:] == expected
    # the same in the delta at the end, and Bedrock's own count of all that was written
    delta = chunk(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3} | usage}
    )
    metrics = {"inputTokenCount": 20, "outputTokenCount": 3, "cacheWriteInputTokenCount": expected[0]}
    last = chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})
    assert written(streamed("claude", *timed(claudes_start({}), *CLAUDE[1:-2], delta, last)))[2:] == expected


@pytest.mark.parametrize(
    "parsed",
    [
        whole("converse", {"usage": {"cacheWriteInputTokens": 600, "cacheDetails": [HOUR]}}),
        whole(
            "claude",
            {"usage": {"cache_creation_input_tokens": 600, "cache_creation": {"ephemeral_1h_input_tokens": 700}}},
        ),
    ],
    ids=["converse", "claude"],
)
def test_more_written_for_an_hour_than_written_at_all_is_not_believed(parsed):
    assert (parsed.error, parsed.error_code) == (ErrorClass.BAD_RESPONSE, "ImplausibleUsage")
    assert parsed.error_message.startswith("700 tokens were written to a cache for an hour, of 600 in all; check")
    assert (parsed.prompt_tokens, parsed.cache_write_tokens, parsed.cache_write_1h_tokens) == (None, None, None)


def gateways(details: dict, **usage) -> list[ParsedAnswer]:
    """By OpenAI's routes, whole and streamed: a prompt of 1,000 tokens in all."""
    told = {
        "prompt_tokens": 1000,
        "completion_tokens": 3,
        "total_tokens": 1003,
        "prompt_tokens_details": details,
    } | usage
    last = sse({"choices": [], "usage": told}), b"data: [DONE]\n\n"
    begun = [sse(openai_chunk({"content": "Hel"})), sse(openai_chunk({"content": "lo"}, "stop"))]
    body = call("openai-chat")
    parts = timed(*begun, *last)
    stream = parse_answer(body, 200, {}, [(at, part(data)) for at, data in parts], True)
    return [whole("openai-chat", {"usage": told}), stream]


@pytest.mark.parametrize(
    ("details", "usage", "expected"),
    [
        ({"cached_tokens": 200, "cache_write_tokens": 700}, {}, (100, 200, 700, None)),
        ({"cached_tokens": 0, "cache_write_tokens": 1000}, {}, (0, 0, 1000, None)),
        ({"cached_tokens": None, "cache_write_tokens": 700}, {}, (300, None, 700, None)),
        ({"cached_tokens": 200}, {}, (800, 200, None, None)),
        # LiteLLM's names, and Claude's times behind it
        (
            {
                "cached_tokens": 200,
                "cache_creation_tokens": 700,
                "cache_write_tokens": 0,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 400},
            },
            {},
            (100, 200, 700, 400),
        ),
        ({}, {"prompt_cache_hit_tokens": 640, "prompt_cache_miss_tokens": 360}, (360, 640, None, None)),  # DeepSeek
        (None, {}, (1000, None, None, None)),
        # more than the prompt: they are counted beside it
        ({"cached_tokens": 900, "cache_write_tokens": 700}, {}, (1000, 900, 700, None)),
    ],
)
def test_openais_routes_tell_what_was_read_and_written(details, usage, expected):
    assert [written(parsed) for parsed in gateways(details, **usage)] == [expected] * 2


def test_a_header_goes_before_the_tier_in_a_body():
    headers = {"x-amzn-bedrock-service-tier": "flex"}
    assert whole("openai-chat", {"service_tier": "default"}, headers).served_tier == "flex"
    assert whole("openai-chat", {"service_tier": "priority"}).served_tier == "priority"
    assert whole("openai-chat", {"service_tier": None}).served_tier is None


def assessed(**units: int) -> dict:
    return {"invocationMetrics": {"guardrailProcessingLatency": 7, "usage": units}}


def test_a_guardrails_units_are_the_sum_of_its_assessments():
    first = assessed(contentPolicyUnits=2, topicPolicyUnits=2, wordPolicyUnits=0, sensitiveInformationPolicyFreeUnits=9)
    told = {
        "guardrail": {"modelOutput": ["a"], "inputAssessment": {"g": first}, "outputAssessments": {"g": [first, first]}}
    }
    expected = "contentPolicyUnits=6 topicPolicyUnits=6"  # 3 x 2; the free ones are free
    assert whole("converse", {"trace": told}).guardrail_units == expected
    metadata = event("metadata", {"usage": {"inputTokens": 20, "outputTokens": 3, "totalTokens": 23}, "trace": told})
    assert streamed("converse", *timed(*CONVERSE[:-1], metadata)).guardrail_units == expected
    # InvokeModel's places, and two guardrails, the account's and the call's
    other = assessed(contentPolicyUnits=1, contentPolicyImageUnits=3)
    told = {"amazon-bedrock-trace": {"guardrail": {"input": {"g": first, "h": other}, "outputs": [{"g": first}]}}}
    expected = "contentPolicyImageUnits=3 contentPolicyUnits=5 topicPolicyUnits=4"
    assert whole("claude", told).guardrail_units == expected
    # an event that tells again what an earlier one has told
    frames = [*CLAUDE[:-1], chunk({"type": "message_stop"} | told)]
    assert (
        streamed("claude", *timed(frames[0], chunk({"type": "ping"} | told), *frames[1:])).guardrail_units == expected
    )


def test_a_traces_reason_and_coverage_are_of_prompt_and_answer_together():
    def seen(guarded: object) -> dict:
        return {"invocationMetrics": {"guardrailCoverage": {"textCharacters": {"guarded": guarded, "total": 10}}}}

    told = {"inputAssessment": {"g": seen(4)}, "outputAssessments": {"g": [seen(10), seen("2")]}}
    parsed = whole("converse", {"trace": {"guardrail": told | {"actionReason": "No action."}}})
    assert (parsed.guardrail_reason, parsed.guardrail_coverage) == ("No action.", "textCharacters=14/20")
    odd = whole("converse", {"trace": {"guardrail": {"actionReason": {"a": 1}, "inputAssessment": {"g": seen(-1)}}}})
    assert (odd.error, odd.guardrail_reason, odd.guardrail_coverage) == (None, None, None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, None),
        ({"guardrail": {"actionReason": "No action."}}, None),
        ({"guardrail": {"inputAssessment": {"g": {"invocationMetrics": {"usage": None}}}}}, None),
        ({"guardrail": {"inputAssessment": {"g": assessed(contentPolicyUnits="2")}}}, None),
        ({"guardrail": {"inputAssessment": {"g": assessed(contentPolicyUnits=0)}}}, "contentPolicyUnits=0"),  # known
        ({"promptRouter": {"invokedModelId": "m"}}, None),
    ],
)
def test_units_that_nobody_tells_are_none(told, expected):
    parsed = whole("converse", {"trace": told})
    assert (parsed.error, parsed.guardrail_units) == (None, expected)
    assert parsed.invoked_model == ("m" if "promptRouter" in told else None)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({"search_units": 2, "images": 1}, 2.0),
        ({"images": 3}, 3.0),
        ({"search_units": "2"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_coheres_own_units_are_read(units, expected):
    assert whole("cohere-command-r", {"meta": {"billed_units": units}}).billed_units == expected


@pytest.mark.parametrize(
    ("target", "points", "told", "expected"),
    [
        ({"cache_system": True, "cache_ttl": "1h"}, [], None, 900),  # nothing else can have been written
        ({"cache_system": True, "cache_ttl": "1h"}, [{"ttl": "1h"}], None, 900),
        ({}, [{"ttl": "1h"}], None, 900),
        ({"cache_system": True, "cache_ttl": "1h"}, [{}], None, None),  # both: how much of each is not known
        ({"cache_system": True}, [{"ttl": "1h"}], None, None),
        ({"parameters": {"toolConfig": {}}}, [{"ttl": "1h"}], None, None),
        ({"cache_system": True}, [], None, 0),  # nothing asks for an hour: five minutes, as the services have it
        ({"parameters": {"toolConfig": {"tools": [{"cachePoint": {"ttl": "1h"}}]}}}, [], None, None),
        (
            {"model_id": "arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDE12345:1"},
            [],
            None,
            None,
        ),  # its text is kept there
        ({"cache_system": True, "cache_ttl": "1h"}, [], 0, 0),  # what the service says counts
    ],
)
def test_writes_of_a_request_that_asks_for_an_hour_alone_are_an_hours(target, points, told, expected):
    made = BedrockTarget.model_validate({"name": "t", "service": "bedrock", "model_id": "m", "system": "s"} | target)
    content = [{"type": "text", "text": "x"}, *({"cachePoint": {"type": "default"} | point} for point in points)]
    parsed = ParsedAnswer(prompt_tokens=5, completion_tokens=1, cache_write_tokens=900, cache_write_1h_tokens=told)
    counts = token_counts(None, made, Prompt("p", None, [{"role": "user", "content": content}]), parsed)
    assert counts["cache_write_1h_tokens"] == expected
    parsed = ParsedAnswer(prompt_tokens=5, completion_tokens=1, cache_write_tokens=0)
    assert token_counts(None, made, Prompt("p", "x", None), parsed)["cache_write_1h_tokens"] is None
