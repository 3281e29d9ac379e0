"""Embeddings: what Hugging Face's containers and OpenAI's route are sent, and how every embedding model's answer is read."""

import typing

from locustfiles.common.dialects.answer_parts import objects
from locustfiles.common.dialects.body_parts import Split, merged, model_of
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import Target


def embedding_body(key: str) -> typing.Callable[[Target, Prompt, Split], dict]:
    def body(target: Target, prompt: Prompt, split: Split) -> dict:
        refuse_sampling(target, split)
        return merged(model_of(target) | {key: prompt.text}, split.rest, prompt)

    return body


def openai_embedding_whole(builder: AnswerBuilder, answer: dict) -> None:
    """`data` has the vectors: numbers, or base64 of them."""
    builder.identify(answer.get("id"))
    builder.count(prompt_tokens=builder.usage(answer).get("prompt_tokens"), completion_tokens=0)
    vector = next((item.get("embedding") for item in objects(answer, "data")), None)
    if _has_number(vector) or (isinstance(vector, str) and vector):
        builder.produced = True
    else:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no vector in the answer")


def refuse_sampling(target: Target, split: Split, what: str = "an embedding") -> None:
    """Raises BadScenario."""
    stray = next((name for name in ("max_tokens", "temperature", "top_p", "stop") if name in split.all), None)
    if stray:
        raise BadScenario(f"target `{target.name}`: {what} has no `{stray}`; remove it from `parameters:`")


def embedding_whole(builder: AnswerBuilder, answer: dict) -> None:
    """Titan's `embedding`, Cohere's and Hugging Face's `embeddings`, by type or not, Marengo's `data`: numbers, which are no
    tokens."""
    found = next((answer[k] for k in ("embedding", "embeddings", "embeddingsByType", "data") if answer.get(k)), None)
    builder.count(prompt_tokens=answer.get("inputTextTokenCount"), completion_tokens=0)
    if _has_number(found):
        builder.produced = True
    else:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no vector in the answer")


def _has_number(value: object) -> bool:
    """Whether the innermost first item of nested lists, or of objects of them, is a number. Nova's stands under `embedding`."""
    while value and isinstance(value, list | dict):
        first = next(iter(value.values() if isinstance(value, dict) else value))
        value = value.get("embedding", first) if isinstance(value, dict) else first
    return type(value) in (int, float)
