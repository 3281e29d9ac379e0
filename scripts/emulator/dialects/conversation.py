"""What Bedrock refuses in a conversation: who speaks first, whose turn it is, blank texts, tools used and not answered."""

from scripts.emulator import service_model
from scripts.emulator.dialects import NUMBER, want
from scripts.emulator.dialects.content_limits import check_contents
from scripts.emulator.errors import BadBody, refused

_STARTS = (
    "A conversation must start with a user message. Try again with a conversation that starts with a user message."
)
_TURNS = (
    "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between "
    "user and assistant roles and try again."
)
_TOOLS = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def check(body: dict) -> None:
    """Of Converse: its shapes, then its turns. Raises BadBody, AwsError."""
    service_model.check("Converse", body)
    check_turns(body)
    check_contents(body["messages"])


def check_turns(body: dict) -> None:
    """Of Converse's messages, and Nova's. Raises BadBody, AwsError."""
    messages = [m for m in _messages(body) if m.get("role") != "system"]
    if not messages or messages[0].get("role") != "user":
        raise refused(_STARTS)
    for i, block in enumerate(want(body, "system", list, [])):
        if isinstance(block, dict) and isinstance(block.get("text"), str) and not block["text"].strip():
            raise refused(_blank("SystemContentBlock", f"system.{i}"))
    for i, message in enumerate(messages):
        _check_blocks(message, f"messages.{i}")
        if i and message.get("role") == messages[i - 1].get("role"):
            raise refused(_TURNS)
    _check_tools(messages, bool(body.get("toolConfig")))


def _messages(body: dict) -> list[dict]:
    messages = want(body, "messages", list, [])
    if not all(isinstance(m, dict) for m in messages):
        raise BadBody("#/messages: expected type: JSONObject")
    return messages


def _blank(shape: str, place: str) -> str:
    return f"The text field in the {shape} object at {place} is blank. Add text to the text field, and try again."


def _check_blocks(message: dict, place: str) -> None:
    blocks = want(message, "content", list, [])
    if not blocks:
        raise refused(
            f"The content field in the Message object at {place} is empty. Add a ContentBlock object to the content "
            "field and try again."
        )
    for i, block in enumerate(blocks):
        if isinstance(block, dict) and isinstance(block.get("text"), str) and not block["text"].strip():
            raise refused(_blank("ContentBlock", f"{place}.content.{i}"))


def _ids(message: dict, key: str) -> list[str]:
    inner = [b[key] for b in message["content"] if isinstance(b, dict) and isinstance(b.get(key), dict)]
    return [str(b.get("toolUseId")) for b in inner if not b.get("type")]  # a server's tool answers itself


def _check_tools(messages: list[dict], configured: bool) -> None:
    """Each use is answered in the next message, and nothing else is answered there."""
    asked: list[str] = []
    used = False
    for i, message in enumerate(messages):
        answered = _ids(message, "toolResult")
        used = used or bool(answered)
        missing = [one for one in asked if one not in answered]
        if missing:
            raise refused(
                f"Expected toolResult blocks at messages.{i}.content for the following Ids: {', '.join(missing)}"
            )
        if len(answered) > len(asked) or set(answered) - set(asked):
            raise refused(
                f"The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        asked = _ids(message, "toolUse") if message.get("role") == "assistant" else []
        used = used or bool(asked)
    if asked:
        raise refused(
            f"Expected toolResult blocks at messages.{len(messages)}.content for the following Ids: {', '.join(asked)}"
        )
    if used and not configured:
        raise refused(_TOOLS)


# --- Claude's Messages, in Anthropic's words ---


def check_claude(body: dict) -> None:
    """Raises BadBody, AwsError."""
    messages = _messages(body)
    if not messages:
        raise refused("messages: at least one message is required")
    if messages[0].get("role") != "user":
        raise refused('messages: first message must use the "user" role')
    for key in ("temperature", "top_p"):
        value = want(body, key, NUMBER)
        if value is not None and not 0 <= value <= 1:
            raise BadBody(f"#/{key}: {value} is not {'less or equal to 1' if value > 1 else 'greater or equal to 0'}")
    _check_texts(body.get("system"), "system")
    for i, message in enumerate(messages):
        last = i == len(messages) - 1 and message.get("role") == "assistant"
        if not message.get("content") and not last:
            raise refused(
                f"messages.{i}: all messages must have non-empty content except for the optional final assistant message"
            )
        if message.get("content"):
            _check_texts(message["content"], "messages")
        _check_images(message.get("content"), i)
    _check_end(messages[-1])
    _check_claude_tools(messages)


def _check_texts(content, place: str) -> None:
    for text in _texts(content):
        if not text:
            raise refused(f"{place}: text content blocks must be non-empty")
        if not text.strip():
            raise refused(f"{place}: text content blocks must contain non-whitespace text")


def _texts(content) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else ()
    return [b["text"] for b in blocks if isinstance(b, dict) and isinstance(b.get("text"), str)]


def _check_images(content, i: int) -> None:
    for j, block in enumerate(content if isinstance(content, list) else ()):
        source = block.get("source") if isinstance(block, dict) and block.get("type") == "image" else None
        if isinstance(source, dict) and source.get("type") == "base64" and source.get("media_type") not in _IMAGES:
            raise refused(
                f"messages.{i}.content.{j}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', "
                "'image/gif' or 'image/webp'"
            )


def _check_end(message: dict) -> None:
    texts = _texts(message.get("content"))
    if message.get("role") == "assistant" and texts and texts[-1] != texts[-1].rstrip():
        raise refused("messages: final assistant content cannot end with trailing whitespace")


def _claude_ids(message: dict, kind: str, key: str) -> list[str]:
    content = message.get("content")
    blocks = content if isinstance(content, list) else ()
    return [str(b.get(key)) for b in blocks if isinstance(b, dict) and b.get("type") == kind]


def _check_claude_tools(messages: list[dict]) -> None:
    asked: list[str] = []
    for i, message in enumerate([*messages, {}]):
        answered = _claude_ids(message, "tool_result", "tool_use_id")
        if missing := [one for one in asked if one not in answered]:
            raise refused(
                f"messages.{i - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
                "message."
            )
        if stray := [one for one in answered if one not in asked]:
            raise refused(
                f"messages.{i}.content: unexpected `tool_use_id` found in `tool_result` blocks: {stray[0]}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        asked = _claude_ids(message, "tool_use", "id")
