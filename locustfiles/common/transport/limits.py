"""What an answer may be at most. No server of a model comes near; beyond it an answer is broken off and recorded as
`bad_response`, so that neither memory nor the event loop depend on what somebody sends.

| limit | because |
|---|---|
| bytes of an answer, as sent | 128,000 tokens as server-sent events of 400 bytes each are 49 MiB |
| bytes and number of header lines | 100 lines is what boto3 takes, 256 KiB far more than any proxy lets through |
| pieces: reads, frames, lines | 128,000 tokens in three lines each are 384,000 |
| bytes of a line of a stream | a picture in base64 is a few MiB |

A token count above `MAX_TOKENS` is not believed: the longest context of a model is 10 million tokens.
"""

import typing

from gevent.hub import get_hub

from locustfiles.contract.error_classes import ErrorClass, OwnCode

MAX_ANSWER_BYTES = 64 * 2**20
MAX_HEAD_BYTES = 256 * 2**10
MAX_HEADERS = 100
MAX_PIECES = 500_000
MAX_LINE_BYTES = 16 * 2**20
MAX_TOKENS = 20_000_000

KEPT_OF_TOO_LARGE = 2**20  # bytes that are still read of an answer that passed a limit
KEPT_OF_BROKEN = 8 * 2**20  # and of one that broke, or that its deadline ended
ON_THE_LOOP = 2**20  # bytes: a larger answer is read beside the event loop, which would stand still meanwhile

T = typing.TypeVar("T")


class Broken(Exception):
    """Why an exchange failed: its class and a sentence; a code of ours where there is one."""

    def __init__(self, error: ErrorClass, message: str, code: str | None = None) -> None:
        self.error, self.message, self.code = error, message, code


def left_on_purpose() -> Broken:
    """The client did not wait for the answer's end, as the scenario asks."""
    return Broken(ErrorClass.CANCELLED, "the client left on purpose, as `cancel` asks", OwnCode.CLIENT_CANCELLED)


def too_large(what: str) -> Broken:
    """The answer passed a limit."""
    return Broken(
        ErrorClass.BAD_RESPONSE,
        f"{what}; broken off there: check what answers at this address",
        OwnCode.ANSWER_TOO_LARGE,
    )


def too_many_bytes() -> Broken:
    return too_large(f"the answer is longer than {MAX_ANSWER_BYTES >> 20} MiB")


def too_many_pieces() -> Broken:
    return too_large(f"the answer came in more than {MAX_PIECES:,} pieces")


def too_many_headers() -> Broken:
    return too_large(
        f"the answer has more than {MAX_HEADERS} header lines, or lines of more than {MAX_HEAD_BYTES >> 10} KiB"
    )


def unreadable_lines(blob: bytes) -> str | None:
    """Why the lines of a stream are not to be read, or None."""
    if len(blob) > MAX_PIECES and blob.count(b"\n") > MAX_PIECES:
        return f"the stream has more than {MAX_PIECES:,} lines"
    if len(blob) > MAX_LINE_BYTES and max(map(len, blob.split(b"\n"))) > MAX_LINE_BYTES:
        return f"a line of the stream is longer than {MAX_LINE_BYTES >> 20} MiB"
    return None


def beside_the_loop(size: int, read: typing.Callable[..., T], *args: typing.Any) -> T:
    """`read(*args)`, of a large answer in a thread, so that other answers are stamped meanwhile."""
    if size <= ON_THE_LOOP:
        return read(*args)
    return get_hub().threadpool.apply(read, args)
