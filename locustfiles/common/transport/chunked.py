"""Chunks of an answer (RFC 9112, 7.1) that come whole, as nearly all of a stream's do: taken apart without the parser."""

import re

_PLAIN = re.compile(rb"[0-9A-Fa-f]{1,6}")  # extensions, blanks and what is no size are the parser's to judge
_sizes: dict[bytes, int] = {}  # as they are written: int() takes more than HTTP does
_KEPT = 4096


def whole_chunks(data: bytes) -> bytes | None:
    """The body of what is nothing but whole chunks, each with something in it; None of anything else."""
    cut = data.find(b"\r\n", 0, 8)
    size = _sizes.get(data[:cut]) or _size(data[:cut]) if cut > 0 else 0
    end = cut + 2 + size
    if not size or not data.endswith(b"\r\n") or end + 2 > len(data):
        return None
    return data[cut + 2 : end] if end + 2 == len(data) else _several(data)


def _several(data: bytes) -> bytes | None:
    bodies, at = [], 0
    while at < len(data):
        cut = data.find(b"\r\n", at, at + 8)
        size = _size(data[at:cut]) if cut > 0 else 0
        at = cut + 2 + size + 2
        if not size or data[at - 2 : at] != b"\r\n":
            return None
        bodies.append(data[cut + 2 : at - 2])
    return b"".join(bodies)


def _size(text: bytes) -> int:
    """0 of the last chunk, and of what is none."""
    if not _PLAIN.fullmatch(text):
        return 0
    size = int(text, 16)
    if size and len(_sizes) < _KEPT:
        _sizes[text] = size
    return size
