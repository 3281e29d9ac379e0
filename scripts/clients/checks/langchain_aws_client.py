"""langchain-aws: ChatBedrockConverse, ChatBedrock on InvokeModel, SageMaker's endpoint, embeddings."""

import json
import typing

import pydantic
from langchain_aws import BedrockEmbeddings, ChatBedrock, ChatBedrockConverse
from langchain_aws.llms import SagemakerEndpoint
from langchain_aws.llms.sagemaker_endpoint import LLMContentHandler

from scripts.clients.reporting import (
    CLAUDE,
    EMBEDDING,
    PROMPT,
    TGI_ENDPOINT,
    TOKENS,
    URL,
    check,
    is_forecast,
    is_stream,
    is_text,
    is_vector,
)  # fmt: skip

model = ChatBedrockConverse(model=CLAUDE, max_tokens=TOKENS, base_url=URL)
roomy = ChatBedrockConverse(model=CLAUDE, max_tokens=500, base_url=URL)


class Forecast(pydantic.BaseModel):
    """The weather to come."""

    city: str
    days: int
    unit: typing.Literal["celsius", "fahrenheit"]


class Handler(LLMContentHandler):
    content_type = accepts = "application/json"

    def transform_input(self, prompt, model_kwargs):
        return json.dumps({"inputs": prompt, "parameters": model_kwargs}).encode()

    def transform_output(self, output):
        return json.loads(output.read())[0]["generated_text"]


def plain():
    for chat in (model, ChatBedrock(model=CLAUDE, max_tokens=TOKENS, endpoint_url=URL)):
        answer = chat.invoke(PROMPT)
        is_text(answer.text if isinstance(answer.text, str) else answer.text(), answer.usage_metadata["output_tokens"])


def stream():
    for chat in (model, ChatBedrock(model=CLAUDE, max_tokens=TOKENS, endpoint_url=URL)):
        chunks = [chunk.text if isinstance(chunk.text, str) else chunk.text() for chunk in chat.stream(PROMPT)]
        is_stream([chunk for chunk in chunks if chunk])


def tools():
    answer = roomy.bind_tools([Forecast], tool_choice="any").invoke(PROMPT)
    assert answer.tool_calls[0]["name"] == "Forecast"
    is_forecast(answer.tool_calls[0]["args"])


def structured():
    is_forecast(roomy.with_structured_output(Forecast).invoke(PROMPT))


def endpoint():
    llm = SagemakerEndpoint(
        endpoint_name=TGI_ENDPOINT, region_name="us-east-1", content_handler=Handler(),
        model_kwargs={"max_new_tokens": TOKENS},
    )  # fmt: skip
    is_text(llm.invoke(PROMPT))


def embeddings():
    is_vector(BedrockEmbeddings(model_id=EMBEDDING, endpoint_url=URL).embed_query(PROMPT))


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("structured", structured)
check("SageMaker", endpoint)
check("embeddings", embeddings)
