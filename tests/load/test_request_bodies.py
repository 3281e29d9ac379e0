"""What each family and container is sent, and the settings of a Bedrock target: all as boto3's users write them."""

import json

import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.families import family_of
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget
from tests.helpers.sent import CHAT, HELLO, bedrock, document, ours, sagemaker, sent_by_boto3

TEXT = "Hello “world” 🌍"
FOUR = SAMPLED = {"max_tokens": 64, "temperature": 0.5, "top_p": 0.9, "stop": ["a", "b"]}  # some families' own names
TITAN = {"maxTokenCount": 64, "temperature": 0.5, "topP": 0.9, "stopSequences": ["a", "b"]}
COHERE = {"max_tokens": 64, "temperature": 0.5, "p": 0.9, "stop_sequences": ["a", "b"]}
TURNS = [{"role": "user", "content": TEXT}]
BODIES = {
    "mistral.mixtral-8x7b-instruct-v0:1": {"prompt": TEXT, **SAMPLED, "top_k": 5},
    "mistral.mistral-large-2407-v1:0": {"messages": TURNS, **SAMPLED, "top_k": 5},
    "amazon.titan-text-express-v1": {"inputText": TEXT, "textGenerationConfig": TITAN, "top_k": 5},
    "cohere.command-light-text-v14": {"prompt": TEXT, **COHERE, "top_k": 5},
    "cohere.command-r-plus-v1:0": {"message": TEXT, **COHERE, "top_k": 5},
    "us.deepseek.r1-v1:0": {"prompt": TEXT, **SAMPLED, "top_k": 5},
    "openai.gpt-oss-120b-1:0": {
        "messages": TURNS, "max_completion_tokens": 64, "temperature": 0.5, "top_p": 0.9, "stop": ["a", "b"], "top_k": 5,
    },
}  # fmt: skip
COMPLETIONS = (
    "qwen.qwen3-32b-v1:0", "zai.glm-4.7", "moonshot.kimi-k2-thinking", "us.moonshotai.kimi-k2.5", "minimax.minimax-m2",
    "google.gemma-3-27b-it", "nvidia.nemotron-nano-3-30b", "mistral.mistral-large-3-675b-instruct",
    "mistral.ministral-3-8b-instruct", "ai21.jamba-1-5-large-v1:0",
)  # fmt: skip
BODIES |= {model_id: {"messages": TURNS, **SAMPLED, "top_k": 5} for model_id in COMPLETIONS}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model_id", BODIES)
def test_each_family_takes_its_own_body(model_id, stream):
    target = bedrock(model_id=model_id, api="invoke", stream=stream, parameters=FOUR | {"top_k": 5})
    expected = BODIES[model_id]
    if "command-light" in model_id and stream:
        expected = expected | {"stream": True}  # Command alone must be told in the body, too
    assert document(target) == expected


def test_embeddings_take_a_text_and_no_sampling():
    titan = bedrock(model_id="amazon.titan-embed-text-v2:0", api="invoke", parameters={"dimensions": 256})
    assert document(titan) == {"inputText": TEXT, "dimensions": 256}
    cohere = {"model_id": "cohere.embed-english-v3", "api": "invoke"}
    assert document(bedrock(**cohere)) == {"texts": [TEXT], "input_type": "search_document"}
    query = document(bedrock(**cohere, parameters={"input_type": "search_query", "truncate": "END"}))
    assert query == {"texts": [TEXT], "input_type": "search_query", "truncate": "END"}
    assert document(sagemaker(dialect="hf-embedding", parameters={"normalize": True})) == {
        "inputs": TEXT,
        "normalize": True,
    }
    marengo = {"model_id": "us.twelvelabs.marengo-embed-3-0-v1:0", "api": "invoke"}
    assert document(bedrock(**marengo)) == {"inputType": "text", "text": {"inputText": TEXT}}
    with pytest.raises(BadScenario, match="an embedding has no `max_tokens`; remove it"):
        build(bedrock(**cohere, parameters={"max_tokens": 5}), HELLO)
    with pytest.raises(ValueError, match="embeddings do not stream; remove `stream:`"):
        bedrock(**cohere, stream=True)
    with pytest.raises(ValueError, match="embeddings do not stream; remove `stream:`"):
        sagemaker(dialect="hf-embedding", stream=True)


def test_completions_of_a_container_ask_for_usage_only_when_streaming():
    target = sagemaker(dialect="openai-completions", stream=True, parameters=FOUR | {"seed": 7})
    asked = {"stream": True, "stream_options": {"include_usage": True}, "seed": 7}
    assert document(target) == {"prompt": TEXT, **SAMPLED, **asked}
    assert document(sagemaker(dialect="openai-completions")) == {"prompt": TEXT}


def test_command_r_takes_a_conversation_as_its_history():
    target = bedrock(model_id="cohere.command-r-v1:0", api="invoke")
    assert document(target, CHAT) == {
        "message": "Go on.",
        "preamble": "Be brief.",
        "chat_history": [{"role": "USER", "message": "One?\nTwo?"}, {"role": "CHATBOT", "message": "One."}],
    }
    ends = Prompt("p3", None, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    with pytest.raises(BadPayload, match="prompt `p3`: its last message is not of role user"):
        build(target, ends)


def test_the_family_is_found_in_profiles_and_arns_and_nowhere_else():
    account = "arn:aws:bedrock:us-east-1:123456789012"
    assert family_of("global.anthropic.claude-sonnet-4-20250514-v1:0") == "claude"
    assert family_of("apac.amazon.nova-lite-v1:0") == "nova"
    assert family_of("arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-tg1-large") == "titan-text"
    assert family_of(f"{account}:inference-profile/us.meta.llama4-scout-17b-instruct-v1:0") == "llama"
    for part in ("application-inference-profile/a1b2", "provisioned-model/a1b2", "imported-model/a1b2c3d4e5f6"):
        assert family_of(f"{account}:{part}") is None
    assert family_of("deepseek.v3-v1:0") == "deepseek"
    # no source says what they are sent, or where their text stands
    for model_id in ("deepseek.v3.2", "mistral.magistral-small-2509", "writer.palmyra-x5-v1:0", "google.gemma-4-31b"):
        assert family_of(model_id) is None
    with pytest.raises(ValueError, match="or ask bedrock-mantle's Chat Completions or Responses"):
        bedrock(model_id="google.gemma-4-31b", api="invoke")


# --- the settings of a Bedrock target ---

SETTINGS = {
    "guardrail": {"id": "gr12345", "version": "DRAFT"},
    "latency": "optimized",
    "service_tier": "priority",
}


@pytest.mark.parametrize("stream", [False, True])
def test_converse_with_every_setting_is_what_boto3_sends(stream):
    tools = {
        "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}],
        "toolChoice": {"any": {}},
    }
    target = bedrock(
        stream=stream,
        system="Be brief.",
        cache_system=True,
        **SETTINGS,
        parameters={"max_tokens": 9, "toolConfig": tools, "thinking": {"type": "enabled", "budget_tokens": 1024}},
    )
    path, headers, raw = sent_by_boto3(
        "bedrock-runtime",
        "converse_stream" if stream else "converse",
        modelId=target.model_id,
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        messages=[{"role": "user", "content": [{"text": TEXT}]}],
        inferenceConfig={"maxTokens": 9},
        toolConfig=tools,
        additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 1024}},
        guardrailConfig={"guardrailIdentifier": "gr12345", "guardrailVersion": "DRAFT", "trace": "enabled"},
        performanceConfig={"latency": "optimized"},
        serviceTier={"type": "priority"},
    )
    body = build(target, HELLO)
    assert ours(body)[:2] == (path, headers)
    assert json.loads(body.body) == json.loads(raw)


@pytest.mark.parametrize("stream", [False, True])
def test_invoke_model_with_every_setting_is_what_boto3_sends(stream):
    body = build(bedrock(api="invoke", stream=stream, **SETTINGS), HELLO)
    expected = sent_by_boto3(
        "bedrock-runtime",
        "invoke_model_with_response_stream" if stream else "invoke_model",
        modelId="meta.llama3-8b-instruct-v1:0",
        contentType="application/json",
        accept="application/json",
        guardrailIdentifier="gr12345",
        guardrailVersion="DRAFT",
        trace="ENABLED",
        performanceConfigLatency="optimized",
        serviceTier="priority",
        body=body.body,
    )
    assert ours(body) == expected


@pytest.mark.parametrize("stream", [False, True])
def test_a_session_and_custom_attributes_are_what_boto3_sends(stream):
    body = build(sagemaker(stream=stream, session_id="s-1", custom_attributes="c000b4f9,tenant=7"), HELLO)
    arguments = {
        "EndpointName": "llama2-13b",
        "ContentType": "application/json",
        "SessionId": "s-1",
        "CustomAttributes": "c000b4f9,tenant=7",
        "Body": body.body,
    } | ({} if stream else {"Accept": "application/json"})
    operation = "invoke_endpoint_with_response_stream" if stream else "invoke_endpoint"
    assert ours(body) == sent_by_boto3("sagemaker-runtime", operation, **arguments)


CLAUDE = {"model_id": "anthropic.claude-3-7-sonnet-v1:0", "api": "invoke", "parameters": {"max_tokens": 9}}
POINT = {"cachePoint": {"type": "default"}}


def test_a_system_prompt_goes_where_each_family_has_one():
    found = {
        model_id: document(bedrock(model_id=model_id, api="invoke", system="Be brief.", parameters={"max_tokens": 9}))
        for model_id in (
            "anthropic.claude-3",
            "amazon.nova-lite-v1:0",
            "openai.gpt-oss-20b-1:0",
            "cohere.command-r-v1:0",
        )
    }
    assert [d.get("system") or d.get("preamble") or d["messages"][0] for d in found.values()] == [
        "Be brief.",
        [{"text": "Be brief."}],
        {"role": "system", "content": "Be brief."},
        "Be brief.",
    ]
    with pytest.raises(
        BadScenario, match="llama has no system prompt; write it into the prompts, or use `api: converse`"
    ):
        build(bedrock(api="invoke", system="x"), HELLO)
    with pytest.raises(BadScenario, match="tgi has no system prompt; write it into the prompts$"):
        build(sagemaker(system="x"), HELLO)
    route = OpenAITarget(name="o", service="openai", base_url="http://h/v1", model_id="m", system="Be brief.")
    for target in (route, sagemaker(dialect="openai-chat", system="Be brief.")):
        assert document(target)["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": HELLO.text},
        ]
    with pytest.raises(BadPayload, match="prompt `p2`: has a system message and target `t` a `system`; keep one"):
        build(bedrock(system="x"), CHAT)


def test_a_cached_system_prompt_has_claudes_mark_in_claudes_own_body():
    marked = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
    assert document(bedrock(**CLAUDE, system="Be brief.", cache_system=True))["system"] == [marked]
    with pytest.raises(BadScenario, match="`cache_system` is not for nova; use `api: converse`"):
        build(bedrock(model_id="amazon.nova-lite-v1:0", api="invoke", system="x", cache_system=True), HELLO)
    with pytest.raises(ValueError, match="`cache_system` caches nothing without `system:`; add it"):
        bedrock(cache_system=True)


def test_cache_points_of_a_payload_go_into_converse_and_become_claudes_marks():
    parts = [{"type": "text", "text": "Long."}, POINT, {"type": "text", "text": "Short?"}]
    system = [{"type": "text", "text": "Be."}, POINT]
    prompt = Prompt("p4", None, [{"role": "system", "content": system}, {"role": "user", "content": parts}])
    converse = document(bedrock(), prompt)
    assert converse["system"] == [{"text": "Be."}, POINT]
    assert converse["messages"] == [{"role": "user", "content": [{"text": "Long."}, POINT, {"text": "Short?"}]}]
    mark = {"cache_control": {"type": "ephemeral"}}
    claude = document(bedrock(**CLAUDE), prompt)
    assert claude["system"] == [{"type": "text", "text": "Be."} | mark]
    assert claude["messages"][0]["content"] == [parts[0] | mark, parts[2]]
    with pytest.raises(BadPayload, match="has a `cachePoint`, which openai-chat does not take"):
        build(sagemaker(dialect="openai-chat"), prompt)
    first = Prompt("p5", None, [{"role": "user", "content": [POINT, parts[0]]}])
    with pytest.raises(BadPayload, match="prompt `p5` has a `cachePoint` with no text before it"):
        build(bedrock(**CLAUDE), first)


# --- raw ---

ANSWER = {"text": "text"}


def raw(body: dict, **more) -> SageMakerTarget:
    return sagemaker(**{"dialect": "raw", "body": body, "answer": ANSWER} | more)


def test_a_raw_body_is_filled_with_the_prompt_and_the_parameters():
    target = raw(
        {
            "text_inputs": "[INST] {prompt} [/INST]",
            "n": "{max_tokens}",
            "deep": [{"t": "{prompt}", "k": "{top_k}"}],
            "x": 1,
        },
        parameters={"max_tokens": 64, "top_k": None},
    )
    expected = {"text_inputs": f"[INST] {TEXT} [/INST]", "n": 64, "deep": [{"t": TEXT, "k": None}], "x": 1}
    assert document(target) == expected
    assert document(target, Prompt("p", "{max_tokens}", None, None, {"max_tokens": 5}))["n"] == 5
    assert (
        document(target, Prompt("p", "{max_tokens}", None))["deep"][0]["t"] == "{max_tokens}"
    )  # a prompt is no template
    assert document(raw({"m": "{messages}"}), CHAT) == {"m": CHAT.messages}
    assert document(raw({"m": "{messages}"})) == {"m": TURNS}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dialect": "tgi", "body": {"a": "{prompt}"}}, "`body` belongs to `dialect: raw`; remove it"),
        ({"dialect": "raw", "answer": ANSWER}, "`dialect: raw` needs `body:`"),
        ({"dialect": "raw", "body": {"a": "{prompt}"}}, "`dialect: raw` needs `answer:`"),
        ({"dialect": "raw", "body": {"a": "b"}, "answer": ANSWER}, "`body` has no place for the prompt"),
        (
            {"dialect": "raw", "body": {"a": "{prompt}"}, "answer": ANSWER, "parameters": {"max_tokens": 5}},
            "`parameters.max_tokens` has no place in `body`; write",
        ),
        ({"dialect": "raw", "body": {"a": "{prompt}"}, "answer": {"text": "a["}}, "`a\\[` is no JMESPath expression"),
    ],
)
def test_a_raw_target_that_is_not_whole_is_refused(values, said):
    with pytest.raises(ValueError, match=said) as e:
        sagemaker(**values)
    assert "\n" not in e.value.errors()[0]["msg"]


def test_a_raw_body_with_a_place_that_nothing_fills_is_refused():
    with pytest.raises(
        BadScenario, match=r"target `t`: `body` has a place for \{seed\}, which is not in `parameters:`"
    ):
        build(raw({"a": "{prompt}", "s": "{seed}"}), HELLO)
    with pytest.raises(BadPayload, match="prompt `p2` has `messages`, but `body` takes"):
        build(raw({"a": "{prompt}"}), CHAT)


def test_a_bedrock_target_needs_a_version_for_its_guardrail():
    with pytest.raises(ValueError, match="version"):
        BedrockTarget(name="t", service="bedrock", model_id="m", guardrail={"id": "gr1", "version": "latest"})
