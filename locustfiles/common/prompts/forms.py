"""In which API's form messages are written: what all chats take goes to each in its own form, the rest to one API alone.

The forms are Converse's (Nova's bodies are the same), Anthropic's Messages, OpenAI's chat, and the items of OpenAI's Responses.
"""

import typing

Form = typing.Literal["converse", "anthropic", "openai", "responses"]
ALL: frozenset[Form] = frozenset(typing.get_args(Form))
NAMES: dict[Form, str] = {
    "converse": "Converse",
    "anthropic": "Anthropic's Messages",
    "openai": "OpenAI's chat",
    "responses": "OpenAI's Responses",
}
#: what parts with a `type` are called in each; a plain text and an image in a data URL are taken by all
PARTS: dict[Form, frozenset[str]] = {
    "anthropic": frozenset(
        "text image document search_result thinking redacted_thinking tool_use tool_result server_tool_use mcp_tool_use "
        "mcp_tool_result web_search_tool_result web_fetch_tool_result code_execution_tool_result "
        "bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result tool_reference "
        "container_upload".split()
    ),
    "openai": frozenset("text image_url input_audio audio_url video_url file refusal".split()),
    "responses": frozenset("input_text input_image input_file input_audio output_text refusal".split()),
}
#: keys of a message beside `role` and `content`
_KEYS: dict[Form, frozenset[str]] = {
    "openai": frozenset(
        "name tool_calls tool_call_id refusal audio function_call annotations reasoning_content reasoning".split()
    ),
    "responses": frozenset("type id status phase".split()),
}
OWN_KEYS = frozenset(key for keys in _KEYS.values() for key in keys)
_ROLES: dict[str, frozenset[Form]] = {
    "tool": frozenset(("openai",)),
    "function": frozenset(("openai",)),
    "developer": frozenset(("openai", "responses")),
}
_CONVERSE: frozenset[Form] = frozenset(("converse",))
_RESPONSES: frozenset[Form] = frozenset(("responses",))


def forms_of(messages: list[dict] | None) -> frozenset[Form]:
    """The forms in which all of these messages can be sent; empty where they are in several that exclude each other."""
    found = ALL
    for _, forms in narrowed(messages or ()):
        found &= forms
    return found


def narrowed(messages: typing.Iterable[dict]) -> typing.Iterator[tuple[str, frozenset[Form]]]:
    """(place, forms) of every message and part that not all take: `messages[1].content[0]`, and who takes it."""
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if (forms := _message(message)) is not ALL:
            yield where, forms
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if (forms := of_part(part)) is not ALL:
                yield f"{where}.content[{place}]", forms


def _message(message: dict) -> frozenset[Form]:
    if "role" not in message:
        return _RESPONSES
    forms = _ROLES.get(message["role"], ALL)
    for form, keys in _KEYS.items():
        if not keys.isdisjoint(message):
            forms &= frozenset((form,))
    return forms


def of_part(part: dict) -> frozenset[Form]:
    """Who takes a part of a content. Converse's blocks have no type, and one key that says what they are."""
    kind = part.get("type")
    if kind is None:
        return ALL if part.keys() == {"cachePoint"} else _CONVERSE
    if kind == "text" and len(part) == 2:
        return ALL
    if (
        kind == "image_url"
        and len(part) == 2
        and isinstance(holder := part.get(kind), dict)
        and holder.keys() == {"url"}
    ):
        return ALL
    return frozenset(form for form, kinds in PARTS.items() if kind in kinds)


def named(forms: typing.Iterable[Form]) -> str:
    return " or ".join(NAMES[form] for form in typing.get_args(Form) if form in forms)
