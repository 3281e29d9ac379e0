"""Models that rank documents by a query: Cohere's form, which Jina, vLLM and Bedrock's Cohere have too, and Hugging Face's containers'.

Facts: https://docs.cohere.com/reference/rerank, and TEI's `/rerank`.
"""

import typing

from locustfiles.common.dialects.answer_parts import objects, part
from locustfiles.common.dialects.body_parts import Split, known, merged, model_of
from locustfiles.common.dialects.embeddings import refuse_sampling
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget, Target


def rerank_body(documents: str, **defaults: int) -> typing.Callable[[Target, Prompt, Split], dict]:
    """documents: what the list of them is called."""

    def body(target: Target, prompt: Prompt, split: Split) -> dict:
        refuse_sampling(target, split, "a ranking")
        own = model_of(target) | {"query": prompt.text, documents: list(prompt.documents or ())}
        return merged(own | defaults, split.rest, prompt)

    return body


def agents_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    """Rerank of bedrock-agent-runtime, by botocore's description. Raises BadScenario."""
    refuse_sampling(target, split, "a ranking")
    given = dict(split.rest)
    more = {key: given.pop(key) for key in ("additionalModelRequestFields",) if key in given}
    given.setdefault("numberOfResults", given.pop("top_n", None))  # as the other dialects call it
    most = known(numberOfResults=given.pop("numberOfResults"))
    if given:
        what = f"`api: rerank` has no `{min(given)}`; remove it from `parameters:`"
        raise BadScenario(f"target `{target.name}`: {what} (it takes additionalModelRequestFields, numberOfResults)")
    texts = [{"type": "TEXT", "textDocument": {"text": text}} for text in prompt.documents or ()]
    model = {"modelConfiguration": {"modelArn": target.model_id} | more} | most
    return {
        "queries": [{"type": "TEXT", "textQuery": {"text": prompt.text}}],
        "sources": [{"type": "INLINE", "inlineDocumentSource": text} for text in texts],
        "rerankingConfiguration": {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": model},
    }


def agents_whole(builder: AnswerBuilder, answer: dict) -> None:
    """`results`, each with the document's place and its score; nothing is counted."""
    builder.count(completion_tokens=0)
    results = objects(answer, "results")
    builder.produced = bool(results) and all(
        type(r.get("index")) is int and type(r.get("relevanceScore")) in (int, float) for r in results
    )
    if not builder.produced:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `results` with `index` and `relevanceScore` in the answer")


def rerank_whole(builder: AnswerBuilder, answer: dict) -> None:
    """`results`, each with the document's place and its score, which are no tokens; what is counted has several names."""
    builder.identify(answer.get("id"))
    usage, meta = builder.usage(answer), part(answer, "meta")
    told = (usage.get("prompt_tokens"), usage.get("total_tokens"), part(meta, "tokens").get("input_tokens"))
    builder.count(prompt_tokens=next((count for count in told if count is not None), None), completion_tokens=0)
    results = objects(answer, "results")
    if results and all(type(r.get("index")) is int and _is_score(r) for r in results):
        builder.produced = True
    else:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `results` with `index` and `relevance_score` in the answer")


def _is_score(result: dict) -> bool:
    return type(result.get("relevance_score", result.get("score"))) in (int, float)
