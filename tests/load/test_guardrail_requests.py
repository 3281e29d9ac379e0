"""CountTokens, ApplyGuardrail and InvokeGuardrailChecks: what a line becomes is what boto3's users send, and what does not fit is refused."""

import base64
import json

import pydantic
import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import BedrockTarget
from tests.helpers.sent import CHAT, HELLO, document, ours, sent_by_boto3

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr12345"
TEXT = HELLO.text
PNG, GIF = (base64.b64encode(begin + b"0" * 9).decode() for begin in (b"\x89PNG", b"GIF8"))


def target(api: str, **values) -> BedrockTarget:
    return BedrockTarget(**{"name": "t", "service": "bedrock", "api": api} | values)


def guard(**values) -> BedrockTarget:
    return target("apply-guardrail", **{"guardrail": {"id": ARN, "version": "DRAFT"}} | values)


def checks(given: object, **values) -> BedrockTarget:
    return target("guardrail-checks", parameters={"checks": given}, **values)


def test_apply_guardrail_is_what_boto3_sends():
    path, headers, raw = sent_by_boto3(
        "bedrock-runtime",
        "apply_guardrail",
        guardrailIdentifier=ARN,
        guardrailVersion="DRAFT",
        source="OUTPUT",
        outputScope="FULL",
        content=[{"text": {"text": text}} for text in ("Be brief.", "One?", "Two?", "One.", "Go on.")],
    )
    body = build(guard(parameters={"source": "OUTPUT", "outputScope": "FULL"}), CHAT)
    assert ours(body)[:2] == (path, headers) and json.loads(body.body) == json.loads(raw)
    assert document(guard()) == {"source": "INPUT", "content": [{"text": {"text": TEXT}}]}


def test_invoke_guardrail_checks_is_what_boto3_sends_and_names_will_do():
    given = {
        "contentFilter": {"categories": [{"category": "HATE"}, {"category": "INSULTS"}]},
        "sensitiveInformation": {"entities": [{"type": "EMAIL"}]},
    }
    messages = [
        {"role": "system", "content": [{"text": "Be brief."}]},
        {"role": "user", "content": [{"text": "One?"}, {"text": "Two?"}]},
        {"role": "assistant", "content": [{"text": "One."}]},
        {"role": "user", "content": [{"text": "Go on."}]},
    ]
    path, headers, raw = sent_by_boto3("bedrock-runtime", "invoke_guardrail_checks", messages=messages, checks=given)
    for as_written in (given, {"contentFilter": ["HATE", "INSULTS"], "sensitiveInformation": ["EMAIL"]}):
        body = build(checks(as_written), CHAT)
        assert ours(body)[:2] == (path, headers) and json.loads(body.body) == json.loads(raw)


def test_count_tokens_is_what_boto3_sends_of_converse_and_of_a_familys_body():
    counting = {
        "model_id": CLAUDE,
        "system": "Be brief.",
        "parameters": {"max_tokens": 9, "thinking": {"type": "enabled"}},
    }
    asked = {
        "messages": [{"role": "user", "content": [{"text": TEXT}]}],
        "system": [{"text": "Be brief."}],
        "additionalModelRequestFields": {"thinking": {"type": "enabled"}},
    }
    path, headers, raw = sent_by_boto3("bedrock-runtime", "count_tokens", modelId=CLAUDE, input={"converse": asked})
    body = build(target("count-tokens", **counting), HELLO)
    assert ours(body)[:2] == (path, headers) and json.loads(body.body) == json.loads(raw)
    whole = build(target("invoke", **counting), HELLO).body
    _, _, raw = sent_by_boto3("bedrock-runtime", "count_tokens", modelId=CLAUDE, input={"invokeModel": {"body": whole}})
    assert document(target("count-tokens", **counting, dialect="claude")) == json.loads(raw)


def test_images_are_guarded_where_the_service_takes_their_kind():
    def line(image: str) -> Prompt:
        part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
        return Prompt("p9", None, [{"role": "user", "content": [{"type": "text", "text": "See."}, part]}])

    content = document(guard(), line(PNG))["content"]
    assert content == [{"text": {"text": "See."}}, {"image": {"format": "png", "source": {"bytes": PNG}}}]
    with pytest.raises(BadPayload, match="prompt `p9` has an image of format gif, and a guardrail takes png and jpeg"):
        build(guard(), line(GIF))
    with pytest.raises(BadPayload, match="prompt `p9` has an image, which guardrail-checks does not take"):
        build(checks({"contentFilter": ["HATE"]}), line(PNG))


def test_what_converse_guards_goes_with_its_qualifiers_and_what_a_guardrail_cannot_see_is_refused():
    def line(*blocks: dict) -> Prompt:
        return Prompt("p9", None, [{"role": "user", "content": list(blocks)}])

    image = {"image": {"format": "png", "source": {"bytes": PNG}}}
    text = {"text": {"text": "The ferry leaves at nine.", "qualifiers": ["grounding_source"]}}
    found = build(guard(), line({"guardContent": text}, {"guardContent": image}, image, {"text": "When?"}))
    assert json.loads(found.body)["content"] == [text, image, image, {"text": {"text": "When?"}}]
    assert found.media_bytes == 2 * 13
    s3 = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k"}}}}
    for block, why in (
        ({"document": {"name": "d"}}, "has `document`, and a guardrail looks at texts and images; write its text"),
        (s3, "has an `s3Location`, which a guardrail does not read; write the bytes as base64"),
        (
            {"image": image["image"] | {"format": "webp"}},
            "has an image of format webp, and a guardrail takes png and jpeg",
        ),
    ):
        with pytest.raises(BadPayload, match=f"prompt `p9` {why}"):
            build(guard(), line(block))


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (guard(parameters={"max_tokens": 5}), "`api: apply-guardrail` has no `max_tokens`; remove it"),
        (guard(parameters={"source": "BOTH"}), "`parameters.source` must be INPUT or OUTPUT"),
        (guard(parameters={"outputScope": "full"}), "`parameters.outputScope` must be INTERVENTIONS or FULL"),
        (target("guardrail-checks"), "needs `parameters.checks`; write checks: {contentFilter: "),
        (checks({"topics": ["a"]}), "`parameters.checks` has no `topics`; it takes contentFilter, promptAttack"),
        (
            target("count-tokens", model_id="meta.llama3-8b-instruct-v1:0", dialect="llama", system="s"),
            "has no system prompt",
        ),
    ],
)
def test_parameters_that_have_no_place_are_the_scenarios_mistake(made, why):
    with pytest.raises(BadScenario) as refused:
        build(made, HELLO)
    assert why in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"api": "apply-guardrail"}, "applies a guardrail; add `guardrail: "),
        (
            {"api": "apply-guardrail", "guardrail": {"id": "g1", "version": "1"}, "model_id": "m"},
            "asks no model; remove `model_id`",
        ),
        (
            {"api": "apply-guardrail", "guardrail": {"id": "g1", "version": "1"}, "stream": True},
            "in one piece; remove `stream:`",
        ),
        ({"api": "guardrail-checks", "guardrail": {"id": "g1", "version": "1"}}, "has no `guardrail`; remove it"),
        ({"api": "count-tokens", "model_id": CLAUDE, "service_tier": "flex"}, "has no `service_tier`; remove it"),
        ({"api": "count-tokens"}, "Field required"),
        (
            {"api": "count-tokens", "model_id": "amazon.titan-embed-text-v2:0"},
            "makes embeddings, which Converse does not",
        ),
    ],
)
def test_keys_that_have_no_place_are_refused(values, why):
    with pytest.raises(pydantic.ValidationError, match=why):
        BedrockTarget(name="t", service="bedrock", **values)


def test_a_target_read_from_its_own_dump_is_the_same():
    made = guard(price={"guardrail": {"contentPolicyUnits": 0.00015}})
    assert (made.model_id, made.price.input, made.price.output) == (ARN, 0.0, 0.0)
    assert BedrockTarget.model_validate(made.model_dump()) == made
    assert checks({}).model_id == "guardrail-checks"


UNITS = {"contentPolicyUnits": 2, "topicPolicyUnits": 1, "wordPolicyUnits": 0, "sensitiveInformationPolicyFreeUnits": 2}


def parsed(made: BedrockTarget, answer: dict):
    return parse_answer(build(made, HELLO), 200, {}, [(1.0, json.dumps(answer).encode())], True)


def test_an_applied_guardrail_has_its_units_once_its_action_and_its_slowest_assessment():
    metrics = [{"guardrailProcessingLatency": ms, "usage": UNITS} for ms in (120, 340)]
    answer = {
        "usage": UNITS,
        "action": "GUARDRAIL_INTERVENED",
        "actionReason": "Guardrail blocked.",
        "outputs": [{"text": "No."}],
        "guardrailCoverage": {"textCharacters": {"guarded": 5, "total": 8}, "images": {"guarded": 1, "total": 1}},
    }
    found = parsed(guard(), answer | {"assessments": [{"invocationMetrics": each} for each in metrics]})
    assert (found.error, found.stop_reason, found.text) == (None, "guardrail_intervened", "")
    assert found.guardrail_units == "contentPolicyUnits=2 topicPolicyUnits=1"  # zeros and free ones apart
    assert (found.guardrail_reason, found.guardrail_coverage) == ("Guardrail blocked.", "textCharacters=5/8 images=1/1")
    assert (found.service_latency_ms, found.prompt_tokens, found.completion_tokens) == (340.0, None, None)
    passed = parsed(guard(), {"usage": UNITS, "action": "NONE", "outputs": [], "assessments": []})
    assert (passed.error, passed.stop_reason, passed.service_latency_ms) == (None, None, None)
    assert (passed.guardrail_reason, passed.guardrail_coverage) == (None, None)


def test_answers_without_what_the_service_always_says_cannot_be_read():
    for made, answer, lacking in (
        (guard(), {"action": "NONE", "outputs": [], "assessments": []}, "usage"),
        (guard(), {"usage": UNITS, "outputs": [], "assessments": []}, "action"),
        (checks({"contentFilter": ["HATE"]}), {"usage": {}}, "results"),
        (target("count-tokens", model_id=CLAUDE), {"tokens": 5}, "inputTokens"),
        (target("count-tokens", model_id=CLAUDE), {"inputTokens": "5 tokens"}, "inputTokens"),
    ):
        found = parsed(made, answer)
        assert (found.error, found.error_message) == ("bad_response", f"no `{lacking}` in the answer")


def test_checks_bill_a_unit_of_each_by_its_name():
    usage = {"contentFilter": {"textUnits": 2}, "promptAttack": {"textUnits": 1}}
    scores = {"contentFilter": {"results": [{"category": "HATE", "severityScore": 0.1}]}}
    found = parsed(checks({"contentFilter": ["HATE"]}), {"results": scores, "usage": usage})
    assert (found.error, found.guardrail_units) == (None, "contentFilter=2 promptAttack=1")


def test_reasoning_whose_pieces_have_tags_of_their_own_is_no_text():
    """As Kimi's streams came on InvokeModel; a piece may end one and begin the next."""
    made = target("invoke", model_id="moonshot.kimi-k2-thinking")
    said = "<reasoning> The user</reasoning><reasoning> asks.</reasoning> 2"
    message = {"role": "assistant", "content": said}
    found = parsed(made, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    assert (found.error, found.text, found.hidden_reasoning) == (None, " 2", False)
