"""`messages` of a payload line, and of whoever else brings some, checked in one place.

A message is {"role": …, "content": a text or parts}, as all chats have it, or is written as one API has its own (`forms`).
What an API's own parts hold is checked here, and then sent as it is.
"""

import typing

from locustfiles.common.prompts import shapes
from locustfiles.common.prompts.api_parts import check_item, check_part, check_tool_calls
from locustfiles.common.prompts.forms import ALL, OWN_KEYS, Form, named, narrowed, of_part
from locustfiles.common.prompts.images import image_in
from locustfiles.common.prompts.line_values import text_of

_ROLES = ("system", "user", "assistant", "developer", "tool", "function")
_CACHE_POINTS = [{"cachePoint": {"type": "default"} | ttl} for ttl in ({}, {"ttl": "5m"}, {"ttl": "1h"})]
_TAKES = (
    'takes a text or parts: {"type": "text", "text": "…"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,…"}}, '
    '{"cachePoint": {"type": "default"}}, or an API\'s own'
)


def checked_messages(value: object) -> list[dict]:
    """The messages as they are. Raises ValueError with the place, what is wrong and the remedy."""
    if not isinstance(value, list) or not value:
        raise ValueError('`messages` must be a list such as [{"role": "user", "content": "…"}]')
    for number, message in enumerate(value):
        _message(message, f"messages[{number}]")
    if all(message.get("role") != "user" for message in value):
        raise ValueError("`messages` has no message of role user; add one")
    _one_form(value)
    return value


def _message(message: object, where: str) -> None:
    if not isinstance(message, dict):
        raise ValueError(f"`{where}` must have `role` and `content`; write it as an object")
    if "role" not in message and isinstance(message.get("type"), str):
        check_item(message, where)
        return
    if "role" not in message or not ("content" in message or "tool_calls" in message or "function_call" in message):
        raise ValueError(f"`{where}` must have `role` and `content`; add what is missing")
    if message["role"] not in _ROLES:
        raise ValueError(f"`{where}.role` must be one of {', '.join(_ROLES)}")
    _known_keys(message, where)
    check_tool_calls(message, where)
    content = message.get("content")
    called = message["role"] == "assistant" and (message.get("tool_calls") or message.get("function_call"))
    if (called and content is None) or (content == "" and (called or message["role"] in ("tool", "function"))):
        return  # it called a tool, and said nothing; or the tool had nothing to say
    check_content(content, f"{where}.content")


def _known_keys(message: dict, where: str) -> None:
    unknown = next((key for key in message if key not in ("role", "content") and key not in OWN_KEYS), None)
    if unknown is not None:
        raise ValueError(
            f"`{where}` has an unknown key `{unknown}`; a message has `role` and `content`, and what its API adds"
        )


def check_content(content: object, where: str) -> None:
    """A message's. Raises ValueError with the place, what is wrong and the remedy."""
    if isinstance(content, str):
        text_of(content, where)
        return
    if not isinstance(content, list):
        raise ValueError(f"`{where}` must be a text")
    if not content:
        raise ValueError(f"`{where}` is empty; write the text or remove the message")
    for place, part in enumerate(content):
        _part(part, where, f"{where}[{place}]")


def _part(part: object, content: str, where: str) -> None:
    if not isinstance(part, dict):
        raise ValueError(f"`{content}` {_TAKES}")
    forms = of_part(part)
    if forms is ALL:
        _common(part, content)
    elif forms == {"converse"} and len(part) == 1:
        shapes.check(shapes.member("Converse", "messages", "[]", "content", "[]"), part, where)
        text_of(part.get("text", "…"), f"{where}.text")
    elif forms and "converse" not in forms:
        check_part(part, forms, where)
    else:
        raise ValueError(f"`{content}` {_TAKES}")


def _common(part: dict, content: str) -> None:
    """What all chats take: a text, an image, a cache point."""
    if part.get("type") == "text":
        text_of(part.get("text"), content)
    elif part not in _CACHE_POINTS and not image_in(part, whole=True):
        raise ValueError(f"`{content}` {_TAKES}")


def _one_form(messages: list[dict]) -> None:
    """Raises ValueError where parts of one API stand beside parts of another."""
    left: frozenset[Form] = ALL
    first: tuple[str, typing.Iterable[Form]] = ("", ())
    for where, forms in narrowed(messages):
        if not left & forms:
            raise ValueError(
                f"`{first[0]}` is in the form of {named(first[1])}, `{where}` in that of {named(forms)}; write the line in one form"
            )
        if left & forms != left:
            left, first = left & forms, (where, forms)


def texts_of(content: typing.Any) -> list[str]:
    """The texts of a message's content, those inside its parts too."""
    if isinstance(content, str):
        return [content]
    return list(_texts(content)) if isinstance(content, list | dict) else []


def _texts(value: typing.Any) -> typing.Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            elif key not in ("input", "json"):  # a tool's, which may be anything
                yield from _texts(inner)
