"""Embedding models: Titan's, Cohere's, Nova's and Marengo's on InvokeModel, Hugging Face's container on SageMaker, and OpenAI's route.

The vector is made of the prompt's digest; an answer without output has no numbers in it.
"""

import base64
import hashlib
import struct
import typing

from scripts.emulator.dialects import Call, want
from scripts.emulator.errors import BadBody

_DIMENSIONS = 16


def _vector(a) -> list[float]:
    digest = hashlib.blake2b(a.call.prompt.encode(), digest_size=_DIMENSIONS).digest()
    return [] if a.empty else [round(byte / 255 - 0.5, 4) for byte in digest]


class Titan:
    """`inputText` in, `embedding` out, with the prompt's tokens."""

    STREAM_TYPE = "application/json"
    STREAMS = False

    def read(self, body: dict) -> Call:
        return Call(prompt=want(body, "inputText", str, required=True), max_tokens=0)

    def whole(self, a):
        counts = {"inputTextTokenCount": a.prompt_tokens} if a.reports_usage else {}
        return {"embedding": _vector(a), "embeddingsByType": {"float": _vector(a)}, **counts}


class Cohere(Titan):
    """`texts` in, `embeddings` out."""

    def read(self, body: dict) -> Call:
        texts = want(body, "texts", list, required=True)
        if not all(isinstance(text, str) for text in texts):
            raise BadBody("#/texts: expected type: String")
        if want(body, "input_type", str, required=True) not in (
            "search_document", "search_query", "classification", "clustering",
        ):  # fmt: skip
            raise BadBody("#/input_type: not a valid enum value")
        return Call(prompt="\n".join(texts), max_tokens=0, options={"texts": texts})

    def whole(self, a):
        texts = a.call.options["texts"]
        vectors = [_vector(a) for _ in texts]
        return {"embeddings": vectors, "id": a.request_id, "response_type": "embeddings_floats", "texts": texts}


class Nova(Titan):
    """`singleEmbeddingParams` in, `embeddings` out, each with what it is of."""

    def read(self, body: dict) -> Call:
        if want(body, "taskType", str, required=True) != "SINGLE_EMBEDDING":
            raise BadBody("#/taskType: not a valid enum value")
        given = want(body, "singleEmbeddingParams", dict, required=True)
        want(given, "embeddingPurpose", str, required=True)
        text = want(given, "text", dict, required=True)
        want(text, "truncationMode", str, required=True)
        return Call(prompt=want(text, "value", str, required=True), max_tokens=0)

    def whole(self, a):
        return {"embeddings": [{"embeddingType": "TEXT", "embedding": _vector(a)}]}


class Marengo(Titan):
    """`text.inputText` in, `data` out."""

    def read(self, body: dict) -> Call:
        if want(body, "inputType", str, required=True) != "text":
            raise BadBody("#/inputType: not a valid enum value")
        return Call(prompt=want(want(body, "text", dict, required=True), "inputText", str, required=True), max_tokens=0)

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
