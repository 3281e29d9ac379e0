"""Cohere Command R's chat bodies of InvokeModel."""

from scripts.emulator.dialects import Call, Piece, bedrock_command, chunk, invocation_metrics, want

_DEFAULT_MAX_TOKENS = 4000


def read(body: dict) -> Call:
    call = bedrock_command.call(body, "message", _DEFAULT_MAX_TOKENS)
    history = [m["message"] for m in want(body, "chat_history", list, [])]
    call.prompt = "\n".join([t for t in (body.get("preamble"),) if t] + [*history, call.prompt])
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
