"""Answers as the services send them, one stream and one whole body per dialect, all saying Hello."""

import json

from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.request import Body, build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.targets import BedrockTarget, SageMakerTarget
from tests.helpers import sample_families
from tests.helpers.aws_frames import chunk, event, part
from tests.helpers.sample_families import METRICS, RAW

HELLO = Prompt("p1", "Say hello", None)
MODELS = {
    "claude": "anthropic.claude-3-haiku-v1:0",
    "nova": "amazon.nova-lite-v1:0",
    "llama": "meta.llama3-8b-v1:0",
} | sample_families.MODELS


def call(dialect: str, stream: bool = True, **parameters) -> Body:
    parameters = {"max_tokens": 64} | parameters
    common = {"name": "t", "stream": stream, "parameters": parameters}
    if dialect == "converse":
        return build(BedrockTarget(service="bedrock", model_id=MODELS["llama"], **common), HELLO)
    models = MODELS | sample_families.EMBEDDING_MODELS
    if "embedding" in dialect:
        common |= {"stream": False, "parameters": {}}
    if dialect in models:
        return build(BedrockTarget(service="bedrock", model_id=models[dialect], api="invoke", **common), HELLO)
    if dialect == "raw":
        common |= RAW
    return build(SageMakerTarget(service="sagemaker", endpoint="e", dialect=dialect, **common), HELLO)


def streamed(dialect: str, *timed: tuple[float, bytes], ended: bool = True) -> ParsedAnswer:
    return parse_answer(call(dialect), 200, {"x-amzn-requestid": "req-1"}, timed, ended)


def timed(*frames: bytes) -> list[tuple[float, bytes]]:
    """Frames one second apart, the first at 10."""
    return [(10.0 + i, data) for i, data in enumerate(frames)]


def sse(obj: dict) -> bytes:
    return b"data:" + json.dumps(obj).encode() + b"\n\n"


def tgi_token(text: str, special: bool = False, **last) -> dict:
    token = {"id": 1, "text": text, "logprob": -0.1, "special": special}
    return {"index": 1, "token": token, "generated_text": None, "details": None} | last


CONVERSE = [
    event("messageStart", {"role": "assistant", "p": "ab"}),  # 10
    event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": ""}, "p": "a"}),  # 11: empty, no output
    event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}, "p": "abc"}),  # 12
    event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lo"}, "p": "abc"}),  # 13
    event("contentBlockStop", {"contentBlockIndex": 0, "p": "a"}),
    event("messageStop", {"stopReason": "end_turn", "p": "abcd"}),
    event(
        "metadata",
        {
            "usage": {
                "inputTokens": 20,
                "outputTokens": 3,
                "totalTokens": 23,
                "cacheReadInputTokens": 128,
                "cacheWriteInputTokens": 0,
            },
            "metrics": {"latencyMs": 345},
        },
    ),
]
CLAUDE = [
    chunk(
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "role": "assistant",
                "content": [],
                "usage": {
                    "input_tokens": 20,
                    "output_tokens": 1,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 128,
                },
            },
        }
    ),
    chunk({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}}),  # 12
    chunk({"type": "ping"}),
    chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}}),  # 14
    chunk({"type": "content_block_stop", "index": 0}),
    chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
    chunk(
        {
            "type": "message_stop",
            "amazon-bedrock-invocationMetrics": METRICS
            | {"cacheReadInputTokenCount": 128, "cacheWriteInputTokenCount": 0},
        }
    ),
]
NOVA = [
    chunk({"messageStart": {"role": "assistant"}}),
    chunk({"contentBlockDelta": {"delta": {"text": "Hel"}, "contentBlockIndex": 0}}),  # 11
    chunk({"contentBlockDelta": {"delta": {"text": "lo"}, "contentBlockIndex": 0}}),  # 12
    chunk({"contentBlockStop": {"contentBlockIndex": 0}}),
    chunk({"messageStop": {"stopReason": "end_turn"}}),
    chunk(
        {
            "metadata": {"usage": {"inputTokens": 20, "outputTokens": 3}, "metrics": {}, "trace": {}},
            "amazon-bedrock-invocationMetrics": METRICS,
        }
    ),
]
LLAMA = [
    chunk({"generation": "", "prompt_token_count": 20, "generation_token_count": 1, "stop_reason": None}),
    chunk({"generation": "Hel", "prompt_token_count": None, "generation_token_count": 2, "stop_reason": None}),  # 11
    chunk({"generation": "lo", "prompt_token_count": None, "generation_token_count": 3, "stop_reason": None}),  # 12
    chunk(
        {
            "generation": "",
            "prompt_token_count": None,
            "generation_token_count": 3,
            "stop_reason": "stop",
            "amazon-bedrock-invocationMetrics": METRICS,
        }
    ),
]
TGI = [
    part(sse(tgi_token("Hel"))),  # 10
    part(sse(tgi_token("lo"))),  # 11
    part(
        sse(
            tgi_token(
                "</s>",
                special=True,  # 12: not output
                generated_text="Hello",
                details={"finish_reason": "eos_token", "generated_tokens": 3, "seed": None, "input_length": 20},
            )
        )
    ),
]
LMI = [
    part(b'{"token": {"id": 1, "text": "Hel", "log_prob": -0.1}}\n'),
    part(b'{"token": {"id": 2, "text": "lo", "log_prob": -0.1}}\n'),
    part(
        b'{"token": {"id": 2, "text": "</s>", "log_prob": -0.1, "special_token": true}, "generated_text": "Hello", '
        b'"details": {"finish_reason": "eos_token", "generated_tokens": 3, "inputs": "Say hello"}}\n'
    ),
]


def openai_chunk(delta: dict, finish: str | None = None) -> dict:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "choices": choices, "usage": None}


OPENAI = [
    part(sse(openai_chunk({"role": "assistant", "content": ""}))),
    part(sse(openai_chunk({"content": "Hel"}))),  # 11
    part(sse(openai_chunk({"content": "lo"}))),  # 12
    part(sse(openai_chunk({}, "stop"))),
    part(sse({"id": "c", "choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23}})),
    part(b"data: [DONE]\n\n"),
]
#: dialect -> frames, frames needed until the closing event, times of its two deltas
STREAMS = {
    "converse": (CONVERSE, 6, (12.0, 13.0)),
    "claude": (CLAUDE, 8, (12.0, 14.0)),
    "nova": (NOVA, 5, (11.0, 12.0)),
    "llama": (LLAMA, 4, (11.0, 12.0)),
    "tgi": (TGI, 3, (10.0, 11.0)),
    "lmi": (LMI, 3, (10.0, 11.0)),
    "openai-chat": (OPENAI, 4, (11.0, 12.0)),
} | sample_families.STREAMS

WHOLES = {
    "converse": {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hel"}, {"text": "lo"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 20, "outputTokens": 3, "totalTokens": 23},
        "metrics": {"latencyMs": 345},
    },
    "claude": {
        "type": "message",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 20, "output_tokens": 3},
    },
    "nova": {
        "output": {"message": {"content": [{"text": "Hello"}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 20, "outputTokens": 3, "cacheReadInputTokenCount": 0},
    },
    "llama": {"generation": "Hello", "prompt_token_count": 20, "generation_token_count": 3, "stop_reason": "stop"},
    "tgi": [
        {
            "generated_text": "Hello",
            "details": {"finish_reason": "stop", "generated_tokens": 3, "prefill": [{"id": 1}] * 20, "tokens": []},
        }
    ],
    "lmi": {
        "generated_text": "Hello",
        "details": {"finish_reason": "stop", "generated_tokens": 3, "prompt_tokens": 20},
    },
    "openai-chat": {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
    },
} | sample_families.WHOLES
