"""huggingface_hub: InferenceClient on the chat route."""

import json

from huggingface_hub import InferenceClient

from scripts.clients.reporting import (
    MESSAGES,
    OPENAI,
    SCHEMA,
    TOKENS,
    URL,
    check,
    is_forecast,
    is_stream,
    is_text,
)  # fmt: skip

client = InferenceClient(base_url=f"{URL}/v1", api_key="none")
TOOL = {"type": "function", "function": {"name": "forecast", "parameters": SCHEMA}}


def plain():
    answer = client.chat_completion(MESSAGES, model=OPENAI, max_tokens=TOKENS)
    is_text(answer.choices[0].message.content, answer.usage.completion_tokens)


def stream():
    chunks = client.chat_completion(MESSAGES, model=OPENAI, max_tokens=TOKENS, stream=True)
    is_stream([text for chunk in chunks if chunk.choices and (text := chunk.choices[0].delta.content)])


def tools():
    answer = client.chat_completion(MESSAGES, model=OPENAI, tools=[TOOL], tool_choice="required")
    arguments = answer.choices[0].message.tool_calls[0].function.arguments
    is_forecast(json.loads(arguments) if isinstance(arguments, str) else arguments)


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "forecast", "schema": SCHEMA}}
    answer = client.chat_completion(MESSAGES, model=OPENAI, response_format=form)
    is_forecast(json.loads(answer.choices[0].message.content))


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("structured", structured)
