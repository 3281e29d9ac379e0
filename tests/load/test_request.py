"""The request of each surface beside the one that boto3 sends."""

import datetime
import functools
import json
import time
import timeit

import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from tests.helpers.sent import CHAT, HELLO, bedrock, document, ours, sagemaker, sent_by_boto3

PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3"
PROVISIONED = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["tgi", "lmi", "openai-chat"])
def test_a_sagemaker_request_is_what_boto3_sends(dialect, stream):
    body = build(
        sagemaker(dialect=dialect, stream=stream, endpoint="my-Endpoint-1", inference_component="ic-1", variant="blue"),
        HELLO,
    )
    arguments = {
        "EndpointName": "my-Endpoint-1",
        "ContentType": "application/json",
        "InferenceComponentName": "ic-1",
        "TargetVariant": "blue",
        "Body": body.body,
    }
    if stream:
        assert body.operation == "InvokeEndpointWithResponseStream"
        assert ours(body) == sent_by_boto3("sagemaker-runtime", "invoke_endpoint_with_response_stream", **arguments)
    else:
        assert body.operation == "InvokeEndpoint"
        assert ours(body) == sent_by_boto3(
            "sagemaker-runtime", "invoke_endpoint", Accept="application/json", **arguments
        )


@pytest.mark.parametrize("stream", [True, False])
def test_container_prefix_and_inference_ids_go_into_their_headers(stream):
    ids = {"target_container": "second", "prefix_aware_id": "conversation 7", "inference_id": "load-test"}
    body = build(sagemaker(stream=stream, **ids), HELLO)
    operation = "invoke_endpoint_with_response_stream" if stream else "invoke_endpoint"
    expected = sent_by_boto3(
        "sagemaker-runtime",
        operation,
        EndpointName="llama2-13b",
        ContentType="application/json",
        TargetContainerHostname="second",
        PrefixAwareId="conversation 7",
        InferenceId="load-test",
        Body=body.body,
        **({} if stream else {"Accept": "application/json"}),
    )
    assert ours(body) == expected


def test_a_target_model_goes_into_its_header_and_cannot_be_streamed():
    body = build(sagemaker(target_model="m.tar.gz"), HELLO)
    expected = sent_by_boto3(
        "sagemaker-runtime",
        "invoke_endpoint",
        EndpointName="llama2-13b",
        ContentType="application/json",
        Accept="application/json",
        TargetModel="m.tar.gz",
        Body=body.body,
    )
    assert ours(body) == expected
    with pytest.raises(BadScenario, match="does not stream from a `target_model`"):
        build(sagemaker(target_model="m.tar.gz", stream=True), HELLO)


def test_a_new_session_cannot_be_streamed():
    """The stream's own description of the header has no such word, only a session's name."""
    assert build(sagemaker(session_id="NEW_SESSION"), HELLO).headers["X-Amzn-SageMaker-Session-Id"] == "NEW_SESSION"
    assert (
        build(sagemaker(session_id="session-7", stream=True), HELLO).headers["X-Amzn-SageMaker-Session-Id"]
        == "session-7"
    )
    with pytest.raises(
        BadScenario, match="does not stream with `session_id: NEW_SESSION`; remove it or set `stream: false`"
    ):
        build(sagemaker(session_id="NEW_SESSION", stream=True), HELLO)


MODEL_IDS = ["meta.llama3-8b-instruct-v1:0", "us.anthropic.claude-sonnet-4-20250514-v1:0", PROFILE, PROVISIONED]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_an_invoke_model_request_is_what_boto3_sends(model_id, stream):
    target = bedrock(model_id=model_id, api="invoke", dialect="llama", stream=stream, parameters={"max_tokens": 9})
    body = build(target, HELLO)
    operation = "invoke_model_with_response_stream" if stream else "invoke_model"
    assert body.operation == ("InvokeModelWithResponseStream" if stream else "InvokeModel")
    assert ours(body) == sent_by_boto3(
        "bedrock-runtime",
        operation,
        modelId=model_id,
        contentType="application/json",
        accept="application/json",
        body=body.body,
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_a_converse_request_is_what_boto3_sends(model_id, stream):
    parameters = {
        "max_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": "END",
        "top_k": 20,
        "guardrailConfig": {"guardrailIdentifier": "gr-12345", "guardrailVersion": "1"},
    }
    body = build(bedrock(model_id=model_id, stream=stream, latency="optimized", parameters=parameters), CHAT)
    assert body.operation == ("ConverseStream" if stream else "Converse")
    path, headers, raw = sent_by_boto3(
        "bedrock-runtime",
        "converse_stream" if stream else "converse",
        modelId=model_id,
        system=[{"text": "Be brief."}],
        messages=[
            {"role": "user", "content": [{"text": "One?"}, {"text": "Two?"}]},
            {"role": "assistant", "content": [{"text": "One."}]},
            {"role": "user", "content": [{"text": "Go on."}]},
        ],
        inferenceConfig={"maxTokens": 64, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        additionalModelRequestFields={"top_k": 20},
        performanceConfig={"latency": "optimized"},
        guardrailConfig={"guardrailIdentifier": "gr-12345", "guardrailVersion": "1", "trace": "enabled"},
    )
    assert ours(body)[:2] == (path, headers)
    assert json.loads(body.body) == json.loads(raw)


def test_bodies_are_compact_utf_8():
    assert (
        build(bedrock(), HELLO).body
        == '{"messages":[{"role":"user","content":[{"text":"Hello “world” 🌍"}]}]}'.encode()
    )


ALL = {"max_tokens": 64, "temperature": 0.5, "top_p": 0.9, "stop": ["a", "b"], "seed": 7}


def test_tgi_parameters_are_translated_and_others_go_beside_them():
    assert document(sagemaker(stream=True, parameters=ALL)) == {
        "inputs": "Hello “world” 🌍",
        "parameters": {
            "max_new_tokens": 64,
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["a", "b"],
            "do_sample": True,
            "details": True,
            "return_full_text": False,
            "seed": 7,
        },
        "stream": True,
    }


def test_temperature_0_is_greedy_in_tgi_and_lmi_and_sends_no_temperature():
    for dialect in ("tgi", "lmi"):
        parameters = document(sagemaker(dialect=dialect, parameters={"temperature": 0, "top_p": 0.9}))["parameters"]
        assert parameters == {"do_sample": False, "details": True, "return_full_text": False}


def test_without_a_temperature_tgi_decides_itself():
    assert document(sagemaker())["parameters"] == {"details": True, "return_full_text": False}
    assert document(sagemaker(parameters={"top_p": 0.9}))["parameters"]["do_sample"] is True


def test_a_top_p_of_1_is_left_out_of_tgi_which_refuses_it():
    assert "top_p" not in document(sagemaker(parameters={"top_p": 1}))["parameters"]
    assert document(sagemaker(dialect="lmi", parameters={"top_p": 1}))["parameters"]["top_p"] == 1


def test_lmi_names_its_stop_sequences_and_takes_the_users_own_switches():
    parameters = document(sagemaker(dialect="lmi", parameters=ALL | {"details": False, "do_sample": False}))[
        "parameters"
    ]
    assert parameters["stop_sequences"] == ["a", "b"] and "stop" not in parameters
    assert parameters["details"] is False and parameters["do_sample"] is False


def test_openai_chat_asks_for_usage_only_when_streaming():
    assert document(sagemaker(dialect="openai-chat", stream=True, parameters=ALL)) == {
        "messages": [{"role": "user", "content": "Hello “world” 🌍"}],
        "max_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["a", "b"],
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert document(sagemaker(dialect="openai-chat"), CHAT) == {"messages": CHAT.messages}


def test_claude_takes_messages_with_the_system_prompt_apart():
    target = bedrock(model_id="anthropic.claude-3-haiku-v1", api="invoke", parameters=ALL | {"top_k": 5})
    assert document(target, CHAT) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop_sequences": ["a", "b"],
        "seed": 7,
        "top_k": 5,
        "system": "Be brief.",
        "messages": CHAT.messages[1:],
    }
    assert document(target)["messages"] == [{"role": "user", "content": "Hello “world” 🌍"}]


def test_claude_without_max_tokens_is_refused():
    with pytest.raises(BadScenario, match="target `t`: Claude's body needs `max_tokens`"):
        build(bedrock(model_id="anthropic.claude-3-haiku-v1", api="invoke"), HELLO)


def test_nova_takes_converse_like_messages_and_merges_its_inference_config():
    parameters = {"max_tokens": 64, "inferenceConfig": {"topK": 20}}
    assert document(bedrock(model_id="us.amazon.nova-lite-v1:0", api="invoke", parameters=parameters), CHAT) == {
        "schemaVersion": "messages-v1",
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "One?"}, {"text": "Two?"}]},
            {"role": "assistant", "content": [{"text": "One."}]},
            {"role": "user", "content": [{"text": "Go on."}]},
        ],
        "inferenceConfig": {"maxTokens": 64, "topK": 20},
    }


def test_llama_takes_a_prompt_and_no_stop():
    target = bedrock(api="invoke", parameters={"max_tokens": 64, "temperature": 0, "top_p": 0.9})
    assert document(target) == {"prompt": "Hello “world” 🌍", "max_gen_len": 64, "temperature": 0, "top_p": 0.9}
    with pytest.raises(BadScenario, match="no stop sequences; remove"):
        build(bedrock(api="invoke", parameters={"stop": "x"}), HELLO)


@pytest.mark.parametrize("value", [datetime.date(2023, 6, 1), float("nan"), float("inf"), "\ud800", {1, 2}], ids=repr)
def test_a_parameter_that_json_does_not_have_is_refused_before_sending(value):
    with pytest.raises(
        BadScenario, match=r"target `t`: the body for prompt `p1` is not JSON \(.*\); put dates into quotes"
    ):
        build(bedrock(parameters={"version": value}), HELLO)


def test_a_prompts_own_parameters_override_the_targets():
    prompt = Prompt("p", "Hi", None, None, {"max_tokens": 5, "temperature": None})
    target = bedrock(api="invoke", parameters={"max_tokens": 64, "temperature": 0.5, "top_p": 0.9})
    assert document(target, prompt) == {"prompt": "Hi", "max_gen_len": 5, "top_p": 0.9}
    assert target.parameters["max_tokens"] == 64


@pytest.mark.parametrize("target", [sagemaker(), sagemaker(dialect="lmi"), bedrock(api="invoke")])
def test_messages_for_a_text_dialect_are_refused_with_those_that_take_them(target):
    with pytest.raises(BadPayload, match="prompt `p2` has `messages`, but .* converse, claude, nova, openai-chat"):
        build(target, CHAT)


@pytest.mark.parametrize("key", ["stream", "messages", "inputs", "prompt"])
def test_parameters_cannot_replace_the_prompt_or_the_streaming(key):
    with pytest.raises(BadScenario, match=f"`parameters.{key}` is not for the body"):
        build(bedrock(parameters={key: True}), HELLO)


def test_two_system_prompts_are_refused():
    with pytest.raises(BadPayload, match="prompt `p2`: has a system message and `parameters` a `system`"):
        build(bedrock(parameters={"system": [{"text": "x"}]}), CHAT)
    assert document(bedrock(parameters={"system": [{"text": "x"}]}))["system"] == [{"text": "x"}]


def test_only_a_container_asked_to_repeat_the_prompt_has_an_echo():
    assert build(sagemaker(), HELLO).echo is None
    assert build(sagemaker(parameters={"return_full_text": True}), HELLO).echo == HELLO.text


@pytest.mark.timed
def test_building_a_4_kb_request_takes_less_than_four_times_as_long_as_writing_its_json():
    prompt = Prompt("p", "word " * 820, None)
    for target in (sagemaker(parameters=ALL), bedrock(parameters=ALL)):
        written = json.loads(build(target, prompt).body)
        alone = functools.partial(json.dumps, written, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        both = (functools.partial(build, target, prompt), alone)
        one, control = (min(timeit.repeat(f, timer=time.thread_time, number=20, repeat=50)) for f in both)
        assert one < 4 * control
