"""One request and its answer, in whatever version of HTTP: what a service is given, and what it answers with."""

import email.utils
import functools
import time
import typing
import urllib.parse

MAX_BODY_BYTES = 26_000_000
Headers = list[tuple[str, str]]


class Request:
    """One request as received. `headers` has lower-case names; `arrived` is when its last byte was read. Raises ValueError
    where the URL is none."""

    __slots__ = ("arrived", "body", "headers", "method", "query", "raw_path")

    def __init__(self, method: str, url: str, headers: dict[str, str], body: bytes, arrived: float):
        parts = urllib.parse.urlsplit(url)
        self.method, self.raw_path, self.query = method, parts.path, parts.query
        self.headers, self.body, self.arrived = headers, body, arrived

    def again(self, body: bytes, arrived: float) -> "Request":
        """One with the same head."""
        other = object.__new__(Request)
        other.method, other.raw_path, other.query, other.headers = self.method, self.raw_path, self.query, self.headers
        other.body, other.arrived = body, arrived
        return other


class Exchange(typing.Protocol):
    """How an answer is written: with `respond`, or `start_chunked`, `chunk` and `finish`, or broken off by `drop` at any
    time. http1.Connection and http2.Stream are both."""

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer in one write."""

    def respond_cut(self, status: int, headers: Headers, body: bytes, sent: int, reset: bool) -> None:
        """An answer that announces its whole length and breaks off after `sent` bytes of it."""

    def start_chunked(self, status: int, headers: Headers) -> None:
        """The head of an answer that comes in chunks; it leaves with the first."""

    def chunk(self, data: bytes) -> None:
        """A part of the body, sent at once unless corked."""

    def cork(self) -> None:
        """Collect chunks until `uncork`, the end of the answer or of the connection: they leave in one write."""

    def uncork(self) -> None:
        """Send what was collected."""

    def finish(self) -> None:
        """The end of an answer in chunks."""

    def drop(self, reset: bool = False) -> None:
        """Break off: gently, or with RST if `reset`."""


def date_header() -> tuple[str, str]:
    """`Date`, whose value is made once a second."""
    return "Date", _http_date(int(time.time()))


@functools.lru_cache(maxsize=1)
def _http_date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)
