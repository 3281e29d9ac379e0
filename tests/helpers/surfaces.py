"""Every surface of the local endpoint as a target of a scenario."""

from tests.helpers import bodies
from tests.helpers.calls import TOKENS

PARAMETERS = {"max_tokens": TOKENS}


def invoke(model_id: str, **more) -> dict:
    return {"service": "bedrock", "model_id": model_id, "api": "invoke", "parameters": PARAMETERS} | more


def converse(model_id: str, **more) -> dict:
    return {"service": "bedrock", "model_id": model_id, "parameters": PARAMETERS} | more


def container(endpoint: str, dialect: str, **more) -> dict:
    return {"service": "sagemaker", "endpoint": endpoint, "dialect": dialect, "parameters": PARAMETERS} | more


RAW_TGI = {
    "body": {"inputs": "{prompt}", "parameters": {"max_new_tokens": "{max_tokens}", "details": True}, "stream": True},
    "answer": {
        "text": "token.text",
        "completion_tokens": "details.generated_tokens",
        "prompt_tokens": "details.input_length",
        "stop_reason": "details.finish_reason",
        "done": "generated_text",
    },
}
RAW_CHAT = {
    "body": {"messages": "{messages}", "max_tokens": "{max_tokens}"},
    "answer": {
        "text": "choices[0].message.content",
        "prompt_tokens": "usage.prompt_tokens",
        "completion_tokens": "usage.completion_tokens",
        "stop_reason": "choices[0].finish_reason",
    },
}
STREAMS = {model_id: invoke(model_id) for model_id in bodies.FAMILIES} | {
    "completions": container("completions", "openai-completions"),
    "raw tgi": container("tgi-new", "raw", **RAW_TGI),
    "profile": invoke(f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{bodies.LLAMA}"),
    "provisioned": invoke(bodies.CONFIG["models"][bodies.LLAMA]["aliases"][0], dialect="llama"),
}
WHOLES = {kind: target for kind, target in STREAMS.items() if kind != "raw tgi"} | {
    "raw chat": container("chat", "raw", **RAW_CHAT)
}
EMBEDDINGS = {
    "titan": invoke("amazon.titan-embed-text-v2:0", parameters={}),
    "cohere": invoke("cohere.embed-english-v3", parameters={}),
    "nova": invoke("amazon.nova-2-multimodal-embeddings-v1:0", parameters={}),
    "marengo": invoke("us.twelvelabs.marengo-embed-3-0-v1:0", parameters={}),
    "hugging face": container("embedding", "hf-embedding", parameters={}),
}
THINKING = {
    "converse": converse("thinking.claude"),
    "claude": invoke("thinking.claude", dialect="claude"),
    "gpt-oss": invoke("thinking.gpt-oss", dialect="openai-chat"),
    "kimi": invoke("thinking.kimi", dialect="chat-completions"),
    "vllm": container("thinking", "openai-chat"),
}
