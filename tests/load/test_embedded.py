"""Embeddings of images, sound and video: what each model is sent of a line, what none can take, and what has no price."""

import base64
import json

import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadInput, BadScenario
from tests.helpers.contents import DATA_URL, PNG, PNG_BYTES
from tests.helpers.sent import bedrock, document
from tests.load.test_inputs import make

TITAN = {"model_id": "amazon.titan-embed-image-v1", "api": "invoke"}
NOVA = {"model_id": "amazon.nova-2-multimodal-embeddings-v1:0", "api": "invoke"}
MARENGO = {"model_id": "us.twelvelabs.marengo-embed-3-0-v1:0", "api": "invoke"}
COHERE = {"model_id": "us.cohere.embed-v4:0", "api": "invoke"}
COHERE_3 = {"model_id": "cohere.embed-english-v3", "api": "invoke"}
TEXT, PICTURE = {"type": "text", "text": "A cat"}, {"type": "image_url", "image_url": {"url": DATA_URL}}
S3 = {"uri": "s3://media/cat.png", "bucketOwner": "123456789012"}
SOUND = base64.b64encode(b"ID3 sound").decode()
IN_S3 = {"image": {"format": "png", "source": {"s3Location": S3}}}
AUDIO = {"audio": {"format": "mp3", "source": {"bytes": SOUND}}}
VIDEO = {"video": {"format": "three_gp", "source": {"s3Location": S3}}}
INDEX = {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {"embeddingPurpose": "GENERIC_INDEX"}}


def line(*parts: dict) -> Prompt:
    return Prompt("p", None, [{"role": "user", "content": list(parts)}])


def nova(**of: dict) -> dict:
    return INDEX | {"singleEmbeddingParams": INDEX["singleEmbeddingParams"] | of}


#: (target, parts, what is sent, decoded bytes of media, images)
SENT = {
    "titan, both": (TITAN, (TEXT, PICTURE), {"inputText": "A cat", "inputImage": PNG}, len(PNG_BYTES), 1),
    "titan, image": (TITAN, (PICTURE,), {"inputImage": PNG}, len(PNG_BYTES), 1),
    "nova, image": (NOVA, (PICTURE,), nova(image={"format": "png", "source": {"bytes": PNG}}), len(PNG_BYTES), 1),
    "nova, image in S3": (NOVA, (IN_S3,), nova(image={"format": "png", "source": {"s3Location": S3}}), None, 1),
    "nova, sound": (NOVA, (AUDIO,), nova(audio={"format": "mp3", "source": {"bytes": SOUND}}), 9, 0),
    "nova, video": (
        NOVA,
        (VIDEO,),
        nova(video={"format": "3gp", "source": {"s3Location": S3}, "embeddingMode": "AUDIO_VIDEO_COMBINED"}),
        None,
        0,
    ),
    "marengo, image": (
        MARENGO,
        (IN_S3,),
        {"inputType": "image", "image": {"mediaSource": {"s3Location": S3}}},
        None,
        1,
    ),
    "marengo, both": (
        MARENGO,
        (TEXT, PICTURE),
        {"inputType": "text_image", "text_image": {"inputText": "A cat", "mediaSource": {"base64String": PNG}}},
        len(PNG_BYTES),
        1,
    ),
    "marengo, images in a text": (
        MARENGO,
        (PICTURE, TEXT, IN_S3),
        {
            "inputType": "multi_input",
            "multi_input": {
                "inputText": "<@image1> A cat <@image2>",
                "mediaSources": [
                    {"name": "image1", "mediaType": "image", "base64String": PNG},
                    {"name": "image2", "mediaType": "image", "s3Location": S3},
                ],
            },
        },
        len(PNG_BYTES),
        2,
    ),
    "cohere, images": (
        COHERE,
        (PICTURE, PICTURE),
        {"input_type": "search_document", "images": [DATA_URL] * 2},
        2 * len(PNG_BYTES),
        2,
    ),
    "cohere, both": (
        COHERE,
        (TEXT, PICTURE),
        {"input_type": "search_document", "inputs": [{"content": [TEXT, PICTURE]}]},
        len(PNG_BYTES),
        1,
    ),
    "cohere 3, image": (COHERE_3, (PICTURE,), {"input_type": "image", "images": [DATA_URL]}, len(PNG_BYTES), 1),
}


@pytest.mark.parametrize("what", SENT)
def test_a_line_is_sent_as_its_models_api_has_it(what):
    target, parts, expected, media, images = SENT[what]
    body = build(bedrock(**target), line(*parts))
    assert json.loads(body.body) == expected
    assert (body.media_bytes, body.images) == (media, images)


def test_novas_parameters_of_a_kind_go_to_lines_of_that_kind():
    told = {"embeddingDimension": 256, "image": {"detailLevel": "DOCUMENT_IMAGE"}, "text": {"truncationMode": "NONE"}}
    target = bedrock(**NOVA, parameters={"singleEmbeddingParams": told})
    image = document(target, line(PICTURE))["singleEmbeddingParams"]
    assert image["image"] == {"format": "png", "source": {"bytes": PNG}, "detailLevel": "DOCUMENT_IMAGE"}
    assert (image["embeddingDimension"], "text" in image) == (256, False)
    assert document(target)["singleEmbeddingParams"]["text"]["truncationMode"] == "NONE"


def test_novas_parameters_must_be_an_object():
    with pytest.raises(BadScenario, match="`parameters.singleEmbeddingParams` must be an object"):
        document(bedrock(**NOVA, parameters={"singleEmbeddingParams": [1]}))


#: (target, messages, what is said)
REFUSED = {
    "two pieces for Nova": (NOVA, line(TEXT, PICTURE), "has 2 pieces, of which Nova embeds one with a call; make lines"),
    "two images for Titan": (TITAN, line(PICTURE, PICTURE), "has 2 images, of which this model embeds one with a call"),
    "S3 for Titan": (TITAN, line(IN_S3), "has an `s3Location`, which this model does not read; write the bytes as base64"),
    "an image for Titan's texts": (
        TITAN | {"model_id": "amazon.titan-embed-text-v2:0"},
        line(PICTURE),
        "has `image` (`messages[0].content[0]`), and this model embeds texts; remove it",
    ),
    "two texts for Marengo": (MARENGO, line(TEXT, TEXT), "has 2 texts, of which this model embeds one with a call"),
    "sound for Marengo": (MARENGO, line(AUDIO), "has `audio` (`messages[0].content[0]`), and this model embeds texts and images; remove it"),
    "both for Embed 3": (COHERE_3, line(TEXT, PICTURE), "has text and image, of which Embed 3 takes one; use Embed 4"),
    "another format": (
        NOVA,
        line({"audio": {"format": "flac", "source": {"bytes": SOUND}}}),
        "has audio of format flac; the model takes mp3, wav, ogg; convert it",
    ),
    "a document": (NOVA, line({"document": {"name": "d"}}), "has `document` (`messages[0].content[0]`), and this model embeds texts and images and"),
    "a cache point": (NOVA, line(TEXT, {"cachePoint": {"type": "default"}}), "has `cachePoint` (`messages[0].content[1]`), and this model embeds"),
    "a chat": (
        NOVA,
        Prompt("p", None, [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]),
        "has 2 messages, and an embedding is of one; keep the user's",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_model_cannot_embed_is_told_with_its_place(what):
    target, prompt, said = REFUSED[what]
    with pytest.raises(BadPayload) as refused:
        build(bedrock(**target), prompt)
    assert f"prompt `p` {said}" in str(refused.value) and "\n" not in str(refused.value)


def told(tmp_path, target: dict, *parts: dict, **keys) -> str:
    """What is said of a scenario before it is sent; empty if it is taken."""
    lines = [json.dumps({"messages": [{"role": "user", "content": list(parts)}]}), '{"prompt": "A dog"}']
    target = {"name": "t", "service": "bedrock"} | target
    try:
        load_inputs(make(tmp_path, target, lines=lines, **keys), ("bedrock",))
    except BadInput as e:
        return str(e)
    return ""


BY_THE_IMAGE = {"input": 0.0001, "output": 0, "units": {"image": 0.0001}}
DETAILED = {"parameters": {"singleEmbeddingParams": {"image": {"detailLevel": "DOCUMENT_IMAGE"}}}}
#: (target, parts, what is said)
PRICED = {
    "titan's image": (TITAN, (PICTURE,), ""),
    "nova's image": (NOVA, (PICTURE,), ""),
    "nova's image by the token": (NOVA | {"price": {"input": 0.0001, "output": 0}}, (PICTURE,), "an image, which is billed by the image, and its price is by the token alone: add `price: {input: USD"),
    "nova's detailed image": (NOVA | DETAILED, (PICTURE,), "a DOCUMENT_IMAGE, whose price is not known here: add"),
    "nova's detailed image, priced": (NOVA | DETAILED | {"price": BY_THE_IMAGE}, (PICTURE,), ""),
    "nova's sound": (NOVA, (AUDIO,), "sound or video, which is billed by the second, and nothing counts these: add `price: {units"),
    "nova's sound by the call": (NOVA | {"price": {"units": {"query": 0.002}}}, (AUDIO,), ""),
    "cohere's image": (COHERE, (PICTURE,), "an image, and what its tokens cost is not known here: add `price:"),
    "cohere's image, priced": (COHERE | {"price": {"input": 0.0001, "output": 0}}, (PICTURE,), ""),
    "marengo": (MARENGO, (PICTURE,), "it is billed by the query: add `price: {units: {query: USD}}`"),
    "marengo, priced": (MARENGO | {"price": {"units": {"image": 0.0001}}}, (PICTURE,), ""),
    "nova by the second": (NOVA | {"price": {"units": {"second": 0.0007}}, }, (VIDEO,), "`budget_usd` cannot be kept: it is billed by the second, and answers of `nova-embedding` count none"),
}  # fmt: skip


@pytest.mark.parametrize("what", PRICED)
def test_what_has_no_known_price_is_refused_before_it_is_sent(tmp_path, what):
    target, parts, expected = PRICED[what]
    said = told(tmp_path, target, *parts, budget_usd=1)
    assert (expected in said) if expected else not said, said
    assert "\n" not in said
