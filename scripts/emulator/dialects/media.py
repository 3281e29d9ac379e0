"""Images, documents, sound and video in a request: refused where they are no base64 of what they claim, and what they count.

An image counts a token for 750 of its points, as Claude's do, where its header tells how large it is; all else a token for 1024 bytes.
"""

import base64
import binascii
import math
import struct
import typing

from scripts.emulator.errors import refused

_POINTS_A_TOKEN, _BYTES_A_TOKEN = 750, 1024
_BEGINS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp"}
_NOT_MEDIA = ("input", "json", "arguments")  # a tool's


def media_tokens(messages: typing.Any) -> int:
    """What the media of a conversation count. Raises AwsError for one that cannot be read."""
    return sum(_tokens(text, holder, place) for text, holder, place in _encoded(messages, "messages"))


def _encoded(value: typing.Any, place: str) -> typing.Iterator[tuple[str, dict, str]]:
    """(base64, what holds it, where) of all media, in every API's form."""
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _encoded(inner, f"{place}.{number}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                if inner.startswith("data:") and key in ("url", "image_url", "file_data"):
                    yield inner.partition(",")[2], {"type": inner[5:].partition(";")[0]}, f"{place}.{key}"
                elif key in ("bytes", "file_data") or (
                    key == "data" and (value.get("type") == "base64" or "format" in value)
                ):
                    yield inner, value, f"{place}.{key}"
            elif key not in _NOT_MEDIA:
                yield from _encoded(inner, f"{place}.{key}")


def _tokens(text: str, holder: dict, place: str) -> int:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refused(f"{place}: invalid base64 data") from None
    if not data:
        raise refused(f"{place}: the data is empty")
    found = next((name for sign, name in _BEGINS.items() if data.startswith(sign)), None)
    claimed = str(holder.get("media_type", holder.get("type"))).removeprefix("image/")
    if claimed in _BEGINS.values() and claimed != found:
        raise refused(
            f"{place}: the image was specified using the image/{claimed} media type, but does not appear to be one"
        )
    size = _size(data, found)
    return max(1, math.ceil(size / _POINTS_A_TOKEN)) if size else math.ceil(len(data) / _BYTES_A_TOKEN)


def picture_points(data: bytes) -> int | None:
    """Of a PNG or GIF, whose first bytes tell; None of any other."""
    return _size(data, next((name for sign, name in _BEGINS.items() if data.startswith(sign)), None))


def _size(data: bytes, kind: str | None) -> int | None:
    """Points of an image, where the first bytes tell."""
    if kind == "png" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
    elif kind == "gif" and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
    else:
        return None
    return width * height
