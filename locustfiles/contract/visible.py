"""Characters that nobody sees but terminals, browsers and editors obey: what they are is written out in their place.

Terminals take ESC for a command, a right-to-left override shows a name backwards, half a surrogate pair is in no file.
"""

import re
import typing

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"  # all but tab and newline
)
_IN_UTF8 = re.compile(
    rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASCII = bytes([9, 10, *range(32, 127)])


def visible(text: str) -> str:
    """`\\x1b` for ESC; line breaks are newlines."""
    return _HIDDEN.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))


def hides(data: bytes) -> bool:
    """Whether UTF-8 text has any of them. Quick where it has none."""
    return _IN_UTF8.search(data.translate(None, _ASCII)) is not None


def storable(value: typing.Any) -> typing.Any:
    """A JSON value that a file can hold: half a surrogate pair is written out."""
    return _each(value, lambda text: _SURROGATE.sub(lambda found: ascii(found[0])[1:-1], text))


def visible_lines(value: typing.Any) -> typing.Any:
    """A JSON value whose texts, keys included, are one visible line each."""
    return _each(value, lambda text: " ".join(visible(text).splitlines()))


def _each(value: typing.Any, change: typing.Callable[[str], str]) -> typing.Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return {_each(key, change): _each(item, change) for key, item in value.items()}
    return value
