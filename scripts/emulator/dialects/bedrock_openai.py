"""Bedrock's OpenAI route: chat completions whose reasoning stands in tags before the text, as on InvokeModel."""

from scripts.emulator.dialects import Piece, openai_chat
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought

STREAM_TYPE = openai_chat.STREAM_TYPE
read, closing = openai_chat.read, openai_chat.closing
finish, ending, usage = openai_chat.finish, openai_chat.ending, openai_chat.usage


def whole(a) -> dict:
    text = f"<reasoning>{thought(a)}</reasoning>{said(a)}" if thought(a) else said(a)
    return openai_chat.answer(a, openai_chat.message(a, text))


def _tag(a, tag: str) -> Piece:
    return openai_chat.text_event("start", a, "content", tag)


def opening(a) -> list[Piece]:
    return [*openai_chat.opening(a), *([_tag(a, "<reasoning>")] if a.reasoning_tokens else [])]


def delta(a, text: str, token_id: int) -> list[Piece]:
    tag = [_tag(a, "</reasoning>")] if first_said(a) else []
    if a.call.tools and not thinks(a):
        return [*tag, *openai_chat.delta(a, text, token_id)]
    return [*tag, openai_chat.text_event("delta", a, "content", text)]
