"""strands-agents: its Bedrock model, which streams by default; agents with structured output."""

import typing

import pydantic
from strands import Agent
from strands.models import BedrockModel

from scripts.clients.reporting import CLAUDE, PROMPT, TOKENS, check, is_forecast, is_text


class Forecast(pydantic.BaseModel):
    """The weather to come."""

    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


def said(streaming):
    """An agent that is cut short by its limit raises; so it gets none, and the model ends by itself."""
    model = BedrockModel(model_id=CLAUDE, region_name="us-east-1", streaming=streaming)
    answer = Agent(model=model, callback_handler=None)(PROMPT)
    is_text(answer.message["content"][0]["text"])


def structured():
    agent = Agent(model=BedrockModel(model_id=CLAUDE, region_name="us-east-1"), callback_handler=None)
    is_forecast(agent(PROMPT, structured_output_model=Forecast).structured_output)


assert TOKENS
check("plain", lambda: said(False))
check("stream", lambda: said(True))
check("structured", structured)
