"""What a target speaks in an operation: its dialect, from the model's family, the container or the route."""

from scripts.emulator.answer import Answer
from scripts.emulator.dialects import (
    anthropic_route,
    bedrock_chat,
    bedrock_claude,
    bedrock_command,
    bedrock_command_r,
    bedrock_completions,
    bedrock_llama,
    bedrock_nova,
    bedrock_openai,
    bedrock_titan,
    converse,
    embeddings,
    lmi,
    openai_chat,
    openai_completions,
    openai_responses,
    rerank,
    tgi,
)
from scripts.emulator.fronts import gateways_dialect

CONTAINERS = {
    "tgi": tgi,
    "openai-chat": openai_chat,
    "openai-completions": openai_completions,
    "lmi": lmi,
    "hf-embedding": embeddings.HUGGING_FACE,
    "hf-rerank": rerank.HUGGING_FACE,
}
FAMILIES = {
    "llama": bedrock_llama,
    "claude": bedrock_claude,
    "nova": bedrock_nova,
    "mistral": bedrock_completions.MISTRAL,
    "mistral-chat": bedrock_chat.MISTRAL,
    "titan-text": bedrock_titan,
    "titan-embedding": embeddings.TITAN,
    "cohere-command": bedrock_command,
    "cohere-command-r": bedrock_command_r,
    "cohere-embedding": embeddings.COHERE,
    "cohere-rerank": rerank.BEDROCK,
    "deepseek": bedrock_completions.DEEPSEEK,
    "openai-chat": bedrock_chat.OPENAI,
    "chat-completions": bedrock_chat.COMPLETIONS,
    "nova-embedding": embeddings.NOVA,
    "marengo-embedding": embeddings.MARENGO,
}
#: what a body of a dialect has and the bodies of the others have not
_MARKS = dict.fromkeys(("tgi", "lmi", "hf-embedding"), b'"inputs"') | {
    "hf-rerank": b'"texts"',
    "openai-chat": b'"messages"',
    "openai-completions": b'"prompt"',
}
OPENAI = {
    "ChatCompletions": openai_chat,
    "Completions": openai_completions,
    "Responses": openai_responses,
    "Embeddings": embeddings.OPENAI,
    "Rerank": rerank.OPENAI,
    "Messages": anthropic_route,
}


def dialect_of(a: Answer, config):
    """What the target speaks in this operation; where a container speaks several, what the body looks like."""
    operation = a.operation
    if operation.openai:
        own = operation.service != "bedrock" or operation.name != "ChatCompletions"
        return OPENAI[operation.name] if own else bedrock_openai
    if operation.front == "gateway":
        return gateways_dialect(a.request.body)
    if operation.service == "sagemaker":
        marks = [_MARKS[name] for name in config.more_dialects]
        spoken = zip(marks, config.more_dialects, strict=True)
        return CONTAINERS[next((name for mark, name in spoken if mark in a.request.body), config.dialect)]
    if operation.name == "Rerank":
        return rerank.AGENTS
    return converse if operation.converse else FAMILIES[config.family]
