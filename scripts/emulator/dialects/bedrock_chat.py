"""Chats on InvokeModel: OpenAI's open-weight models, those of many vendors that take the same, and Mistral's of 2024 and 2025, whose
chunks have whole messages.

Reasoning stands in tags before the text, in the streams of other vendors each piece in tags of its own. The last chunk has the reason;
behind Palmyra's comes `[DONE]`.
"""

from scripts.emulator.dialects import NUMBER, Call, Piece, chunk, openai_chat, openai_messages, positive, stops, want
from scripts.emulator.dialects.billed import invocation_metrics, prompt_details
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought
from scripts.emulator.dialects.tools import openai_offer

_STOP = {"length": "length", "stop": "stop", "stop_sequence": "stop", "tool": "tool_calls"}
_DEFAULT_MAX_TOKENS = 512


class Chat:
    """`message`: where a chunk has its text; `stop`: where the reason is; `limit`: the token limit's key; `apart`: whether each
    piece of reasoning has its own tags."""

    def __init__(self, message: str, stop: str, limit: str, apart: bool = False):
        self._message, self._stop, self._limit, self._apart = message, stop, limit, apart

    def read(self, body: dict) -> Call:
        prompt, messages = openai_messages.conversation(body)
        return Call(
            prompt=prompt,
            messages=messages,
            max_tokens=positive(body, self._limit if self._limit in body else "max_tokens", _DEFAULT_MAX_TOKENS),
            temperature=want(body, "temperature", NUMBER),
            top_p=want(body, "top_p", NUMBER),
            stop=stops(body, "stop"),
            offer=openai_offer(body),
            schema=openai_messages.wanted_schema(body, prompt),
        )

    def _body(self, a, kind: str, key: str, message: dict, stop: str | None) -> dict:
        return {
            "id": f"chatcmpl-{a.request_id}",
            "object": kind,
            "created": a.created,
            "model": a.target_name,
            "choices": [{"index": 0, key: message, self._stop: stop}],
        }

    def whole(self, a) -> dict:
        text = f"<reasoning>{thought(a)}</reasoning>{said(a)}" if thought(a) else said(a)
        body = self._body(a, "chat.completion", "message", openai_chat.message(a, text), _STOP[a.stop])
        if a.reports_usage:
            body["usage"] = {
                "prompt_tokens": a.prompt_tokens,
                "completion_tokens": a.completion_tokens,
                "total_tokens": a.prompt_tokens + a.completion_tokens,
                **prompt_details(a),
            }
        return body

    def _chunk(self, a, kind: str, content: str | None, stop: str | None = None, more: dict | None = None) -> Piece:
        message = {} if content is None else {"content": content}
        return chunk(kind, self._body(a, "chat.completion.chunk", self._message, message, stop) | (more or {}))

    def opening(self, a) -> list[Piece]:
        return [self._chunk(a, "start", "<reasoning>")] if a.reasoning_tokens and not self._apart else []

    def delta(self, a, text: str, token_id: int) -> list[Piece]:
        if self._apart and thinks(a):
            return [self._chunk(a, "delta", f"<reasoning>{text}</reasoning>")]
        pieces = [self._chunk(a, "start", "</reasoning>")] if first_said(a) and not self._apart else []
        if a.call.tools and not thinks(a):
            body = self._body(a, "chat.completion.chunk", self._message, openai_chat.call_delta(a, text), None)
            return [*pieces, chunk("delta", body)]
        return [*pieces, self._chunk(a, "delta", text)]

    def closing(self, a) -> list[Piece]:
        last = self._chunk(a, "close", None, _STOP[a.stop], invocation_metrics(a))
        return [last, chunk("usage", "[DONE]")] if "writer.palmyra" in a.target_name else [last]


OPENAI = Chat("delta", "finish_reason", "max_completion_tokens")
MISTRAL = Chat("message", "stop_reason", "max_tokens")
COMPLETIONS = Chat("delta", "finish_reason", "max_tokens", apart=True)
