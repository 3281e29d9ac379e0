"""Converse's documented limits on images and documents, by an unmodified boto3: what is just in is answered, what is out refused."""

import boto3
import botocore.config
import botocore.exceptions
import pytest

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers import bodies
from tests.helpers.contents import PDF_BYTES, PNG_BYTES

TEXT = {"text": "What is it?"}


def picture(data: bytes = PNG_BYTES) -> dict:
    return {"image": {"format": "png", "source": {"bytes": data}}}


def sized(width: int, height: int) -> bytes:
    return PNG_BYTES[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PNG_BYTES[24:]


def document(name: str = "report", data: bytes = PDF_BYTES) -> dict:
    return {"document": {"format": "pdf", "name": name, "source": {"bytes": data}}}


def grown(data: bytes, size: int) -> bytes:
    return data + b"0" * (size - len(data))


@pytest.fixture(scope="module")
def ask(emulator):
    keys = {"aws_access_key_id": EXAMPLE_ACCESS_KEY, "aws_secret_access_key": EXAMPLE_SECRET_KEY}
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    client = boto3.client("bedrock-runtime", "us-east-1", endpoint_url=emulator.url, config=once, **keys)

    def asked(*messages: tuple[str, list[dict]]) -> str:
        """What is said of a request; empty if it is answered."""
        told = [{"role": role, "content": content} for role, content in messages]
        try:
            client.converse(modelId=bodies.NOVA, messages=told, inferenceConfig={"maxTokens": 1})
        except botocore.exceptions.ClientError as e:
            assert (e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]) == (
                "ValidationException",
                400,
            )
            return e.response["Error"]["Message"]
        return ""

    return asked


def test_what_is_just_within_is_answered(ask):
    named = [document(name) for name in ("report", "a (1) [x] - b", "under_scored", "1", "x" * 200)]
    assert ask(("user", [TEXT, *[picture(sized(8000, 1))] * 20, *named])) == ""
    # 3.75 MB as base64 are 5 MB; 4.5 MB
    assert ask(("user", [TEXT, picture(grown(PNG_BYTES, 3_932_160)), document(data=grown(PDF_BYTES, 4_718_592))])) == ""


#: what is sent -> what is said
REFUSED = {
    "21 images": ([TEXT, *[picture()] * 21], "messages.0: too many images and documents: 21 + 0 > 20"),
    "six documents": ([TEXT, *[document()] * 6], "messages.0: too many documents: 6 > 5"),
    "a large image": (
        [TEXT, picture(grown(PNG_BYTES, 3_932_161))],
        "messages.0.content.1.image.source.bytes: image exceeds 5 MB maximum: 5242884 bytes > 5242880 bytes",
    ),
    "a wide image": ([picture(sized(8001, 1))], "image dimensions exceed max allowed size: 8000 pixels"),
    "a large document": ([TEXT, document(data=grown(PDF_BYTES, 4_718_593))], "document exceeds 4.5 MB maximum: 4718593 bytes"),
    "no text": ([document()], "A text block must be included when using documents."),
    "a dot in a name": ([TEXT, document("report.pdf")], "The document file name can only contain alphanumeric characters"),
    "two blanks": ([TEXT, document("a  b")], "can't contain more than one consecutive whitespace character"),
    "a wide blank": ([TEXT, document("a\u3000b")], "The document file name can only contain"),
    "no PDF": ([TEXT, document(data=b"plain")], "The detected filetype is PLAIN_TEXT, but the provided filetype was PDF."),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_beyond_is_refused(ask, what):
    content, said = REFUSED[what]
    assert said in ask(("user", content))


def test_an_assistant_shows_no_images(ask):
    messages = [("user", [TEXT]), ("assistant", [picture()]), ("user", [TEXT])]
    assert "only be included if the role is user" in ask(*messages)
