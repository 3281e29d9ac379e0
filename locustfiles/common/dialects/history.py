"""What was said so far in a conversation, in the words of its target's dialect, and where it stands in a request's body.

| dialect | where | an answer with calls of tools | their results |
|---|---|---|---|
| converse, nova | messages | content blocks `toolUse` | a user's message of `toolResult` blocks |
| claude, anthropic-messages | messages | content blocks `tool_use` | a user's message of `tool_result` blocks |
| openai-chat, mistral-chat, chat-completions | messages | `tool_calls` | a message of role `tool` each |
| openai-responses | input | an item `function_call` each | an item `function_call_output` each |
| cohere-command-r, raw | among the prompt's messages, of which the body is made | – | – |
"""

import dataclasses
import json
import typing

from locustfiles.common.prompts.payloads import Prompt

PLACES: dict[str, str] = {
    "converse": "messages",
    "nova": "messages",
    "claude": "messages",
    "anthropic-messages": "messages",
    "openai-chat": "messages",
    "mistral-chat": "messages",
    "chat-completions": "messages",
    "openai-responses": "input",
}
#: their bodies are made of all messages, as all chats have them: texts, and no calls of tools
TOLD_BEFORE = ("cohere-command-r", "raw")
CONVERSING = (*PLACES, *TOLD_BEFORE)
_BLOCKS, _CLAUDE = ("converse", "nova"), ("claude", "anthropic-messages")


class ToolCall(typing.NamedTuple):
    """One call of an answer."""

    id: str
    name: str
    input: dict


class History:
    """Of one conversation: the items of its requests, each with all before it."""

    def __init__(self, dialect: str, kept: bool = False) -> None:
        """kept: the service keeps what was said, and is told by `last`, the id of its last answer (Responses)."""
        self.dialect, self.kept = dialect, kept
        self.last: str | None = None
        self._items: list[dict] = []
        self._asked: list[dict] = []  # those of the turn under way
        self._results: list[dict] = []  # of the tools that the last answer called: the next turn

    def placed(self, document: dict) -> dict:
        """A body whose own message is the turn's, with all that was said before it, unless it was made of that."""
        if self.dialect not in PLACES:
            return document
        place = PLACES[self.dialect]
        items: list[dict] = document[place]
        head = 1 if items[0].get("role") == "system" else 0  # a chat's system prompt is its first message
        self._asked = self._results or items[head:]
        before = {"previous_response_id": self.last} if self.last else {}
        return document | {place: [*items[:head], *self._items, *self._asked]} | before

    def before(self, prompt: Prompt) -> Prompt:
        """A turn's prompt with all that was said before it, for a body that is made of all messages."""
        if self.dialect in PLACES:
            return prompt
        lead = prompt.led_by
        self._asked = (prompt.messages or [])[len(lead) :]
        return dataclasses.replace(prompt, messages=[*lead, *self._items, *self._asked])

    def answered(self, items: list[dict]) -> None:
        """The turn is over; items: the answer's."""
        self._items += [] if self.kept else [*self._asked, *items]
        self._asked, self._results = [], []

    def forget(self) -> None:
        """The turn under way failed: it was never said."""
        self._asked, self._results = [], []

    def give(self, results: list[tuple[ToolCall, str]]) -> None:
        """What tools answered is what the next turn sends."""
        self._results = result_items(self.dialect, results)


def text_items(dialect: str, text: str) -> list[dict]:
    """An answer of nothing but text."""
    content: typing.Any = [{"text": text}] if dialect in _BLOCKS else text
    return [{"role": "assistant", "content": content}]


def call_items(dialect: str, text: str | None, calls: list[ToolCall]) -> list[dict]:
    """An answer that calls tools, with text before them or without."""
    if dialect == "openai-responses":
        told = [_function(call) for call in calls]
        items = [{"type": "function_call", "call_id": call.id} | one for call, one in zip(calls, told, strict=True)]
        return (text_items(dialect, text) if text else []) + items
    if dialect in _BLOCKS:
        used = [{"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.input}} for call in calls]
        return [{"role": "assistant", "content": [*([{"text": text}] if text else []), *used]}]
    if dialect in _CLAUDE:
        called = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input} for call in calls]
        return [{"role": "assistant", "content": [*([{"type": "text", "text": text}] if text else []), *called]}]
    functions = [{"id": call.id, "type": "function", "function": _function(call)} for call in calls]
    return [{"role": "assistant", "content": text, "tool_calls": functions}]


def _function(call: ToolCall) -> dict:
    return {"name": call.name, "arguments": json.dumps(call.input, ensure_ascii=False)}


def result_items(dialect: str, results: list[tuple[ToolCall, str]]) -> list[dict]:
    """What tools answered, each with the id of its call."""
    if dialect in _BLOCKS:
        given = [{"toolResult": {"toolUseId": call.id, "content": [{"text": text}]}} for call, text in results]
        return [{"role": "user", "content": given}]
    if dialect in _CLAUDE:
        told = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        return [{"role": "user", "content": told}]
    if dialect == "openai-responses":
        return [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results]
    return [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in results]
