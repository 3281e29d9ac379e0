"""ApplyGuardrail and InvokeGuardrailChecks of the local endpoint, by an unmodified boto3 client: units, actions, refusals, faults."""

import botocore.exceptions
import pytest

from tests.helpers import bodies
from tests.helpers.emulator_process import running_emulator

EXACT = {"engines": {}, "guardrails": ["gr12345:1", "gr12345:DRAFT"], "guardrail_policies": ["content", "word"]}
GUARDING = {"latency_ms": 40, "blocks": ["harbour master"]}


@pytest.fixture(scope="module")
def bedrock():
    with running_emulator(EXACT | {"guarding": GUARDING}) as e:
        yield e.client("bedrock-runtime")


def apply(client, *texts: str, version: str = "1", **more) -> dict:
    content = [{"text": {"text": text}} for text in texts]
    asked = {"guardrailIdentifier": "gr12345", "guardrailVersion": version, "source": "INPUT", "content": content}
    return client.apply_guardrail(**asked | more)


def test_a_text_has_a_unit_a_thousand_characters_of_each_policy_that_there_is(bedrock):
    answer = apply(bedrock, "a" * 999, "bc", version="DRAFT")  # 1,001 characters: two units
    usage = {"topic": 0, "content": 2, "word": 2, "sensitiveInformation": 0, "contextualGrounding": 0}
    expected = {f"{policy}PolicyUnits": units for policy, units in usage.items()}
    assert answer["usage"] == expected | {"sensitiveInformationPolicyFreeUnits": 0}
    assert (answer["action"], answer["outputs"]) == ("NONE", []) and answer["actionReason"] == "No action."
    [assessment] = answer["assessments"]
    assert assessment["invocationMetrics"]["usage"] == answer["usage"]
    assert assessment["invocationMetrics"]["guardrailProcessingLatency"] == 40
    assert answer["guardrailCoverage"] == {"textCharacters": {"guarded": 1001, "total": 1001}}


def test_what_is_blocked_is_said_and_all_is_told_where_it_is_asked_for(bedrock):
    answer = apply(bedrock, "Who is the Harbour Master?")
    assert (answer["action"], answer["actionReason"]) == ("GUARDRAIL_INTERVENED", "Guardrail blocked.")
    assert len(answer["outputs"]) == 1
    assert answer["assessments"][0]["topicPolicy"]["topics"][0]["action"] == "BLOCKED"
    assert "contentPolicy" not in answer["assessments"][0]
    full = apply(bedrock, "Who sails?", outputScope="FULL")["assessments"][0]
    assert {each["detected"] for each in full["contentPolicy"]["filters"]} == {False}


def test_checks_have_a_score_for_each_category_and_units_for_each_check(bedrock):
    asked = {
        "contentFilter": {"categories": [{"category": "HATE"}, {"category": "VIOLENCE"}]},
        "sensitiveInformation": {"entities": [{"type": "EMAIL"}]},
    }
    messages = [{"role": "user", "content": [{"text": "a" * 1500}]}]
    answer = bedrock.invoke_guardrail_checks(messages=messages, checks=asked)
    zero = [{"category": name, "severityScore": 0.0} for name in ("HATE", "VIOLENCE")]
    assert answer["results"] == {"contentFilter": {"results": zero}, "sensitiveInformation": {"results": []}}
    assert answer["usage"] == {"contentFilter": {"textUnits": 2}, "sensitiveInformation": {"textUnits": 2}}
    messages = [{"role": "user", "content": [{"text": "the harbour master"}]}]
    answer = bedrock.invoke_guardrail_checks(messages=messages, checks=asked)
    assert answer["results"]["contentFilter"]["results"][0]["severityScore"] == 0.9


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"version": "2"}, "does not exist"),
        ({"guardrailIdentifier": "gr99999"}, "does not exist"),
        ({"source": "BOTH"}, r"Value 'BOTH' at 'source' failed .* enum value set: \[INPUT, OUTPUT\]"),
        (
            {"content": [{"text": {"text": "a", "qualifiers": ["loud"]}}]},
            "Value 'loud' at 'content.1.member.text.qualifiers",
        ),
    ],
)
def test_what_the_service_does_not_take_is_refused(bedrock, more, message):
    with pytest.raises(botocore.exceptions.ClientError, match=message) as refused:
        apply(bedrock, "a", **more)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_request_without_its_content_is_refused_as_the_service_does(bedrock):
    lax = botocore.config.Config(parameter_validation=False)
    client = boto3_client(bedrock, lax)
    with pytest.raises(botocore.exceptions.ClientError, match="Value null at 'content' failed to satisfy constraint"):
        client.apply_guardrail(guardrailIdentifier="gr12345", guardrailVersion="1", source="INPUT")


def boto3_client(like, config):
    """The same client with another configuration."""
    import boto3

    keys = like._request_signer._credentials
    pair = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}
    where = {"region_name": "us-east-1", "endpoint_url": like.meta.endpoint_url}
    return boto3.session.Session().client("bedrock-runtime", **where, **pair, config=config)


def test_guardrails_and_counts_have_quotas_and_faults_of_their_own():
    config = EXACT | {
        "engines": {"exact": {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 1000}},
        "models": {bodies.CLAUDE: {"engine": "exact", "family": "claude", "counting": {"faults": {"server": 1.0}}}},
        "guarding": {"limit": {"requests_per_second": 0.001, "burst": 1}},
    }
    with running_emulator(config) as e:
        client = e.client("bedrock-runtime")
        assert apply(client, "a")["action"] == "NONE"
        with pytest.raises(client.exceptions.ThrottlingException, match="Too many requests"):
            apply(client, "a")
        asked = {"messages": bodies.converse(1)["messages"]}
        with pytest.raises(client.exceptions.InternalServerException):
            client.count_tokens(modelId=bodies.CLAUDE, input={"converse": asked})
        assert client.converse(modelId=bodies.CLAUDE, inferenceConfig={"maxTokens": 1}, **asked)["usage"]["inputTokens"]
