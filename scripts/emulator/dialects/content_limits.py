"""How many images and documents a message of Converse may have, how large they may be, and what a document may be called.

By botocore's description of Message and DocumentBlock; the words are the service's own, as users have reported them, but where a
limit has none reported.
"""

import base64
import re
import struct

from scripts.emulator.errors import refused

_IMAGES, _DOCUMENTS = 20, 5  # of a message
_IMAGE_BASE64_BYTES = 5 * 2**20  # 3.75 MB as they are sent
_DOCUMENT_BYTES = 4_718_592  # 4.5 MB
_POINTS = 8000  # of an image's width and height
_NAME = re.compile(r"(?!.*  )[A-Za-z0-9 ()\[\]_-]+")  # an underscore is taken, though no text of the service says so
_BAD_NAME = (
    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. "
    "The name can't contain more than one consecutive whitespace character. Check that the file name conforms to these restrictions and "
    "retry your request."
)
_NO_TEXT = "A text block must be included when using documents. Add a text block and retry your request."
_NOT_A_USERS = "Images and documents can only be included if the role is user. Update the message and try again."
_NO_PDF = "The detected filetype is PLAIN_TEXT, but the provided filetype was PDF."
_MODELS = "The model returned the following errors: "


def check_contents(messages: list[dict]) -> None:
    """Raises AwsError."""
    for number, message in enumerate(messages):
        blocks = [block for block in message.get("content") or () if isinstance(block, dict)]
        images = [(i, b["image"]) for i, b in enumerate(blocks) if isinstance(b.get("image"), dict)]
        documents = [(i, b["document"]) for i, b in enumerate(blocks) if isinstance(b.get("document"), dict)]
        if not images and not documents:
            continue
        if message.get("role") != "user":
            raise refused(_NOT_A_USERS)
        if documents and not any(isinstance(block.get("text"), str) for block in blocks):
            raise refused(_NO_TEXT)
        if len(images) > _IMAGES:
            raise refused(
                f"{_MODELS}messages.{number}: too many images and documents: {len(images)} + {len(documents)} > {_IMAGES}"
            )
        if len(documents) > _DOCUMENTS:
            raise refused(f"{_MODELS}messages.{number}: too many documents: {len(documents)} > {_DOCUMENTS}")
        for i, image in images:
            _image(image, f"messages.{number}.content.{i}.image.source.bytes")
        for i, document in documents:
            _document(document, f"messages.{number}.content.{i}.document.source.bytes")


def _image(image: dict, place: str) -> None:
    text = _inline(image)
    if len(text) > _IMAGE_BASE64_BYTES:
        raise refused(f"{_MODELS}{place}: image exceeds 5 MB maximum: {len(text)} bytes > {_IMAGE_BASE64_BYTES} bytes")
    if max(_sides(text)) > _POINTS:
        raise refused(
            f"{_MODELS}{place}: At least one of the image dimensions exceed max allowed size: {_POINTS} pixels"
        )


def _document(document: dict, place: str) -> None:
    text = _inline(document)
    if not _NAME.fullmatch(str(document.get("name"))):
        raise refused(_BAD_NAME)
    size = len(text.rstrip("=")) * 3 // 4
    if size > _DOCUMENT_BYTES:
        raise refused(f"{_MODELS}{place}: document exceeds 4.5 MB maximum: {size} bytes > {_DOCUMENT_BYTES} bytes")
    if text and document.get("format") == "pdf" and not _begin(text).startswith(b"%PDF"):
        raise refused(_NO_PDF)


def _inline(block: dict) -> str:
    """Its base64; empty of what is in S3, or text."""
    source = block.get("source")
    data = source.get("bytes") if isinstance(source, dict) else None
    return data if isinstance(data, str) else ""


def _sides(text: str) -> tuple[int, int]:
    """Width and height, where the first bytes tell: of PNG and GIF."""
    data = _begin(text)
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if data.startswith(b"GIF8") and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    return 0, 0


def _begin(text: str) -> bytes:
    """The first bytes of base64; none of what is no such text, which is told elsewhere."""
    try:
        return base64.b64decode(text[:64], validate=True)
    except ValueError:
        return b""
