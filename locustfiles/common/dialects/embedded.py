"""What an embedding is of: a line's text, images, sound and video, each as a piece that its model's API has a place for.

A line has them in one user's message: images as all chats have them, the others as Converse's blocks, whose sources are
base64 or an object in S3.
"""

import typing

from locustfiles.common.prompts.images import image_in
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.scenario.targets import Target

Kind = typing.Literal["text", "image", "audio", "video"]
_CONVERSE: tuple[Kind, ...] = ("image", "audio", "video")
_NAMED: dict[Kind, str] = {"text": "texts", "image": "images", "audio": "sound", "video": "video"}


class Piece(typing.NamedTuple):
    """Text alone, or a source: base64, or Converse's `s3Location`."""

    kind: Kind
    text: str = ""
    format: str = ""  # as Converse names it: png, mp3, three_gp, …
    base64: str | None = None
    s3: dict[str, str] | None = None  # uri, and bucketOwner where it is given

    @property
    def url(self) -> str:
        return f"data:image/{self.format};base64,{self.base64}"


def pieces_of(target: Target, prompt: Prompt, *kinds: Kind) -> list[Piece]:
    """Of a line, in their order; none is of another kind. Raises BadPayload."""
    if prompt.messages is None:
        return [Piece("text", prompt.text or "")]
    if len(prompt.messages) != 1:
        raise _bad(target, prompt, f"has {len(prompt.messages)} messages, and an embedding is of one; keep the user's")
    content = prompt.messages[0].get("content")
    parts = [{"text": content}] if isinstance(content, str) else typing.cast("list[dict]", content or [])
    found = [_piece(part) for part in parts]
    for place, piece in enumerate(found):
        if piece is None or piece.kind not in kinds:
            what = next(iter(parts[place].keys() - {"type"}), "nothing") if piece is None else piece.kind
            taken = " and ".join(_NAMED[kind] for kind in kinds)
            where = f"has `{what}` (`messages[0].content[{place}]`), and this model embeds {taken}; remove it"
            raise _bad(target, prompt, where)
    return [piece for piece in found if piece is not None]


def alone(target: Target, prompt: Prompt, pieces: list[Piece], *kinds: Kind) -> None:
    """That there is one of a kind at most. Raises BadPayload."""
    for kind in kinds:
        if (count := sum(piece.kind == kind for piece in pieces)) > 1:
            raise _bad(
                target, prompt, f"has {count} {kind}s, of which this model embeds one with a call; make lines of them"
            )


def inline(target: Target, prompt: Prompt, pieces: list[Piece]) -> None:
    """That nothing of it is in S3. Raises BadPayload."""
    if any(piece.s3 for piece in pieces):
        raise _bad(target, prompt, "has an `s3Location`, which this model does not read; write the bytes as base64")


def bad_form(target: Target, prompt: Prompt, piece: Piece, formats: typing.Iterable[str]) -> BadPayload:
    """Of a format that the model has no word for."""
    return _bad(
        target, prompt, f"has {piece.kind} of format {piece.format}; the model takes {', '.join(formats)}; convert it"
    )


def mixed_up(target: Target, prompt: Prompt, what: str) -> BadPayload:
    return _bad(target, prompt, what)


def images_of(prompt: Prompt) -> int:
    """How many images an embedding's line has."""
    contents = (message.get("content") for message in prompt.messages or ())
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return sum(part.get("type") == "image_url" or "image" in part for part in parts)


def _piece(part: dict) -> Piece | None:
    """None of what is neither text nor one of the media."""
    if part.get("type") in (None, "text") and isinstance(part.get("text"), str):
        return Piece("text", part["text"])
    if image := image_in(part):
        return Piece("image", format=image.format, base64=image.base64)
    kind = next((kind for kind in _CONVERSE if part.keys() == {kind}), None)
    if kind is None:
        return None
    block = part[kind]
    return Piece(
        kind, format=block["format"], base64=block["source"].get("bytes"), s3=block["source"].get("s3Location")
    )


def _bad(target: Target, prompt: Prompt, what: str) -> BadPayload:
    return BadPayload(f"target `{target.name}`: prompt `{prompt.id}` {what}")
