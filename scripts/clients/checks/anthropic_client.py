"""anthropic: its Bedrock client, which signs InvokeModel itself; *newer* is its own route, on Bedrock, too."""

import base64

import anthropic

from scripts.clients.reporting import (
    CLAUDE,
    MESSAGES,
    OPENAI,
    PNG,
    SCHEMA,
    TEXT_FILE,
    TOKENS,
    URL,
    check,
    is_forecast,
    is_stream,
    is_text,
)  # fmt: skip

client = anthropic.AnthropicBedrock(base_url=URL, aws_region="us-east-1", max_retries=0)
TOOL = {"name": "forecast", "description": "The weather to come", "input_schema": SCHEMA}


def plain():
    answer = client.messages.create(model=CLAUDE, messages=MESSAGES, max_tokens=TOKENS)
    is_text(answer.content[0].text, answer.usage.output_tokens)


def stream():
    with client.messages.stream(model=CLAUDE, messages=MESSAGES, max_tokens=TOKENS) as events:
        is_stream(list(events.text_stream))
        assert events.get_final_message().usage.output_tokens == TOKENS


def messages():
    """Anthropic's own route, and Bedrock's with a bearer token."""
    own = anthropic.Anthropic(base_url=URL, api_key="none", max_retries=0)
    routed = anthropic.Anthropic(base_url=f"{URL}/anthropic", auth_token="bedrock-api-key-example", max_retries=0)
    for c, model in ((own, OPENAI), (routed, CLAUDE)):
        answer = c.messages.create(model=model, messages=MESSAGES, max_tokens=TOKENS)
        is_text(answer.content[0].text, answer.usage.output_tokens)
        with c.messages.stream(model=model, messages=MESSAGES, max_tokens=TOKENS) as events:
            is_stream(list(events.text_stream))
            assert events.get_final_message().usage.output_tokens == TOKENS
    choice = {"type": "tool", "name": "forecast"}
    answer = own.messages.create(model=OPENAI, messages=MESSAGES, max_tokens=500, tools=[TOOL], tool_choice=choice)
    is_forecast(next(block.input for block in answer.content if block.type == "tool_use"))


def tools():
    choice = {"type": "tool", "name": "forecast"}
    answer = client.messages.create(model=CLAUDE, messages=MESSAGES, max_tokens=500, tools=[TOOL], tool_choice=choice)
    assert answer.stop_reason == "tool_use"
    used = next(block for block in answer.content if block.type == "tool_use")
    is_forecast(used.input)
    image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    document = {"type": "text", "media_type": "text/plain", "data": TEXT_FILE.decode()}
    result = {"type": "tool_result", "tool_use_id": used.id, "content": [{"type": "image", "source": image}]}
    told = {"role": "user", "content": [result, {"type": "document", "source": document}]}
    told = [*MESSAGES, {"role": "assistant", "content": answer.content}, told]
    answer = client.messages.create(model=CLAUDE, messages=told, max_tokens=TOKENS, tools=[TOOL])
    is_text(answer.content[0].text, answer.usage.output_tokens)


check("plain", plain)
check("stream", stream)
check("tools", tools)
check("newer", messages)
