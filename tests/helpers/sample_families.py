"""More answers that all say Hello: Bedrock's text and chat families, OpenAI's completions, and a container nobody knows."""

import json

from tests.helpers.aws_frames import chunk, part

METRICS = {"inputTokenCount": 20, "outputTokenCount": 3, "invocationLatency": 345, "firstByteLatency": 120}
_LAST = {"amazon-bedrock-invocationMetrics": METRICS}
MODELS = {
    "mistral": "mistral.mistral-7b-instruct-v0:2",
    "mistral-chat": "mistral.mistral-large-2407-v1:0",
    "titan-text": "amazon.titan-text-express-v1",
    "cohere-command": "cohere.command-text-v14",
    "cohere-command-r": "cohere.command-r-plus-v1:0",
    "deepseek": "us.deepseek.r1-v1:0",
    "bedrock openai-chat": "openai.gpt-oss-20b-1:0",
    "chat-completions": "qwen.qwen3-32b-v1:0",
}
EMBEDDING_MODELS = {
    "titan-embedding": "amazon.titan-embed-text-v2:0",
    "cohere-embedding": "cohere.embed-english-v3",
    "nova-embedding": "amazon.nova-2-multimodal-embeddings-v1:0",
    "marengo-embedding": "us.twelvelabs.marengo-embed-3-0-v1:0",
}


def _chat(message: str, content: str | None, stop: str | None = None, **more) -> dict:
    reason = "finish_reason" if message == "delta" else "stop_reason"
    choice = {"index": 0, message: {"role": "assistant", "content": content}, reason: stop}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], "usage": None} | more


def _titan(text: str, last: dict | None = None) -> dict:
    nothing = {"totalOutputTextTokenCount": None, "completionReason": None, "inputTextTokenCount": None}
    return {"outputText": text, "index": 0} | nothing | (last or {})


def _completion(text: str, finish: str | None = None) -> dict:
    return {"id": "c", "object": "text_completion", "choices": [{"index": 0, "text": text, "finish_reason": finish}]}


#: dialect -> the events of its stream, and the times of its two deltas when each comes one second after the other from 10
EVENTS = {
    "mistral": (
        [{"outputs": [{"text": t, "stop_reason": None}]} for t in ("Hel", "lo")]
        + [{"outputs": [{"text": "", "stop_reason": "stop"}]} | _LAST],
        (10.0, 11.0),
    ),
    "mistral-chat": (
        [_chat("message", ""), _chat("message", "Hel"), _chat("message", "lo"), _chat("message", "", "stop", **_LAST)],
        (11.0, 12.0),
    ),
    "titan-text": (
        [
            _titan("Hel"),
            _titan("lo"),
            _titan(
                "", {"totalOutputTextTokenCount": 3, "completionReason": "FINISH", "inputTextTokenCount": 20} | _LAST
            ),
        ],
        (10.0, 11.0),
    ),
    "cohere-command": (
        [
            {"text": "Hel", "is_finished": False},
            {"text": "lo", "is_finished": False},
            {"is_finished": True, "finish_reason": "COMPLETE"} | _LAST,
        ],
        (10.0, 11.0),
    ),
    "cohere-command-r": (
        [
            {"event_type": "stream-start", "generation_id": "g", "is_finished": False},
            {"event_type": "text-generation", "text": "Hel", "is_finished": False},
            {"event_type": "text-generation", "text": "lo", "is_finished": False},
            {
                "event_type": "stream-end",
                "finish_reason": "COMPLETE",
                "is_finished": True,
                "response": {"text": "Hello"},
            }
            | _LAST,
        ],
        (11.0, 12.0),
    ),
    "deepseek": (
        [{"choices": [{"text": t, "stop_reason": None}]} for t in ("Hel", "lo")]
        + [{"choices": [{"text": "", "stop_reason": "stop"}]} | _LAST],
        (10.0, 11.0),
    ),
    "bedrock openai-chat": (
        [_chat("delta", ""), _chat("delta", "Hel"), _chat("delta", "lo"), _chat("delta", None, "stop", **_LAST)],
        (11.0, 12.0),
    ),
    "chat-completions": (
        [_chat("delta", ""), _chat("delta", "Hel"), _chat("delta", "lo"), _chat("delta", None, "stop", **_LAST)],
        (11.0, 12.0),
    ),
    "openai-completions": (
        [
            _completion("Hel"),
            _completion("lo", "stop"),
            {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 3}},
        ],
        (10.0, 11.0),
    ),
    "raw": (
        [
            {"out": {"piece": "Hel"}},
            {"out": {"piece": "lo"}},
            {"end": {"why": "stop", "counts": {"in": 20, "out": 3}}},
        ],
        (10.0, 11.0),
    ),
}
#: a container nobody knows: the scenario says what it takes and where its answer is
RAW = {
    "body": {"text": "<s>{prompt}</s>", "limit": "{max_tokens}"},
    "answer": {
        "text": "out.piece",
        "prompt_tokens": "end.counts.in",
        "completion_tokens": "end.counts.out",
        "stop_reason": "end.why",
        "error": "trouble",
        "done": "end",
    },
}


def _frames(dialect: str, events: list[dict]) -> list[bytes]:
    if dialect == "openai-completions":
        lines = [b"data: " + json.dumps(e).encode() for e in events] + [b"data: [DONE]"]
        return [part(line + b"\n\n") for line in lines]
    if dialect == "raw":
        return [part(json.dumps(e).encode() + b"\n") for e in events]
    return [chunk(e) for e in events]


#: dialect -> frames, frames needed until the closing event, times of its two deltas; as in sample_answers
STREAMS = {
    dialect: (
        frames,
        2 if dialect == "openai-completions" else len(frames),
        times,
    )  # its second one has a finish_reason
    for dialect, (events, times) in EVENTS.items()
    for frames in [_frames(dialect, events)]
}
WHOLES = {
    "mistral": {"outputs": [{"text": "Hello", "stop_reason": "stop"}]},
    "mistral-chat": {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "stop_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
    },
    "titan-text": {
        "inputTextTokenCount": 20,
        "results": [{"tokenCount": 3, "outputText": "Hello", "completionReason": "FINISH"}],
    },
    "cohere-command": {
        "generations": [{"finish_reason": "COMPLETE", "id": "1", "text": "Hello"}],
        "id": "1",
        "prompt": "x",
    },
    "cohere-command-r": {"text": "Hello", "finish_reason": "COMPLETE", "chat_history": []},
    "deepseek": {"choices": [{"text": "Hello", "stop_reason": "stop"}]},
    "bedrock openai-chat": {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
    },
    "chat-completions": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "service_tier": "default",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
    },
    "openai-completions": _completion("Hello", "stop") | {"usage": {"prompt_tokens": 20, "completion_tokens": 3}},
    "raw": {"out": {"piece": "Hello"}, "end": {"why": "stop", "counts": {"in": 20, "out": 3}}},
}
UNCOUNTED = ("mistral", "cohere-command", "cohere-command-r", "deepseek")  # Bedrock's headers count for these bodies
EMBEDDINGS = {
    "titan-embedding": {
        "embedding": [0.1, -0.2],
        "embeddingsByType": {"float": [0.1, -0.2]},
        "inputTextTokenCount": 20,
    },
    "cohere-embedding": {"embeddings": [[0.1, -0.2]], "id": "1", "response_type": "embeddings_floats", "texts": ["x"]},
    "nova-embedding": {"embeddings": [{"embeddingType": "TEXT", "embedding": [0.1, -0.2]}]},
    "marengo-embedding": {"data": [{"embedding": [0.1, -0.2]}]},
    "hf-embedding": [[[0.1, -0.2], [0.3, 0.4]]],
}
