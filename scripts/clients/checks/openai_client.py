"""openai: the /v1 routes, and Bedrock's own OpenAI route with a bearer token."""

import typing

import openai
import pydantic

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

client = openai.OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0)
bedrock = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key="bedrock-api-key-example", max_retries=0)
TOOL = {"type": "function", "function": {"name": "forecast", "parameters": SCHEMA}}


class Forecast(pydantic.BaseModel):
    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


def plain():
    for c, model in ((client, OPENAI), (bedrock, "openai.gpt-oss-20b-1:0")):
        answer = c.chat.completions.create(model=model, messages=MESSAGES, max_tokens=TOKENS)
        is_text(answer.choices[0].message.content, answer.usage.completion_tokens)
    is_text(client.completions.create(model=OPENAI, prompt="Hello", max_tokens=TOKENS).choices[0].text)


def stream():
    asked = {"messages": MESSAGES, "max_tokens": TOKENS, "stream": True, "stream_options": {"include_usage": True}}
    for c, model in ((client, OPENAI), (bedrock, "openai.gpt-oss-20b-1:0")):
        chunks = list(c.chat.completions.create(model=model, **asked))
        is_stream([chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices])
        assert chunks[-1].usage.completion_tokens == TOKENS


def tools():
    answer = client.chat.completions.create(model=OPENAI, messages=MESSAGES, tools=[TOOL], tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]
    assert (call.function.name, answer.choices[0].finish_reason) == ("forecast", "tool_calls")
    is_forecast(Forecast.model_validate_json(call.function.arguments))


def structured():
    answer = client.chat.completions.parse(model=OPENAI, messages=MESSAGES, response_format=Forecast)
    is_forecast(answer.choices[0].message.parsed)


def models():
    assert OPENAI in [model.id for model in client.models.list()]


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("structured", structured)
check("models", models)
