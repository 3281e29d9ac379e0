"""Models that rank documents by a query: Cohere's form on its own route and on InvokeModel, and Hugging Face's container (TEI).

A score is made of the digest of query and document, between 0 and 1; an answer without output has no results in it.
"""

import math
import typing

from scripts.emulator import service_model
from scripts.emulator.dialects import Call, positive, want
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact
from scripts.emulator.text import digest

_DOCUMENTS_A_UNIT = 100  # of what Cohere bills


class Cohere:
    """`query` and `documents` in, `results` out, the best first, with what Cohere bills and what vLLM counts."""

    STREAM_TYPE = "application/json"
    STREAMS = False
    documents, score = "documents", "relevance_score"

    def read(self, body: dict) -> Call:
        query = want(body, "query", str, required=True)
        given = want(body, self.documents, list, required=True)
        texts: list[typing.Any] = [d.get("text") if isinstance(d, dict) else d for d in given]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise BadBody(f"#/{self.documents}: expected a list of texts")
        most = min(positive(body, "top_n", len(texts)), len(texts))
        options = {
            "query": query,
            "texts": texts,
            "top_n": most,
            "show": bool(want(body, "return_documents", bool, False)),
        }
        return Call(prompt="\n".join([query, *texts]), max_tokens=0, options=options)

    def results(self, a) -> list[dict]:
        asked = a.call.options
        scores = [digest(0, f"{asked['query']}\0{text}") / 2**64 for text in asked["texts"]]
        best = sorted(range(len(scores)), key=lambda n: (-scores[n], n))[: asked["top_n"]]
        return (
            [] if a.empty else [self.result(n, scores[n], asked["texts"][n] if asked["show"] else None) for n in best]
        )

    def result(self, index: int, score: float, text: str | None) -> dict:
        shown = {} if text is None else {"document": {"text": text}}
        return {"index": index, **shown, self.score: round(score, 6)}

    def whole(self, a) -> typing.Any:
        units = math.ceil(len(a.call.options["texts"]) / _DOCUMENTS_A_UNIT)
        meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": units}}
        counts = {"usage": {"total_tokens": a.prompt_tokens}} if a.reports_usage and a.operation.openai else {}
        return {"id": a.request_id, "model": a.target_name, "results": self.results(a), "meta": meta, **counts}

    def too_long(self, prompt_tokens: int, max_tokens: int, limit: int) -> str:
        return f"the query and the documents have {prompt_tokens} tokens, the model takes {limit}"


class Bedrock(Cohere):
    """On InvokeModel: `results` alone. A body names the version of the API."""

    def read(self, body: dict) -> Call:
        if want(body, "api_version", int, required=True) < 2:
            raise BadBody("#/api_version: must be 2 or more")
        return super().read(body)

    def whole(self, a) -> typing.Any:
        return {"results": self.results(a)}


class Agents(Cohere):
    """Rerank of bedrock-agent-runtime: of any model, each document as it is named there."""

    score = "relevanceScore"

    def read(self, body: dict) -> Call:
        service_model.check_whole("Rerank", body)
        query = want(body["queries"][0], "textQuery", dict, required=True)
        documents = [_agents_text(source["inlineDocumentSource"]) for source in body["sources"]]
        most = body["rerankingConfiguration"]["bedrockRerankingConfiguration"].get("numberOfResults")
        asked = {"query": query["text"], "documents": documents} | ({"top_n": most} if most else {})
        return super().read(asked)

    def whole(self, a) -> typing.Any:
        return {"results": self.results(a)}


def _agents_text(source: dict) -> str:
    """Of a text or a JSON document. Raises BadBody."""
    if source["type"] == "JSON":
        return compact(want(source, "jsonDocument", dict, required=True)).decode()
    return want(want(source, "textDocument", dict, required=True), "text", str, required=True)


def agents_model(body: dict) -> str:
    """The model that a request of Rerank names, by its ARN or id. Raises BadBody or AwsError."""
    service_model.check_whole("Rerank", body)
    return body["rerankingConfiguration"]["bedrockRerankingConfiguration"]["modelConfiguration"]["modelArn"]


class HuggingFace(Cohere):
    """`query` and `texts` in, a list of places and scores out, the best first."""

    documents, score = "texts", "score"

    def read(self, body: dict) -> Call:
        call = super().read({**body, "return_documents": want(body, "return_text", bool, False)})
        call.options["top_n"] = len(call.options["texts"])
        return call

    def result(self, index: int, score: float, text: str | None) -> dict:
        return {"index": index, **({} if text is None else {"text": text}), self.score: round(score, 6)}

    def whole(self, a) -> typing.Any:
        return self.results(a)

    def refusal(self, text: str) -> tuple[int, dict]:
        return 422, {"error": text, "error_type": "Validation"}


OPENAI, BEDROCK, AGENTS, HUGGING_FACE = Cohere(), Bedrock(), Agents(), HuggingFace()
