"""litellm: `bedrock/converse`, SageMaker's chat containers, any OpenAI server."""

import litellm

from scripts.clients.reporting import (
    CHAT_ENDPOINT,
    CLAUDE,
    EMBEDDING,
    MESSAGES,
    OPENAI,
    PROMPT,
    SCHEMA,
    TOKENS,
    URL,
    check,
    is_forecast,
    is_stream,
    is_text,
    is_vector,
)  # fmt: skip

ROUTES = [
    {"model": f"bedrock/converse/{CLAUDE}"},
    {"model": f"openai/{OPENAI}", "base_url": f"{URL}/v1", "api_key": "none"},
]
TOOL = {"type": "function", "function": {"name": "forecast", "parameters": SCHEMA}}


def plain():
    for route in ROUTES:
        answer = litellm.completion(**route, messages=MESSAGES, max_tokens=TOKENS)
        is_text(answer.choices[0].message.content, answer.usage.completion_tokens)


def stream():
    for route in ROUTES:
        chunks = litellm.completion(**route, messages=MESSAGES, max_tokens=TOKENS, stream=True)
        is_stream([text for chunk in chunks if (text := chunk.choices[0].delta.content)])


def tools():
    for route in ROUTES:
        answer = litellm.completion(**route, messages=MESSAGES, tools=[TOOL], tool_choice="required")
        is_forecast(litellm.utils.json.loads(answer.choices[0].message.tool_calls[0].function.arguments))


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "forecast", "schema": SCHEMA, "strict": True}}
    for route in ROUTES:
        answer = litellm.completion(**route, messages=MESSAGES, response_format=form)
        is_forecast(litellm.utils.json.loads(answer.choices[0].message.content))


def endpoint():
    answer = litellm.completion(model=f"sagemaker_chat/{CHAT_ENDPOINT}", messages=MESSAGES, max_tokens=TOKENS,
                                sagemaker_base_url=f"{URL}/endpoints/{CHAT_ENDPOINT}/invocations")  # fmt: skip
    is_text(answer.choices[0].message.content, answer.usage.completion_tokens)


def embeddings():
    is_vector(litellm.embedding(model=f"bedrock/{EMBEDDING}", input=[PROMPT]).data[0]["embedding"])


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("structured", structured)
check("SageMaker", endpoint)
check("embeddings", embeddings)
