"""One request body for every operation and model family, each asking for `n` tokens."""

import base64
import json

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
LLAMA = "meta.llama3-8b-instruct-v1:0"
NOVA = "amazon.nova-lite-v1:0"
PROMPT = "How far is it to the harbour?"  # 29 characters: ceil(29 / 4) = 8 tokens by the simulated rule
PROMPT_TOKENS = 8

#: model id -> family, its body without a token limit
FAMILIES = {
    "mistral.mistral-7b-instruct-v0:2": ("mistral", {"prompt": PROMPT}),
    "mistral.mistral-large-2407-v1:0": ("mistral-chat", {"messages": [{"role": "user", "content": PROMPT}]}),
    "amazon.titan-text-express-v1": ("titan-text", {"inputText": PROMPT}),
    "cohere.command-text-v14": ("cohere-command", {"prompt": PROMPT, "stream": True}),
    "cohere.command-r-v1:0": ("cohere-command-r", {"message": PROMPT}),
    "deepseek.r1-v1:0": ("deepseek", {"prompt": PROMPT}),
    "openai.gpt-oss-20b-1:0": ("openai-chat", {"messages": [{"role": "user", "content": PROMPT}]}),
    "qwen.qwen3-32b-v1:0": ("chat-completions", {"messages": [{"role": "user", "content": PROMPT}]}),
}
EMBEDDINGS = {
    "amazon.titan-embed-text-v2:0": ("titan-embedding", {"inputText": PROMPT}),
    "cohere.embed-english-v3": ("cohere-embedding", {"texts": [PROMPT], "input_type": "search_document"}),
    "amazon.nova-2-multimodal-embeddings-v1:0": (
        "nova-embedding",
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX",
                "text": {"truncationMode": "END", "value": PROMPT},
            },
        },
    ),
    "twelvelabs.marengo-embed-3-0-v1:0": ("marengo-embedding", {"inputType": "text", "text": {"inputText": PROMPT}}),
}

CONFIG = {
    "engines": {
        "exact": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 500, "seed": 1},
        "steady": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 100, "seed": 1},
        "short": {
            "kind": "timed",
            "ttft_ms": 5,
            "tokens_per_second": 1000,
            "seed": 1,
            "output": {"distribution": "fixed", "tokens": 3},
        },
        "small": {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 1000, "context_tokens": 20},
    },
    "endpoints": {
        "tgi": {"engine": "exact", "dialect": "tgi", "inference_components": ["part-one"]},
        "tgi-new": {"engine": "exact", "dialect": "tgi", "report_input_length": True},
        "tgi-short": {"engine": "short", "dialect": "tgi"},
        "tgi-small": {"engine": "small", "dialect": "tgi"},
        "tgi-split": {"engine": "exact", "dialect": "tgi", "split_bytes": 5},
        "chat": {"engine": "exact", "dialect": "openai-chat"},
        "lmi": {"engine": "exact", "dialect": "lmi"},
        "completions": {"engine": "exact", "dialect": "openai-completions"},
        "embedding": {"engine": "exact", "dialect": "hf-embedding"},
        "multi": {"engine": "exact", "dialect": "tgi", "target_models": ["rivers.tar.gz", "lakes.tar.gz"]},
        "stateful": {"engine": "exact", "dialect": "tgi", "session_s": 4},
        "thinking": {"engine": "steady", "dialect": "openai-chat", "reasoning_tokens": 2},
    },
    "models": {
        LLAMA: {
            "engine": "exact",
            "family": "llama",
            "aliases": ["arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl"],
        },
        CLAUDE: {"engine": "exact", "family": "claude"},
        NOVA: {"engine": "exact", "family": "nova"},
        "caching.nova": {"engine": "exact", "family": "nova", "cache_minimum_tokens": 8},
        "short.nova": {"engine": "short", "family": "nova"},
        "plain.nova": {"engine": "exact", "family": "nova", "standard_only": True},
        "guarded.nova": {"engine": "exact", "family": "nova", "blocked": True},
        "small.llama": {"engine": "small", "family": "llama"},
        "thinking.claude": {"engine": "steady", "family": "claude", "reasoning_tokens": 2, "cache_minimum_tokens": 8},
        "thinking.gpt-oss": {"engine": "steady", "family": "openai-chat", "reasoning_tokens": 2},
        "writer.palmyra-x5-v1:0": {"engine": "exact", "family": "chat-completions"},
        "thinking.kimi": {"engine": "steady", "family": "chat-completions", "reasoning_tokens": 2},
    }
    | {model_id: {"engine": "exact", "family": family} for model_id, (family, _) in FAMILIES.items()}
    | {model_id: {"engine": "exact", "family": family} for model_id, (family, _) in EMBEDDINGS.items()},
    "openai": {
        "exact": {"engine": "exact", "aliases": ["exact-lora"]},
        "short": {"engine": "short"},
        "small": {"engine": "small"},
        "thinking": {"engine": "steady", "reasoning_tokens": 2},
    },
    "bearer_tokens": ["bedrock-api-key-example"],
    "guardrails": ["gr12345:1"],
}


def converse(n: int) -> dict:
    return {"messages": [{"role": "user", "content": [{"text": PROMPT}]}], "inferenceConfig": {"maxTokens": n}}


def tgi(n: int, stream: bool = False) -> dict:
    return {"inputs": PROMPT, "parameters": {"max_new_tokens": n, "details": True}, "stream": stream}


def chat(n: int, stream: bool = False) -> dict:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": n, "stream": stream, **options}


def completions(n: int, stream: bool = False) -> dict:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return {"prompt": PROMPT, "max_tokens": n, "stream": stream, **options}


def invoke(model_id: str, n: int) -> dict:
    if model_id in FAMILIES:
        family, body = FAMILIES[model_id]
        limit = {
            "openai-chat": {"max_completion_tokens": n},
            "titan-text": {"textGenerationConfig": {"maxTokenCount": n}},
        }
        return body | limit.get(family, {"max_tokens": n})
    return {
        LLAMA: {"prompt": PROMPT, "max_gen_len": n},
        CLAUDE: {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": n,
            "messages": [{"role": "user", "content": PROMPT}],
        },
        NOVA: {
            "schemaVersion": "messages-v1",
            "messages": converse(n)["messages"],
            "inferenceConfig": {"maxTokens": n},
        },
    }[model_id]


def every_surface(n: int) -> list[tuple[str, str, dict]]:
    """(operation, target, body) of all surfaces: two Converse forms of three families, two invoke forms of
    eleven, one of the four embedding families, two SageMaker forms of four containers and one of the embedding one: 41."""
    surfaces = []
    for model_id in (LLAMA, CLAUDE, NOVA):
        surfaces += [("Converse", model_id, converse(n)), ("ConverseStream", model_id, converse(n))]
        surfaces += [(o, model_id, invoke(model_id, n)) for o in ("InvokeModel", "InvokeModelWithResponseStream")]
    for model_id in FAMILIES:
        surfaces += [(o, model_id, invoke(model_id, n)) for o in ("InvokeModel", "InvokeModelWithResponseStream")]
    surfaces += [("InvokeModel", model_id, body) for model_id, (_, body) in EMBEDDINGS.items()]
    surfaces.append(("InvokeEndpoint", "embedding", {"inputs": PROMPT}))
    for target, body in (("tgi", tgi), ("lmi", tgi), ("chat", chat), ("completions", completions)):
        surfaces += [
            ("InvokeEndpoint", target, body(n)),
            ("InvokeEndpointWithResponseStream", target, body(n, stream=True)),
        ]
    return surfaces


def chunks_of(answer) -> list[dict]:
    """The JSON inside the chunks of an InvokeModel stream."""
    return [json.loads(base64.b64decode(json.loads(f.payload)["bytes"])) for f in answer.frames()]
