"""Model families of Bedrock: whose InvokeModel body a model takes, by its id."""

import typing

Family = typing.Literal[
    "claude",
    "nova",
    "llama",
    "mistral",
    "mistral-chat",
    "titan-text",
    "titan-embedding",
    "nova-embedding",
    "cohere-command",
    "cohere-command-r",
    "cohere-embedding",
    "cohere-rerank",
    "deepseek",
    "openai-chat",
    "chat-completions",
    "marengo-embedding",
]
EMBEDDINGS: frozenset[Family] = frozenset(
    {"titan-embedding", "nova-embedding", "cohere-embedding", "marengo-embedding"}
)
#: of these, what counts no token of an image, of sound or of video, which are billed by the piece
BY_THE_PIECE: frozenset[Family] = EMBEDDINGS - {"cohere-embedding"}
#: families that answer once and have no text: what they do
SILENT: dict[Family, str] = dict.fromkeys(EMBEDDINGS, "makes embeddings") | {"cohere-rerank": "ranks documents"}
FAMILY_NAMES = ", ".join(typing.get_args(Family))

#: what a model id contains -> its family; the first that is found
_BY_ID: dict[str, Family] = {
    "anthropic.": "claude",
    "amazon.nova-2-multimodal-embeddings": "nova-embedding",
    "amazon.nova": "nova",
    "meta.llama": "llama",
    "mistral.mistral-7b": "mistral",
    "mistral.mixtral": "mistral",
    "mistral.mistral-large-2402": "mistral",
    "mistral.mistral-small-2402": "mistral",
    "mistral.mistral-large-2407": "mistral-chat",
    "mistral.pixtral": "mistral-chat",
    "amazon.titan-embed": "titan-embedding",
    "amazon.titan-t": "titan-text",  # titan-text-… and titan-tg1-large
    "cohere.command-r": "cohere-command-r",
    "cohere.command": "cohere-command",
    "cohere.embed": "cohere-embedding",
    "cohere.rerank": "cohere-rerank",
    "deepseek.r1": "deepseek",
    "openai.gpt": "openai-chat",
    # OpenAI's chat completions with `max_tokens`; where that is known from stands in configs/README.md
    "qwen.": "chat-completions",
    "zai.glm": "chat-completions",
    "moonshot.kimi": "chat-completions",
    "moonshotai.kimi": "chat-completions",
    "minimax.": "chat-completions",
    "google.gemma-3": "chat-completions",
    "nvidia.nemotron": "chat-completions",
    "mistral.mistral-large-3": "chat-completions",
    "mistral.ministral-3": "chat-completions",
    "ai21.jamba": "chat-completions",
    "deepseek.v3-v1": "deepseek",  # V3.1; of V3.2 no body is known for certain
    "twelvelabs.marengo-embed-3": "marengo-embedding",
}


#: what a model id contains -> what such a model is, whose answers are no text
_NO_TEXT = {
    "nova-sonic": "a speech model, which answers over a stream in both directions",
    "nova-2-sonic": "a speech model, which answers over a stream in both directions",
    "nova-canvas": "a model that makes images",
    "nova-reel": "a model that makes videos, asynchronously",
    "amazon.titan-image": "a model that makes images",
    "stability.": "a model that makes images",
    "luma.": "a model that makes videos, asynchronously",
    "twelvelabs.marengo-embed-2": "a model that embeds videos, asynchronously",
    "amazon.rerank": "a model that ranks documents, whose body of InvokeModel is not known (`api: rerank` asks it by its ARN)",
}


def not_text(model_id: str) -> str | None:
    """What a model is that neither writes text nor embeds it, by its id; None for any other."""
    return next((what for part, what in _NO_TEXT.items() if part in model_id), None)


def instead_of(model_id: str) -> str:
    """How a model whose body of InvokeModel is not known is asked. Gemma 4's card, read on 29 November 2026, has neither that nor
    Converse."""
    if "google.gemma-4" in model_id:
        return (
            "ask bedrock-mantle's Chat Completions or Responses (`service: openai`), where alone its model card has it"
        )
    return "use `api: converse`"


def family_of(model_id: str) -> Family | None:
    """The family of a model id, of an inference profile's id, or of an ARN that ends in one.

    None where the id does not tell: application inference profiles, provisioned throughput, imported and
    custom models have ARNs of random letters.
    """
    if not_text(model_id):
        return None
    return next((family for part, family in _BY_ID.items() if part in model_id), None)


def embeds(target: object) -> bool:
    """Whether a target embeds texts, whatever its service."""
    return "embedding" in _kind(target)


def embeds_text_alone(target: object) -> bool:
    """Whether a Titan embeds texts and no images, by its id; an ARN of random letters does not tell."""
    model_id = str(getattr(target, "model_id", ""))
    return "titan-embed" in model_id and "titan-embed-image" not in model_id


def is_cohere_3(target: object) -> bool:
    """Whether it is Cohere's Embed 3, by its id; what the id does not tell is Embed 4."""
    return any(name in str(getattr(target, "model_id", "")) for name in ("embed-english", "embed-multilingual"))


def other_work(target: object) -> str | None:
    """What its answers are where they have no output tokens: `embeddings`, `rankings`, or an operation of no model, as `api` names
    it; None of a model that writes."""
    if not getattr(target, "writes_text", True):
        return str(getattr(target, "api", None))
    return "embeddings" if embeds(target) else "rankings" if "rerank" in _kind(target) else None


def _kind(target: object) -> str:
    api = "rerank" if getattr(target, "api", None) == "rerank" else None
    return api or getattr(target, "family", None) or getattr(target, "dialect", None) or ""
