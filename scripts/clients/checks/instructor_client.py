"""instructor: structured output on Converse, on Claude's own route and on OpenAI's."""

import typing

import anthropic
import boto3
import instructor
import openai
import pydantic

from scripts.clients.reporting import CLAUDE, MESSAGES, OPENAI, URL, check, is_forecast


class Forecast(pydantic.BaseModel):
    """The weather to come."""

    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


def structured():
    converse = instructor.from_bedrock(boto3.client("bedrock-runtime"), mode=instructor.Mode.BEDROCK_TOOLS)
    is_forecast(converse.chat.completions.create(model=CLAUDE, messages=MESSAGES, response_model=Forecast))
    claude = instructor.from_anthropic(anthropic.AnthropicBedrock(base_url=URL, aws_region="us-east-1"))
    is_forecast(claude.messages.create(model=CLAUDE, messages=MESSAGES, max_tokens=500, response_model=Forecast))
    chat = instructor.from_openai(openai.OpenAI(base_url=f"{URL}/v1", api_key="none"))
    is_forecast(chat.chat.completions.create(model=OPENAI, messages=MESSAGES, response_model=Forecast))


check("structured", structured)
