"""pydantic-ai: its Bedrock model, and its OpenAI chat model."""

import asyncio
import typing

import pydantic
from pydantic_ai import Agent
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from scripts.clients.reporting import CLAUDE, OPENAI, PROMPT, TOKENS, URL, check, is_forecast, is_stream, is_text

MODELS = [
    BedrockConverseModel(CLAUDE),
    OpenAIChatModel(OPENAI, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key="none")),
]


class Forecast(pydantic.BaseModel):
    """The weather to come."""

    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


async def plain():
    for model in MODELS:
        answer = await Agent(model, model_settings={"max_tokens": TOKENS}).run(PROMPT)
        is_text(answer.output)


async def stream():
    for model in MODELS:
        async with Agent(model, model_settings={"max_tokens": TOKENS}).run_stream(PROMPT) as answer:
            is_stream([text async for text in answer.stream_text(delta=True, debounce_by=None)])


async def structured():
    for model in MODELS:
        is_forecast((await Agent(model, output_type=Forecast).run(PROMPT)).output)


check("plain", lambda: asyncio.run(plain()))
check("stream", lambda: asyncio.run(stream()))
check("structured", lambda: asyncio.run(structured()))
