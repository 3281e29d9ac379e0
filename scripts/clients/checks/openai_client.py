"""openai: the /v1 routes, and Bedrock's own OpenAI routes with a bearer token; *newer* are Responses."""

import base64
import typing

import openai
import pydantic
from aws_bedrock_token_generator import provide_token

from scripts.clients.reporting import (
    MESSAGES,
    OPENAI,
    PNG,
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

client = openai.OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0)
bedrock = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key="bedrock-api-key-example", max_retries=0)
TOOL = {"type": "function", "function": {"name": "forecast", "parameters": SCHEMA}}


class Forecast(pydantic.BaseModel):
    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


def plain():
    key = provide_token(region="us-east-1")  # AWS's own generator
    short = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key=key, max_retries=0)
    for c, model in ((client, OPENAI), (bedrock, "openai.gpt-oss-20b-1:0"), (short, "openai.gpt-oss-20b-1:0")):
        answer = c.chat.completions.create(model=model, messages=MESSAGES, max_tokens=TOKENS)
        is_text(answer.choices[0].message.content, answer.usage.completion_tokens)
    is_text(client.completions.create(model=OPENAI, prompt="Hello", max_tokens=TOKENS).choices[0].text)


def stream():
    asked = {"messages": MESSAGES, "max_tokens": TOKENS, "stream": True, "stream_options": {"include_usage": True}}
    for c, model in ((client, OPENAI), (bedrock, "openai.gpt-oss-20b-1:0")):
        chunks = list(c.chat.completions.create(model=model, **asked))
        is_stream([chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices])
        assert chunks[-1].usage.completion_tokens == TOKENS


def responses():
    for c, model in ((client, OPENAI), (bedrock, "openai.gpt-oss-20b-1:0")):
        answer = c.responses.create(model=model, input=PROMPT, max_output_tokens=TOKENS)
        is_text(answer.output_text, answer.usage.output_tokens)
        with c.responses.stream(model=model, input=MESSAGES, max_output_tokens=TOKENS) as stream:
            events = list(stream)
        is_stream([event.delta for event in events if event.type == "response.output_text.delta"])
        # `get_final_response` knows no answer that met its limit
        last = events[-1]
        assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")
        is_text(last.response.output_text, last.response.usage.output_tokens)
    tool = {"type": "function", "name": "forecast", "parameters": SCHEMA, "strict": True}
    answer = client.responses.create(model=OPENAI, input=MESSAGES, tools=[tool], tool_choice="required")
    is_forecast(Forecast.model_validate_json(next(i.arguments for i in answer.output if i.type == "function_call")))
    is_forecast(client.responses.parse(model=OPENAI, input=MESSAGES, text_format=Forecast).output_parsed)


def embeddings():
    is_vector(client.embeddings.create(model=OPENAI, input=[PROMPT]).data[0].embedding)


def tools():
    answer = client.chat.completions.create(model=OPENAI, messages=MESSAGES, tools=[TOOL], tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]
    assert (call.function.name, answer.choices[0].finish_reason) == ("forecast", "tool_calls")
    is_forecast(Forecast.model_validate_json(call.function.arguments))
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}}
    told = [{"role": "user", "content": [{"type": "text", "text": PROMPT}, image]}, answer.choices[0].message]
    told.append({"role": "tool", "tool_call_id": call.id, "content": "clear"})
    answer = client.chat.completions.create(model=OPENAI, messages=told, max_tokens=TOKENS, tools=[TOOL])
    is_text(answer.choices[0].message.content, answer.usage.completion_tokens)


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
check("newer", responses)
check("embeddings", embeddings)
