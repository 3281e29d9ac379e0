"""Payload lines with images: read as FMBench and OpenAI's chat have them, sent as each dialect has them, or refused."""

import base64
import json

import boto3
import pytest

from locustfiles.common.calls.boto3_call import _arguments
from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.images import image_of
from locustfiles.common.prompts.payloads import BadPayload, load_payload
from locustfiles.contract.scenario.scenario import Scenario

#: a picture of one dot
PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
        "0000000049454e44ae426082"
    )
).decode()
JPEG = base64.b64encode(bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")).decode()
CONVERSE = {"service": "bedrock", "model_id": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
CLAUDE = CONVERSE | {"api": "invoke"}
NOVA = {"service": "bedrock", "api": "invoke", "model_id": "amazon.nova-lite-v1:0"}
CHAT = {"service": "openai", "base_url": "http://127.0.0.1:9/v1", "model_id": "m", "dialect": "openai-chat"}
TGI = {"service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.x"}


def line(tmp_path, **row):
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    return load_payload(tmp_path / "p.jsonl")[0]


def target(facts: dict):
    scenario = {"name": "s", "region": "us-east-1", "payloads": ["p.jsonl"], "pricing": "b.yaml"}
    facts = {"name": "t", "parameters": {"max_tokens": 9}, "price": {"usd_per_hour": 1.0}} | facts
    return Scenario.model_validate(scenario | {"targets": [facts], "load": {"users": [1], "measure_s": 1}}).targets[0]


#: the shapes of FMBench's payload lines since its first version: 1.0.0 had parameters, 1.0.31 left them out, 2.0 added the rest;
#: pandas writes what a row lacks as null
FMBENCH = [
    {"inputs": "Hi", "parameters": {"do_sample": True, "temperature": 0.1, "max_new_tokens": 100, "truncate": 12}},
    {"inputs": "Hi"},
    {"inputs": "Hi", "ground_truth": ["a", "b"]},
    {"inputs": "Hi", "ground_truth": "a", "question": "b?"},
    {"inputs": "Hi", "ground_truth": None, "question": None, "base64_img": None, "parameters": None},
]


@pytest.mark.parametrize("row", FMBENCH, ids=["1.0.0", "1.0.31", "ground truth", "question", "nulls"])
def test_every_shape_of_fmbenchs_lines_is_taken_and_its_inputs_alone_are_sent(tmp_path, row):
    prompt = line(tmp_path, **row)
    body = json.loads(build(target(TGI), prompt).body)
    assert body["inputs"] == "Hi"
    assert not body.keys() & {"ground_truth", "question", "base64_img"}
    assert body["parameters"].get("truncate") == (row.get("parameters") or {}).get("truncate")


def test_fmbenchs_image_is_sent_behind_the_text_as_each_dialect_has_it(tmp_path):
    prompt = line(tmp_path, inputs="What is it?", question="What?", base64_img=JPEG)
    sent = {name: json.loads(build(target(facts), prompt).body)["messages"] for name, facts in WITH_IMAGES.items()}
    block = {"image": {"format": "jpeg", "source": {"bytes": JPEG}}}
    source = {"type": "base64", "media_type": "image/jpeg", "data": JPEG}
    url = f"data:image/jpeg;base64,{JPEG}"
    text = {"type": "text", "text": "What is it?"}
    assert sent == {
        "converse": [{"role": "user", "content": [{"text": "What is it?"}, block]}],
        "nova": [{"role": "user", "content": [{"text": "What is it?"}, block]}],
        "claude": [{"role": "user", "content": [text, {"type": "image", "source": source}]}],
        "openai-chat": [{"role": "user", "content": [text, {"type": "image_url", "image_url": {"url": url}}]}],
    }


WITH_IMAGES = {"converse": CONVERSE, "claude": CLAUDE, "nova": NOVA, "openai-chat": CHAT}


def test_boto3_puts_the_same_image_on_the_wire(tmp_path):
    prompt = line(tmp_path, inputs="What is it?", base64_img=PNG)
    aimed = target(CONVERSE)
    body = build(aimed, prompt)
    client = boto3.client(
        "bedrock-runtime", "us-east-1", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x"
    )
    operation = client.meta.service_model.operation_model("Converse")
    made = client._serializer.serialize_to_request(_arguments(operation, aimed, body), operation)
    assert json.loads(made["body"]) == json.loads(body.body)


def test_the_format_is_that_of_the_files_first_bytes_whatever_the_url_says():
    assert image_of(f"data:image/jpeg;base64,{PNG}").format == "png"
    assert image_of(PNG).url == f"data:image/png;base64,{PNG}"


def test_a_dialect_without_images_names_those_that_have_them(tmp_path):
    prompt = line(tmp_path, inputs="What is it?", base64_img=PNG)
    with pytest.raises(BadPayload) as refused:
        build(target({"service": "bedrock", "api": "invoke", "model_id": "cohere.command-r-v1:0"}), prompt)
    assert str(refused.value) == (
        "target `t`: prompt `1` has an image, which cohere-command-r does not take; remove it, or use one of converse, claude, "
        "nova, openai-chat, chat-completions, mistral-chat, openai-responses, anthropic-messages"
    )


WRONG = {
    "no base64": ({"inputs": "a", "base64_img": "https://example.com/a.png"}, "an image that is not base64; "),
    "another file": (
        {"inputs": "a", "base64_img": base64.b64encode(b"BM6").decode()},
        "an image that is neither JPEG, PNG, ",
    ),
    "no text": (
        {"messages": [{"role": "user", "content": "a"}], "base64_img": PNG},
        "`base64_img` must be the base64 of ",
    ),
    "a foreign host": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
            ]
        },
        "an image that is not base64; write data:image/png;base64,",
    ),
}


@pytest.mark.parametrize(("row", "what"), WRONG.values(), ids=WRONG)
def test_an_image_that_cannot_be_sent_is_refused_with_its_line(tmp_path, row, what):
    with pytest.raises(BadPayload) as refused:
        line(tmp_path, **row)
    assert f"p.jsonl:1: {what}" in str(refused.value)
