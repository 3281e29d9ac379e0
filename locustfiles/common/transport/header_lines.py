"""Header lines: a value with a line break would begin another header, so none is written."""

import re
import typing

_UNSAFE = re.compile(r"[^\t\x20-\x7e\x80-\uffff]")  # control characters


class UnsafeHeader(ValueError):
    """A header that would be more than one line; its text names it and never repeats its value."""


def check(headers: typing.Mapping[str, str | bytes]) -> None:
    """Raises UnsafeHeader."""
    for name, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if _UNSAFE.search(text) or _UNSAFE.search(name) or ":" in name or " " in name:
            raise UnsafeHeader(
                f"header {_UNSAFE.sub('?', name)}: its value holds a line break or another control character; "
                "check the key, token or setting that it is made from"
            )
