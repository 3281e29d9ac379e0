"""llama-index: its Converse model."""

import typing

import pydantic
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.bedrock_converse import BedrockConverse

from scripts.clients.reporting import CLAUDE, PROMPT, TOKENS, check, is_forecast, is_stream, is_text

MESSAGES = [ChatMessage(role="user", content=PROMPT)]


class Forecast(pydantic.BaseModel):
    """The weather to come."""

    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


def forecast(city: str, days: int, unit: typing.Literal["celsius", "fahrenheit"]) -> str:
    """The weather to come."""
    return "rain"


def model(tokens=TOKENS):
    return BedrockConverse(model=CLAUDE, max_tokens=tokens, region_name="us-east-1")


def plain():
    is_text(model().chat(MESSAGES).message.content)


def stream():
    is_stream([part.delta for part in model().stream_chat(MESSAGES) if part.delta])


def tools():
    llm = model(500)
    answer = llm.chat_with_tools([FunctionTool.from_defaults(forecast)], user_msg=PROMPT, tool_required=True)
    [call] = llm.get_tool_calls_from_response(answer)
    is_forecast(call.tool_kwargs)


def structured():
    is_forecast(model(500).structured_predict(Forecast, PromptTemplate(PROMPT)))


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("structured", structured)
