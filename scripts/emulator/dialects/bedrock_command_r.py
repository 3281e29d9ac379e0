"""Cohere Command R's chat bodies of InvokeModel."""

from scripts.emulator.dialects import Call, Piece, bedrock_command, chunk, want
from scripts.emulator.dialects.billed import invocation_metrics
from scripts.emulator.errors import BadBody

_DEFAULT_MAX_TOKENS = 4000


def read(body: dict) -> Call:
    call = bedrock_command.call(body, "message", _DEFAULT_MAX_TOKENS)
    history = want(body, "chat_history", list, [])
    if not all(isinstance(m, dict) for m in history):
        raise BadBody("#/chat_history: expected type: JSONObject")
    preamble = want(body, "preamble", str, "")
    told = [{"role": "system", "content": preamble}] if preamble else []
    for m in (*history, {"role": "USER", "message": call.prompt}):
        role = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system"}.get(want(m, "role", str, required=True))
        if role is None:
            raise BadBody(f"#/chat_history: {m['role']} is not a valid enum value")
        told.append({"role": role, "content": want(m, "message", str, required=True)})
    call.messages, call.prompt = told, "\n".join(m["content"] for m in told)
    return call


def whole(a) -> dict:
    return {
        "response_id": a.request_id,
        "text": a.text(),
        "generation_id": a.request_id,
        "chat_history": [{"role": "CHATBOT", "message": a.text()}],
        "finish_reason": bedrock_command.STOP[a.stop],
    }


def opening(a) -> list[Piece]:
    return [chunk("start", {"event_type": "stream-start", "generation_id": a.request_id, "is_finished": False})]


def delta(a, text: str, token_id: int) -> list[Piece]:
    return [chunk("delta", {"event_type": "text-generation", "text": text, "is_finished": False})]


def closing(a) -> list[Piece]:
    end = {"event_type": "stream-end", "finish_reason": bedrock_command.STOP[a.stop], "is_finished": True}
    return [chunk("close", {**end, "response": whole(a), **invocation_metrics(a)})]
