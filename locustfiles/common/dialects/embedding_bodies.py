"""What Bedrock's embedding models are sent, of texts and of media. Facts, read on 29 November 2026, on docs.aws.amazon.com:

| family | page |
|---|---|
| titan-embedding | bedrock/latest/userguide/model-parameters-titan-embed-mm.html, …-titan-embed-text.html |
| nova-embedding | nova/latest/userguide/embeddings-schema.html |
| cohere-embedding | bedrock/latest/userguide/model-parameters-embed-v4.html, …-embed.html (3) |
| marengo-embedding | bedrock/latest/userguide/model-parameters-marengo-3.html |
"""

import typing

from locustfiles.common.dialects.body_parts import Split, merged
from locustfiles.common.dialects.embedded import Kind, Piece, alone, bad_form, inline, mixed_up, pieces_of
from locustfiles.common.dialects.embeddings import refuse_sampling
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.families import embeds_text_alone, is_cohere_3
from locustfiles.contract.scenario.targets import BedrockTarget

_NOVAS: dict[Kind, tuple[str, ...]] = {
    "image": ("png", "jpeg", "gif", "webp"),
    "audio": ("mp3", "wav", "ogg"),
    "video": ("mp4", "mov", "mkv", "webm", "flv", "mpeg", "mpg", "wmv", "3gp"),
}


def titan_embedding_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """A text; of the multimodal model a text, an image or both, of which one vector is made."""
    refuse_sampling(target, split)
    pieces = _of(target, prompt, "image", one=("text", "image"))
    inline(target, prompt, pieces)
    own = {"inputImage" if p.kind == "image" else "inputText": p.base64 or p.text for p in pieces}
    return merged(own, split.rest, prompt)


def cohere_embedding_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """Texts, images, or both in one; Embed 3 takes one or the other, and calls an image so."""
    refuse_sampling(target, split)
    pieces = _of(target, prompt, "image")
    inline(target, prompt, pieces)
    kinds, old = {piece.kind for piece in pieces}, is_cohere_3(target)
    own: dict[str, typing.Any] = {"input_type": "image" if old and "image" in kinds else "search_document"}
    if kinds == {"text"}:
        own["texts"] = [piece.text for piece in pieces]
    elif kinds == {"image"}:
        own["images"] = [piece.url for piece in pieces]
    elif old:
        raise mixed_up(target, prompt, "has text and image, of which Embed 3 takes one; use Embed 4, or remove one")
    else:
        own["inputs"] = [{"content": [_coheres(piece) for piece in pieces]}]
    return merged(own, split.rest, prompt)


def _coheres(piece: Piece) -> dict:
    if piece.kind == "text":
        return {"type": "text", "text": piece.text}
    return {"type": "image_url", "image_url": {"url": piece.url}}


def nova_embedding_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """One text, image, sound or video, embedded for a general index, as long as the model's default; `singleEmbeddingParams`
    says otherwise, of each kind where that is sent: `image: {detailLevel: DOCUMENT_IMAGE}`."""
    refuse_sampling(target, split)
    pieces = _of(target, prompt, "image", "audio", "video")
    if len(pieces) != 1:
        raise mixed_up(
            target, prompt, f"has {len(pieces)} pieces, of which Nova embeds one with a call; make lines of them"
        )
    given = split.rest.pop("singleEmbeddingParams", None) or {}
    if not isinstance(given, dict):
        raise BadScenario(f"target `{target.name}`: `parameters.singleEmbeddingParams` must be an object")
    kind, own = pieces[0].kind, _novas(target, prompt, pieces[0])
    others = {key: value for key, value in given.items() if key not in ("text", *_NOVAS)}
    told = given.get(kind)
    own |= told if isinstance(told, dict) else {}
    parameters = {"embeddingPurpose": "GENERIC_INDEX"} | others | {kind: own}
    return merged({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": parameters}, split.rest, prompt)


def _novas(target: BedrockTarget, prompt: Prompt, piece: Piece) -> dict:
    if piece.kind == "text":
        return {"truncationMode": "END", "value": piece.text}
    form = piece.format.replace("three_gp", "3gp")
    if form not in _NOVAS[piece.kind]:
        raise bad_form(target, prompt, piece, _NOVAS[piece.kind])
    source: dict[str, typing.Any] = {"s3Location": piece.s3} if piece.s3 else {"bytes": piece.base64}
    mode = {"embeddingMode": "AUDIO_VIDEO_COMBINED"} if piece.kind == "video" else {}
    return {"format": form, "source": source} | mode


def marengo_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """A text, an image, a text with one image, or a text in which images stand; sound and video it embeds asynchronously
    alone."""
    refuse_sampling(target, split)
    pieces = _of(target, prompt, "image")
    images, texts = ([p for p in pieces if p.kind == kind] for kind in ("image", "text"))
    if not images:
        alone(target, prompt, pieces, "text")
    if len(images) > 1 or len(texts) > 1:
        return merged(_multi_input(pieces, bool(texts)), split.rest, prompt)
    kind = "_".join(["text"] * len(texts) + ["image"] * len(images))
    own: dict[str, typing.Any] = {"inputText": texts[0].text} if texts else {}
    own |= {"mediaSource": _marengos(images[0])} if images else {}
    return merged({"inputType": kind, kind: own}, split.rest, prompt)


def _multi_input(pieces: list[Piece], named: bool) -> dict:
    """Each image is named where it stands among the texts, by its number."""
    images = [piece for piece in pieces if piece.kind == "image"]
    numbers = {id(image): number for number, image in enumerate(images, 1)}
    sources = [
        ({"name": f"image{n}"} if named else {}) | {"mediaType": "image"} | _marengos(image)
        for n, image in enumerate(images, 1)
    ]
    words = [piece.text if piece.kind == "text" else f"<@image{numbers[id(piece)]}>" for piece in pieces]
    own = ({"inputText": " ".join(words)} if named else {}) | ({"mediaSources": sources})
    return {"inputType": "multi_input", "multi_input": own}


def _marengos(image: Piece) -> dict[str, typing.Any]:
    return {"s3Location": image.s3} if image.s3 else {"base64String": image.base64}


def _of(target: BedrockTarget, prompt: Prompt, *media: Kind, one: tuple[Kind, ...] = ()) -> list[Piece]:
    """Texts and those media, of a model that embeds texts alone just these."""
    kinds: tuple[Kind, ...] = ("text",) if embeds_text_alone(target) else ("text", *media)
    pieces = pieces_of(target, prompt, *kinds)
    alone(target, prompt, pieces, *one)
    return pieces
