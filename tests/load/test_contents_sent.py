"""Messages in an API's own form are sent as they are, Converse's as boto3 writes them; a target of another API refuses the line."""

import base64
import json

import botocore.session
import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts import shapes
from locustfiles.common.prompts.payloads import BadPayload, Prompt, load_payload
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import OpenAITarget
from tests.helpers.contents import (
    ANTHROPIC,
    CONVERSE,
    CONVERSE_BYTES,
    MEDIA_BYTES,
    OPENAI,
    PDF_BYTES,
    PNG,
    PNG_BYTES,
    RESPONSES,
    TOOL,
    user,
)
from tests.helpers.sent import bedrock, sagemaker, sent_by_boto3

MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")
CLAUDE = {"model_id": "anthropic.claude-3-haiku-20240307-v1:0", "api": "invoke"}
FOUR = {"parameters": {"max_tokens": 4}}


def line(tmp_path, messages: list, **more) -> Prompt:
    (tmp_path / "p.jsonl").write_text(json.dumps({"messages": messages} | more))
    return load_payload(tmp_path / "p.jsonl")[0]


def route(dialect: str, **more) -> OpenAITarget:
    known = {"name": "t", "service": "openai", "base_url": "http://h/v1", "model_id": "m", "dialect": dialect}
    return OpenAITarget(**known | FOUR | more)


def test_every_content_that_botocore_knows_has_its_sample():
    assert CONVERSE.keys() == MODEL.shape_for("ContentBlock").members.keys()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", CONVERSE)
def test_converses_blocks_are_sent_as_boto3_writes_them(tmp_path, kind, stream):
    messages = [
        user({"text": "Look."}, CONVERSE[kind]),
        {"role": "assistant", "content": [{"text": "So."}]},
        user({"text": "On."}),
    ]
    body = build(bedrock(stream=stream), line(tmp_path, messages))
    as_bytes = shapes.with_bytes(MODEL.operation_model("Converse").input_shape.members["messages"], messages)
    operation = "converse_stream" if stream else "converse"
    path, _, raw = sent_by_boto3("bedrock-runtime", operation, modelId=bedrock().model_id, messages=as_bytes)
    assert (body.path, json.loads(body.body)) == (path, json.loads(raw))
    assert body.media_bytes == CONVERSE_BYTES.get(kind)


def test_bytes_are_blobs_alone_and_not_what_a_tools_input_calls_so():
    shape = MODEL.shape_for("ContentBlock")
    assert shapes.with_bytes(shape, CONVERSE["toolUse"]) == CONVERSE["toolUse"]
    given = shapes.with_bytes(shape, CONVERSE["toolResult"])["toolResult"]["content"]
    assert given == [{"json": {"bytes": "aGk="}}, {"image": {"format": "png", "source": {"bytes": PNG_BYTES}}}]


@pytest.mark.parametrize("stream", [False, True])
def test_converses_members_are_sent_as_boto3_writes_them(stream):
    """botocore 1.44.5 and later know projectIdentifier and the effort."""
    members = {
        "toolConfig": {"tools": [TOOL, {"cachePoint": {"type": "default"}}], "toolChoice": {"auto": {}}},
        "outputConfig": {
            "effort": "low",
            "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "a", "schema": "{}"}}},
        },
        "requestMetadata": {"team": "harbour"},
        "projectIdentifier": "team-a",
        "promptVariables": {"city": {"text": "Oslo"}},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    }
    body = build(bedrock(stream=stream, parameters=members), Prompt("p", "Hello", None))
    messages = [{"role": "user", "content": [{"text": "Hello"}]}]
    operation = "converse_stream" if stream else "converse"
    _, _, raw = sent_by_boto3("bedrock-runtime", operation, modelId=bedrock().model_id, messages=messages, **members)
    assert json.loads(body.body) == json.loads(raw)


OWN = {
    "claude": (bedrock(**CLAUDE, **FOUR), ANTHROPIC, "messages", MEDIA_BYTES[0]),
    "anthropic-messages": (route("anthropic-messages"), ANTHROPIC, "messages", MEDIA_BYTES[0]),
    "openai-chat": (route("openai-chat"), OPENAI, "messages", MEDIA_BYTES[1]),
    "a container": (sagemaker(dialect="openai-chat"), OPENAI, "messages", MEDIA_BYTES[1]),
    "gpt-oss": (bedrock(model_id="openai.gpt-oss-20b-1:0", api="invoke"), OPENAI, "messages", MEDIA_BYTES[1]),
    "openai-responses": (route("openai-responses"), RESPONSES, "input", MEDIA_BYTES[2]),
}


@pytest.mark.parametrize(("target", "messages", "key", "media"), OWN.values(), ids=OWN)
def test_other_apis_own_parts_are_sent_unchanged(tmp_path, target, messages, key, media):
    body = build(target, line(tmp_path, messages))
    assert json.loads(body.body)[key] == messages
    assert body.media_bytes == media


def test_a_line_of_one_api_is_refused_by_targets_of_another_with_place_and_dialects(tmp_path):
    used = line(tmp_path, [user({"text": "a"}, CONVERSE["image"])])
    said = (
        "target `t`: prompt `1`: `messages[0].content[0]` is in the form of Converse, which openai-chat does not take; write it in "
        "openai-chat's own, or use one of converse, nova"
    )
    with pytest.raises(BadPayload) as refused:
        build(route("openai-chat"), used)
    assert str(refused.value) == said
    called = line(tmp_path, [*OPENAI[2:], {"role": "user", "content": "On."}])
    with pytest.raises(
        BadPayload, match=r"`messages\[0\]` is in the form of OpenAI's chat, which cohere-command-r does not take"
    ):
        build(bedrock(model_id="cohere.command-r-v1:0", api="invoke"), called)
    build(bedrock(model_id="amazon.nova-lite-v1:0", api="invoke"), used)  # Nova's bodies are Converse's


LATER = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "One?"},
    {"role": "system", "content": "Be long."},
]


def test_a_later_system_message_stays_where_it_stands(tmp_path):
    prompt = line(tmp_path, LATER)
    converse = json.loads(build(bedrock(), prompt).body)
    assert converse["system"] == [{"text": "Be brief."}]
    assert converse["messages"] == [
        {"role": "user", "content": [{"text": "One?"}]},
        {"role": "system", "content": [{"text": "Be long."}]},
    ]
    claude = json.loads(build(bedrock(**CLAUDE, **FOUR), prompt).body)
    assert (claude["system"], claude["messages"]) == ("Be brief.", LATER[1:])
    assert json.loads(build(route("openai-chat"), prompt).body)["messages"] == LATER
    responses = json.loads(build(route("openai-responses"), prompt).body)
    assert (responses["instructions"], responses["input"]) == ("Be brief.", LATER[1:])
    own = build(bedrock(system="Be kind."), line(tmp_path, LATER[1:]))  # the target's stands before all
    assert json.loads(own.body)["system"] == [{"text": "Be kind."}]
    with pytest.raises(
        BadPayload, match="has a system message behind others, which nova does not take; move it to the front"
    ):
        build(bedrock(model_id="amazon.nova-lite-v1:0", api="invoke"), prompt)


def test_a_system_prompt_keeps_its_guarded_text_and_its_marks(tmp_path):
    guarded = {"guardContent": {"text": {"text": "Old.", "qualifiers": ["guard_content"]}}}
    prompt = line(tmp_path, [{"role": "system", "content": [{"text": "Be."}, guarded]}, user({"text": "a"})])
    assert json.loads(build(bedrock(), prompt).body)["system"] == [{"text": "Be."}, guarded]
    marked = {"type": "text", "text": "Be.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    prompt = line(tmp_path, [{"role": "system", "content": [marked]}, {"role": "user", "content": "a"}])
    assert json.loads(build(bedrock(**CLAUDE, **FOUR), prompt).body)["system"] == [marked]
    assert prompt.cache_ttls == {"1h"}


def test_a_file_stands_for_its_bytes_in_every_form(tmp_path):
    (tmp_path / "dot.png").write_bytes(PNG_BYTES)
    (tmp_path / "report.pdf").write_bytes(PDF_BYTES)
    pdf = base64.b64encode(PDF_BYTES).decode()
    document = {"format": "pdf", "name": "r", "source": {"file": "report.pdf"}}
    prompt = line(tmp_path, [user({"text": "a"}, {"document": document})])
    assert prompt.messages[0]["content"][1]["document"]["source"] == {"bytes": pdf}
    assert prompt.files == (tmp_path / "report.pdf",)
    claude = line(tmp_path, [user({"type": "image", "source": {"file": "dot.png"}})]).messages
    assert claude[0]["content"][0]["source"] == {"type": "base64", "media_type": "image/png", "data": PNG}
    chat = line(
        tmp_path,
        [
            user(
                {"type": "image_url", "image_url": {"file": "dot.png"}},
                {"type": "file", "file": {"file": "report.pdf"}},
            )
        ],
    )
    assert chat.messages[0]["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{pdf}"}},
    ]
    items = line(tmp_path, [user({"type": "input_image", "image_url": {"file": "dot.png"}})]).messages
    assert items[0]["content"] == [{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]
    with pytest.raises(
        BadPayload,
        match=r"p.jsonl:1: the file `.*none.pdf` cannot be read \(No such file or directory\); paths are from",
    ):
        line(tmp_path, [user({"document": document | {"source": {"file": "none.pdf"}}})])


TOOLS = {
    "a tool without its schema": (
        bedrock(parameters={"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}}),
        "`parameters.toolConfig.tools[0].toolSpec` has no `inputSchema`; add it",
    ),
    "an unknown member": (
        bedrock(parameters={"outputConfig": {"efort": "high"}}),
        "`parameters.outputConfig` has an unknown key `efort`; known are textFormat, effort",
    ),
    "metadata that is no text": (
        bedrock(parameters={"requestMetadata": {"n": 7}}),
        "`parameters.requestMetadata.n` must be a text",
    ),
    "Claude's tool": (
        bedrock(**CLAUDE, parameters={"max_tokens": 4, "tools": [{"name": "f"}]}),
        "`parameters.tools[0]` has no `input_schema` that is an object; add it",
    ),
    "Claude's choice": (
        bedrock(**CLAUDE, parameters={"max_tokens": 4, "tool_choice": "any"}),
        "`parameters.tool_choice` must be an object",
    ),
    "a function": (
        route("openai-chat", parameters={"tools": [{"type": "function", "name": "f"}]}),
        "`parameters.tools[0]` has no `function` that is an object; add it",
    ),
    "a form": (route("openai-responses", parameters={"text": "json"}), "`parameters.text` must be an object"),
}


@pytest.mark.parametrize(("target", "said"), TOOLS.values(), ids=TOOLS)
def test_tools_and_forms_that_an_api_has_not_are_refused_with_their_place(target, said):
    with pytest.raises(BadScenario) as refused:
        build(target, Prompt("p", "Hello", None))
    assert str(refused.value) == f"target `t`: {said}"


def test_a_lines_own_tools_go_before_the_targets_and_are_its_mistake(tmp_path):
    target = bedrock(parameters={"toolConfig": {"tools": [TOOL]}, "outputConfig": {"effort": "high"}})
    own = {"tools": [TOOL], "toolChoice": {"tool": {"name": "look_up"}}}
    document = json.loads(build(target, line(tmp_path, [user({"text": "a"})], parameters={"toolConfig": own})).body)
    assert (document["toolConfig"], document["outputConfig"]) == (own, {"effort": "high"})
    with pytest.raises(BadPayload, match=r"target `t`: prompt `1`: `parameters.toolConfig` has no `tools`; add it"):
        build(target, line(tmp_path, [user({"text": "a"})], parameters={"toolConfig": {}}))
