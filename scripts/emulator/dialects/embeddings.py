"""Embedding models: Titan's, Cohere's, Nova's and Marengo's on InvokeModel, Hugging Face's container on SageMaker, and OpenAI's route.

The vector is made of the digest of text and media; an answer without output has no numbers in it.
"""

import base64
import binascii
import hashlib
import math
import re
import struct
import typing

from scripts.emulator.dialects import Call, want
from scripts.emulator.dialects.media import picture_points
from scripts.emulator.errors import BadBody

_DIMENSIONS = 16
_COHERES_POINTS_A_TOKEN = 196  # an image counts (points / 784) × 4 tokens, of whole tokens
_SIGNS = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}
_NOVA_FORMATS = {
    "image": ("png", "jpeg", "gif", "webp"),
    "audio": ("mp3", "wav", "ogg"),
    "video": ("mp4", "mov", "mkv", "webm", "flv", "mpeg", "mpg", "wmv", "3gp"),
}
_S3 = re.compile(r"s3://[a-z0-9][.a-z0-9-]{1,61}[a-z0-9](/.*)?")


def _vector(a) -> list[float]:
    """Of the prompt and the media that are with it."""
    told = a.call.prompt.encode() + a.call.options.get("media", b"")
    digest = hashlib.blake2b(told, digest_size=_DIMENSIONS).digest()
    return [] if a.empty else [round(byte / 255 - 0.5, 4) for byte in digest]


def _decoded(text: typing.Any, place: str) -> bytes:
    """Raises BadBody."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise BadBody(f"#/{place}: invalid base64 data") from None
    if not data:
        raise BadBody(f"#/{place}: the data is empty")
    return data


def _picture(text: typing.Any, place: str, form: str | None = None) -> bytes:
    """Of an image of a kind, or any. Raises BadBody."""
    data = _decoded(text, place)
    if not data.startswith(tuple(_SIGNS.values()) if form is None else _SIGNS[form]):
        raise BadBody(f"#/{place}: the image could not be processed")
    return data


def _source(holder: dict, place: str, inline: str, form: str | None = None, picture: bool = True) -> bytes:
    """What `bytes` or `base64String` holds, or an object of S3 is called: exactly one. Raises BadBody."""
    given = [key for key in (inline, "s3Location") if holder.get(key) is not None]
    if len(given) != 1:
        raise BadBody(f"#/{place}: expected exactly one of {inline} and s3Location")
    if given[0] == inline:
        return _picture(holder[inline], place, form) if picture else _decoded(holder[inline], place)
    uri = want(want(holder, "s3Location", dict), "uri", str, required=True)
    if not _S3.fullmatch(uri):
        raise BadBody(f"#/{place}/s3Location/uri: string [{uri}] does not match pattern {_S3.pattern}")
    return uri.encode()


class Titan:
    """`inputText` and `inputImage`, of which one may be missing, in; `embedding` out, with the text's tokens."""

    STREAM_TYPE = "application/json"
    STREAMS = False

    def read(self, body: dict) -> Call:
        text, image = want(body, "inputText", str), want(body, "inputImage", str)
        if text is None and image is None:
            raise BadBody("#: required key [inputText] not found")
        media = b"" if image is None else _picture(image, "inputImage")
        return Call(prompt=text or "", max_tokens=0, options={"media": media})

    def whole(self, a):
        counts = {"inputTextTokenCount": a.prompt_tokens} if a.reports_usage else {}
        return {"embedding": _vector(a), "embeddingsByType": {"float": _vector(a)}, **counts}


class Cohere(Titan):
    """`texts`, `images` or `inputs` in, `embeddings` out: a vector each, by type where several are asked for."""

    def read(self, body: dict) -> Call:
        given = [key for key in ("texts", "images", "inputs") if body.get(key) is not None]
        if len(given) != 1:
            raise BadBody("#: expected exactly one of texts, images and inputs")
        kinds = ("search_document", "search_query", "classification", "clustering")
        if want(body, "input_type", str, required=True) not in (*kinds, *(("image",) if given == ["images"] else ())):
            raise BadBody("#/input_type: not a valid enum value")
        items = want(body, given[0], list, required=True)
        if not 1 <= len(items) <= 96:
            raise BadBody(f"#/{given[0]}: expected minimum item count: 1, maximum item count: 96, found: {len(items)}")
        texts, urls = _coheres(given[0], items)
        pictures = [_of_url(url, given[0]) for url in urls]
        options = {given[0]: items, "given": given[0], "types": want(body, "embedding_types", list, [])}
        options["media"] = b"".join(pictures)
        points = [picture_points(data) or 0 for data in pictures]
        media_tokens = sum(math.ceil(size / _COHERES_POINTS_A_TOKEN) for size in points)
        return Call(prompt="\n".join(texts), max_tokens=0, options=options, media_tokens=media_tokens)

    def whole(self, a):
        asked = a.call.options
        vectors: typing.Any = [_vector(a) for _ in asked[asked["given"]]]
        echo = {} if asked["given"] == "images" else {asked["given"]: asked[asked["given"]]}
        if asked["types"] in ([], ["float"]):
            return {"embeddings": vectors, "id": a.request_id, "response_type": "embeddings_floats", **echo}
        by_type = {name: [[round(100 * x) for x in v] for v in vectors] for name in asked["types"]}
        by_type |= {"float": vectors} if "float" in by_type else {}
        return {"embeddings": by_type, "id": a.request_id, "response_type": "embeddings_by_type", **echo}


def _coheres(key: str, items: list) -> tuple[list[str], list[typing.Any]]:
    """Texts, and images' data URLs. Raises BadBody."""
    if key != "inputs":
        if not all(isinstance(item, str) for item in items):
            raise BadBody(f"#/{key}: expected type: String")
        return (items, []) if key == "texts" else ([], items)
    parts = [p for item in items if isinstance(item, dict) for p in want(item, "content", list, required=True)]
    if not parts or not all(isinstance(p, dict) and p.get("type") in ("text", "image_url") for p in parts):
        raise BadBody("#/inputs: expected a list of objects with content of type text and image_url")
    urls = [p.get("image_url") for p in parts if p["type"] == "image_url"]
    texts = [want(p, "text", str, required=True) for p in parts if p["type"] == "text"]
    return texts, [url.get("url") if isinstance(url, dict) else url for url in urls]


def _of_url(url: typing.Any, place: str) -> bytes:
    head, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not comma or not re.fullmatch(r"data:image/(png|jpeg|webp|gif);base64", head):
        raise BadBody(f"#/{place}: invalid image: expected data:image/<type>;base64,<data>")
    return _picture(data, place, head[11:].partition(";")[0])


class Nova(Titan):
    """`singleEmbeddingParams` with one text, image, sound or video in, `embeddings` out, each with what it is of."""

    def read(self, body: dict) -> Call:
        if want(body, "taskType", str, required=True) != "SINGLE_EMBEDDING":
            raise BadBody("#/taskType: not a valid enum value")
        given = want(body, "singleEmbeddingParams", dict, required=True)
        want(given, "embeddingPurpose", str, required=True)
        kinds = [kind for kind in ("text", *_NOVA_FORMATS) if given.get(kind) is not None]
        if len(kinds) != 1:
            raise BadBody("#/singleEmbeddingParams: expected exactly one of text, image, audio and video")
        kind, place = kinds[0], f"singleEmbeddingParams/{kinds[0]}"
        holder = want(given, kind, dict, required=True)
        if kind == "text":
            want(holder, "truncationMode", str, required=True)
            return Call(prompt=want(holder, "value", str, required=True), max_tokens=0, options={"types": ["TEXT"]})
        form, mode = want(holder, "format", str, required=True), None
        if form not in _NOVA_FORMATS[kind]:
            raise BadBody(f"#/{place}/format: {form} is not a valid enum value")
        if kind == "video":
            mode = want(holder, "embeddingMode", str, required=True)
        source = want(holder, "source", dict, required=True)
        media = _source(source, place, "bytes", form if kind == "image" else None, picture=kind == "image")
        types = {"AUDIO_VIDEO_COMBINED": ["AUDIO_VIDEO_COMBINED"], "AUDIO_VIDEO_SEPARATE": ["VIDEO", "AUDIO"]}
        if mode is not None and mode not in types:
            raise BadBody(f"#/{place}/embeddingMode: {mode} is not a valid enum value")
        return Call(prompt="", max_tokens=0, options={"types": types.get(mode or "", [kind.upper()]), "media": media})

    def whole(self, a):
        return {"embeddings": [{"embeddingType": name, "embedding": _vector(a)} for name in a.call.options["types"]]}


class Marengo(Titan):
    """A text, an image, both, or a text in which images stand, in; `data` out."""

    def read(self, body: dict) -> Call:
        kind = want(body, "inputType", str, required=True)
        if kind in ("audio", "video"):
            raise BadBody(f"#/inputType: {kind} is embedded asynchronously alone")
        if kind not in ("text", "image", "text_image", "multi_input"):
            raise BadBody("#/inputType: not a valid enum value")
        holder = want(body, kind, dict, required=True)
        text = want(holder, "inputText", str, required="text" in kind)
        if kind != "multi_input":
            own = want(holder, "mediaSource", dict, required="image" in kind)
            media = _source(own, f"{kind}/mediaSource", "base64String") if own else b""
            return Call(prompt=text or "", max_tokens=0, options={"media": media})
        sources = want(holder, "mediaSources", list, required=True)
        if not sources or not all(isinstance(s, dict) and s.get("mediaType") == "image" for s in sources):
            raise BadBody("#/multi_input/mediaSources: expected a list of images")
        named = re.findall(r"<@([^>]*)>", text or "")
        if named and sorted(named) != sorted(str(s.get("name")) for s in sources):
            raise BadBody("#/multi_input/inputText: its placeholders are not the names of mediaSources")
        media = b"".join(_source(s, "multi_input/mediaSources", "base64String") for s in sources)
        return Call(prompt=text or "", max_tokens=0, options={"media": media})

    def whole(self, a):
        return {"data": [{"embedding": _vector(a)}]}


class HuggingFace(Titan):
    """`inputs` in, a vector for each token of the text out, as the feature-extraction pipeline answers."""

    def read(self, body: dict) -> Call:
        return Call(prompt=want(body, "inputs", str, required=True), max_tokens=0)

    def whole(self, a):
        return [[_vector(a) for _ in range(a.prompt_tokens)]]

    def refusal(self, text: str) -> tuple[int, dict]:
        return 400, {"code": 400, "type": "InternalServerException", "message": text}

    def too_long(self, prompt_tokens: int, max_tokens: int, limit: int) -> str:
        return f"the text has {prompt_tokens} tokens, the model takes {limit}"


class OpenAI(Titan):
    """`input` in, a text or several; `data` out, a vector each."""

    def read(self, body: dict) -> Call:
        given = body.get("input")
        texts = [given] if isinstance(given, str) else want(body, "input", list, required=True)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise BadBody("#/input: expected a text or a list of some")
        form = want(body, "encoding_format", str, "float")
        if form not in ("float", "base64"):
            raise BadBody("#/encoding_format: not one of float and base64")
        return Call(prompt="\n".join(texts), max_tokens=0, options={"texts": len(texts), "form": form})

    def whole(self, a):
        vector: typing.Any = _vector(a)
        if a.call.options["form"] == "base64":
            vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        data = [{"object": "embedding", "index": n, "embedding": vector} for n in range(a.call.options["texts"])]
        tokens = a.prompt_tokens
        counts = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if a.reports_usage else {}
        return {"object": "list", "data": data, "model": a.target_name, **counts}

    def too_long(self, prompt_tokens: int, max_tokens: int, limit: int) -> str:
        return f"This model's maximum context length is {limit} tokens, however you requested {prompt_tokens} tokens."


TITAN, COHERE, NOVA, MARENGO = Titan(), Cohere(), Nova(), Marengo()
HUGGING_FACE, OPENAI = HuggingFace(), OpenAI()
