"""Images in a payload: parts as OpenAI's chat has them, `{"type": "image_url", "image_url": {"url": "data:…"}}`.

Only data URLs are taken: what stands elsewhere would be fetched by the service, in a time that is not the model's.
"""

import base64
import binascii
import re
import typing

#: how a file of each kind begins -> its name in Converse, and behind `image/` in a media type
_BEGINS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp"}
_DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64")


class Image(typing.NamedTuple):
    format: str  # jpeg, png, gif or webp, by the file's first bytes
    base64: str

    @property
    def url(self) -> str:
        return f"data:image/{self.format};base64,{self.base64}"

    @property
    def part(self) -> dict:
        return {"type": "image_url", "image_url": {"url": self.url}}


def image_of(text: str, whole: bool = True) -> Image:
    """From a data URL or bare base64; without `whole` only its beginning is looked at. Raises ValueError with what is wrong and
    the remedy."""
    head, comma, behind = text.partition(",")
    data = behind if comma and _DATA_URL.fullmatch(head) else text
    if any(blank in data for blank in " \t\r\n"):  # of megabytes, so looked for first
        data = "".join(data.split())
    try:
        begin = base64.b64decode(data if whole else data[:16], validate=True)[:4]
    except (binascii.Error, ValueError):
        raise ValueError("an image that is not base64; write data:image/png;base64,… with the file's bytes") from None
    for sign, name in _BEGINS.items():
        if begin.startswith(sign):
            return Image(name, data)
    raise ValueError("an image that is neither JPEG, PNG, GIF nor WebP; convert it to one of them")


def image_in(part: dict, whole: bool = False) -> Image | None:
    """The image of a message's part, which all chats take; None of any other part. Raises ValueError.

    whole: whether all of it is looked at, as is done when a payload is read, and not with every request."""
    holder = part.get("image_url")
    if part.get("type") != "image_url" or not isinstance(holder, dict) or not isinstance(holder.get("url"), str):
        return None
    return image_of(holder["url"], whole)
