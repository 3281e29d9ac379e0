"""Embeddings of media over HTTP: both transports record the same, what is billed by the image, and what boto3's users get."""

import dataclasses
import json

import boto3
import botocore.config
import botocore.exceptions
import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import load_payload
from locustfiles.contract.prices.charge import charge, usage_of
from locustfiles.contract.prices.price import TokenPrice
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.both_transports import Pair
from tests.helpers.calls import truth_of
from tests.helpers.contents import PNG, PNG_BYTES
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.load.test_embedded import COHERE, MARENGO, NOVA, PICTURE, S3, SENT, TEXT, TITAN, VIDEO, line

pytestmark = pytest.mark.usefixtures("credentials")
MODELS = {
    "amazon.titan-embed-image-v1": "titan-embedding",
    "amazon.nova-2-multimodal-embeddings-v1:0": "nova-embedding",
    "twelvelabs.marengo-embed-3-0-v1:0": "marengo-embedding",
    "cohere.embed-v4:0": "cohere-embedding",
    "cohere.embed-english-v3": "cohere-embedding",
}
FAULTS = {"throttle": "throttled", "garbage_body": "bad_response", "empty_output": "bad_response", "stall": None}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    engines = {"exact": {"kind": "timed", "ttft_ms": 2, "tokens_per_second": 2000, "seed": 1}}
    models = {name: {"engine": "exact", "family": family} for name, family in MODELS.items()}
    for fault in FAULTS:
        models[f"{fault}.nova"] = {
            "engine": "exact",
            "family": "nova-embedding",
            "faults": {fault: 1.0},
            "stall_ms": 50,
        }
    config = {"engines": engines, "models": models}
    with running_emulator(config, truth=tmp_path_factory.mktemp("embedded") / "truth.jsonl") as e:
        yield e


@pytest.fixture(scope="module")
def pair(emulator, credentials) -> Pair:
    targets = {what: {"service": "bedrock", **target} for what, (target, *_) in SENT.items()}
    targets |= {f: {"service": "bedrock", **NOVA, "model_id": f"{f}.nova", "dialect": "nova-embedding"} for f in FAULTS}
    found = Pair(emulator.url, targets)
    for sender in found.senders:
        sender.by_the_image = lambda target: target.family in ("nova-embedding", "titan-embedding")
    return found


def test_every_line_is_embedded_and_recorded_alike_by_both_and_as_the_endpoint_has_it(emulator, pair):
    found = {}
    for what, (target, parts, _, media, images) in SENT.items():
        fast, slow = (pair.ask(transport, what, line(*parts)) for transport in (0, 1))
        for record in (fast, slow):
            assert (record.error, record.error_message, record.media_bytes) == (None, None, media), what
            assert (record.completion_tokens, record.ttft_ms) == (0, None), what
            priced = target in (NOVA, TITAN)
            assert record.billed_units == (images if priced else None), what
        assert (fast.prompt_tokens, fast.request_bytes) == (slow.prompt_tokens, slow.request_bytes), what
        found[what] = fast
    truth = truth_of(emulator, {record.request_id for record in found.values()})
    assert {w: r.prompt_tokens for w, r in found.items()} == {
        w: truth[r.request_id]["prompt_tokens"] for w, r in found.items()
    }
    # five characters are two tokens, and an image counts none, but with Cohere's models one for 196 points
    tokens = {what: record.prompt_tokens for what, record in found.items() if what.startswith(("titan", "cohere"))}
    assert tokens == {
        "titan, both": 2, "titan, image": 0, "cohere, images": 2, "cohere, both": 2 + 1, "cohere 3, image": 1
    }  # fmt: skip


def test_the_example_is_embedded(pair):
    lines = load_payload(ROOT / "payloads/examples/embeddings.jsonl")
    found = [(r.error, r.billed_units) for one in lines for r in (pair.ask(0, "nova, image", one),)]
    assert found == [(None, 0), (None, 1), (None, 1)]


def test_an_image_costs_its_price_and_a_text_its_tokens(pair):
    price = TokenPrice.model_validate({"input": 0.0008, "output": 0, "units": {"image": 0.00006}})
    spent = [charge(usage_of(pair.ask(0, "titan, both", one)), price).usd for one in (line(TEXT, PICTURE), line(TEXT))]
    assert [float(usd) for usd in spent] == pytest.approx([2 * 0.0008 / 1000 + 0.00006, 2 * 0.0008 / 1000])


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_recorded_alike_by_both(pair, fault):
    for transport in (0, 1):
        record = pair.ask(transport, fault, line(PICTURE))
        assert record.error == FAULTS[fault] and record.media_bytes == len(PNG_BYTES)
        assert record.billed_units == (None if FAULTS[fault] else 1)


@pytest.fixture(scope="module")
def invoke(emulator):
    keys = {"aws_access_key_id": EXAMPLE_ACCESS_KEY, "aws_secret_access_key": EXAMPLE_SECRET_KEY}
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    client = boto3.client("bedrock-runtime", "us-east-1", endpoint_url=emulator.url, config=once, **keys)
    return lambda model, body: json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())


def test_boto3s_users_get_what_the_models_pages_show(invoke):
    titan = invoke("amazon.titan-embed-image-v1", {"inputText": "A cat", "inputImage": PNG})
    assert len(titan["embedding"]) > 0 and titan["inputTextTokenCount"] == 2
    assert titan["embedding"] != invoke("amazon.titan-embed-image-v1", {"inputText": "A cat"})["embedding"]
    video = {"format": "mp4", "source": {"s3Location": S3}, "embeddingMode": "AUDIO_VIDEO_SEPARATE"}
    asked = {
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {"embeddingPurpose": "CLUSTERING", "video": video},
    }
    answer = invoke(NOVA["model_id"], asked)["embeddings"]
    assert [one["embeddingType"] for one in answer] == ["VIDEO", "AUDIO"]
    inputs = [{"content": [TEXT, PICTURE]}]
    cohere = {"input_type": "search_document", "inputs": inputs, "embedding_types": ["float", "int8"]}
    told = invoke("us.cohere.embed-v4:0", cohere)
    assert (told["response_type"], told["inputs"], set(told["embeddings"])) == (
        "embeddings_by_type",
        inputs,
        {"float", "int8"},
    )
    assert len(invoke(MARENGO["model_id"], SENT["marengo, both"][2])["data"][0]["embedding"]) > 0


#: model -> a body that it refuses, and what it says
REFUSED = {
    "amazon.titan-embed-image-v1": ({}, "required key [inputText] not found"),
    NOVA["model_id"]: (
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {"embeddingPurpose": "CLUSTERING", "image": {"format": "jpeg", "source": {"bytes": PNG}}},
        },
        "could not be processed",
    ),
    MARENGO["model_id"]: ({"inputType": "video", "video": VIDEO}, "video is embedded asynchronously alone"),
    COHERE["model_id"]: ({"input_type": "search_query", "texts": ["a"], "images": ["b"]}, "exactly one of texts, images"),
}  # fmt: skip


@pytest.mark.parametrize("model", REFUSED)
def test_what_does_not_fit_is_refused_as_bedrock_refuses_a_body(invoke, model):
    body, said = REFUSED[model]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        invoke(model, body)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException" and said in error["Message"]


def test_a_line_without_text_has_no_tokens_of_a_tokenizer(pair):
    sender = pair.senders[0]
    target = sender.scenario.target(next(t.name for t in sender.scenario.targets if t.model_id == NOVA["model_id"]))
    told = dataclasses.replace(line(PICTURE), prompt_tokens=77)
    record = sender.call(1, target, told, StageSpec(1, target.name, "p", 1), "measure")
    assert (record.prompt_tokens, record.prompt_token_source) == (0, "service")
