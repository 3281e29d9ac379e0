"""DIALECTS: what each dialect sends and how its answer is read; what it does with parameters is the table in `request`."""

import typing

from locustfiles.common.dialects import (
    claude,
    cohere,
    completions,
    converse,
    counting,
    embedding_bodies,
    embeddings,
    guardrails,
    llama,
    nova,
    openai,
    raw_container,
    rerank,
    responses,
    text_generation,
    titan,
)
from locustfiles.common.dialects.body_parts import Split
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.forms import Form
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.bedrock_apis import WITHOUT_TEXT
from locustfiles.contract.scenario.families import Family
from locustfiles.contract.scenario.targets import BedrockTarget


class Dialect(typing.NamedTuple):
    """One row of the table."""

    # the JSON object to send; raises BadPayload or BadScenario
    body: typing.Callable[[typing.Any, Prompt, Split], dict]
    whole: typing.Callable[[AnswerBuilder, typing.Any], None]  # reads an answer that was not streamed
    event: typing.Callable[[AnswerBuilder, typing.Any, float], None] | None = (
        None  # reads an event of a stream; Converse frames its own
    )
    chat: bool = False  # takes `messages`, and has a place for a system prompt
    caches: bool = False  # takes cache points
    images: bool = False  # takes images
    form: Form | None = None  # whose own messages and parts it takes, unchanged
    ranks: bool = False  # takes a query with documents, and nothing else
    told_later: bool = False  # takes system messages behind others, where they stand
    media: bool = False  # embeds what stands in a message: `embedded`


CLAUDE_TAKES: dict[str, typing.Any] = {
    "chat": True,
    "caches": True,
    "images": True,
    "form": "anthropic",
    "told_later": True,
}
CHAT_TAKES: dict[str, typing.Any] = {"chat": True, "images": True, "form": "openai", "told_later": True}
CONVERSE_TAKES: dict[str, typing.Any] = CLAUDE_TAKES | {"form": "converse"}


def counted_dialect(target: BedrockTarget) -> Family | typing.Literal["converse"]:
    """Whose request CountTokens is asked of."""
    return target.dialect or "converse"


def counted_body(target: BedrockTarget, prompt: Prompt, split: Split) -> dict:
    dialect = counted_dialect(target)
    return counting.counted(dialect, DIALECTS[dialect].body(target, prompt, split))


DIALECTS: dict[str, Dialect] = {
    "converse": Dialect(converse.converse_body, converse.converse_whole, **CONVERSE_TAKES),
    "claude": Dialect(claude.claude_body, claude.claude_whole, claude.claude_event, **CLAUDE_TAKES),
    "nova": Dialect(nova.nova_body, converse.converse_whole, nova.nova_event, chat=True, images=True, form="converse"),
    "openai-chat": Dialect(openai.openai_chat_body, openai.openai_whole, openai.openai_event, **CHAT_TAKES),
    "chat-completions": Dialect(openai.mistral_chat_body, openai.openai_whole, openai.bedrock_chat_event, **CHAT_TAKES),
    "mistral-chat": Dialect(openai.mistral_chat_body, openai.openai_whole, openai.bedrock_chat_event, **CHAT_TAKES),
    "cohere-command-r": Dialect(cohere.command_r_body, cohere.command_r_whole, cohere.command_r_event, chat=True),
    "cohere-command": Dialect(cohere.command_body, cohere.command_whole, cohere.command_event),
    "llama": Dialect(llama.llama_body, llama.llama_whole, llama.llama_event),
    "mistral": Dialect(completions.completion_body, completions.mistral_whole, completions.mistral_event),
    "deepseek": Dialect(completions.completion_body, completions.deepseek_whole, completions.deepseek_event),
    "titan-text": Dialect(titan.titan_body, titan.titan_whole, titan.titan_event),
    "titan-embedding": Dialect(embedding_bodies.titan_embedding_body, embeddings.embedding_whole, media=True),
    "nova-embedding": Dialect(embedding_bodies.nova_embedding_body, embeddings.embedding_whole, media=True),
    "cohere-embedding": Dialect(embedding_bodies.cohere_embedding_body, embeddings.embedding_whole, media=True),
    "marengo-embedding": Dialect(embedding_bodies.marengo_body, embeddings.embedding_whole, media=True),
    "hf-embedding": Dialect(embeddings.embedding_body("inputs"), embeddings.embedding_whole),
    "tgi": Dialect(
        text_generation.text_generation_body("stop"),
        text_generation.text_generation_whole,
        text_generation.text_generation_event,
    ),
    "lmi": Dialect(
        text_generation.text_generation_body("stop_sequences"),
        text_generation.text_generation_whole,
        text_generation.text_generation_event,
    ),
    "openai-responses": Dialect(
        responses.responses_body,
        responses.responses_whole,
        responses.responses_event,
        chat=True,
        images=True,
        form="responses",
        told_later=True,
    ),
    "anthropic-messages": Dialect(claude.messages_body, claude.claude_whole, claude.claude_event, **CLAUDE_TAKES),
    "openai-rerank": Dialect(rerank.rerank_body("documents"), rerank.rerank_whole, ranks=True),
    "cohere-rerank": Dialect(rerank.rerank_body("documents", api_version=2), rerank.rerank_whole, ranks=True),
    "rerank": Dialect(rerank.agents_body, rerank.agents_whole, ranks=True),
    "hf-rerank": Dialect(rerank.rerank_body("texts"), rerank.rerank_whole, ranks=True),
    "openai-embeddings": Dialect(embeddings.embedding_body("input"), embeddings.openai_embedding_whole),
    "openai-completions": Dialect(completions.completion_body, openai.openai_whole, openai.openai_event),
    "raw": Dialect(raw_container.raw_body, raw_container.raw_whole, raw_container.raw_event),
    "count-tokens": Dialect(counted_body, counting.count_whole, **CONVERSE_TAKES),
    "apply-guardrail": Dialect(
        guardrails.apply_guardrail_body,
        guardrails.apply_guardrail_whole,
        chat=True,
        images=True,
        form="converse",
        told_later=True,
    ),
    "guardrail-checks": Dialect(
        guardrails.guardrail_checks_body, guardrails.guardrail_checks_whole, chat=True, told_later=True
    ),
}


#: those of a model's answers
ANSWERING = {name: row for name, row in DIALECTS.items() if name not in WITHOUT_TEXT}


def answering(takes: typing.Literal["chat", "images"]) -> list[str]:
    """The dialects of answers that take it."""
    return [name for name, row in ANSWERING.items() if getattr(row, takes)]


#: dialect -> what reads a chunk of Bedrock's InvokeModelWithResponseStream, which ends a chat without a line of its own
CHUNK_EVENTS = {name: d.event for name, d in DIALECTS.items()} | {"openai-chat": openai.bedrock_chat_event}
