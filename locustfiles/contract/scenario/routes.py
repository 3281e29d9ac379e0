"""Routes of OpenAI's form and Anthropic's, by the dialect that is spoken on each."""

import typing


class Route(typing.NamedTuple):
    """Where a dialect's requests go on a server that names the model in the body."""

    operation: str
    path: str  # after `base_url`


RouteDialect = typing.Literal[
    "openai-chat", "openai-completions", "openai-responses", "openai-embeddings", "openai-rerank", "anthropic-messages"
]
ROUTES: dict[RouteDialect, Route] = {
    "openai-chat": Route("ChatCompletions", "/chat/completions"),
    "openai-completions": Route("Completions", "/completions"),
    "openai-responses": Route("Responses", "/responses"),
    "openai-embeddings": Route("Embeddings", "/embeddings"),
    "openai-rerank": Route("Rerank", "/rerank"),
    "anthropic-messages": Route("Messages", "/messages"),
}
