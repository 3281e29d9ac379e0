"""HTTP/1.1 on one socket: keep-alive, one request at a time, whole or chunked answers, written as they come."""

import collections
import email.utils
import functools
import http
import time
import urllib.parse

import httptools

MAX_BODY_BYTES = 26_000_000
_REASONS = {s.value: s.phrase for s in http.HTTPStatus} | {530: "Internal Dependency Failure"}


class Request:
    """One request as received. `headers` has lower-case names; `arrived` is when its last byte was read."""

    __slots__ = ("arrived", "body", "headers", "keep_alive", "method", "query", "raw_path")

    def __init__(self, method, url, headers, body, arrived, keep_alive):
        parts = urllib.parse.urlsplit(url)
        self.method, self.raw_path, self.query = method, parts.path, parts.query
        self.headers, self.body, self.arrived, self.keep_alive = headers, body, arrived, keep_alive


class Connection:
    """`serve(request, connection)` is called for each request and must end in `respond`, `finish` or `drop`;
    what it returns has `disconnected(reason)`, which is called when the client leaves first."""

    def __init__(self, serve, connections: set):
        self._serve = serve
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._queue: collections.deque[Request] = collections.deque()
        self._busy = False
        self._current = None
        self._close_after = False
        self._unsent: list[bytes] = []  # the head of a stream, and what is corked
        self._corked = False
        self._now = 0.0

    # --- from the transport

    def connection_made(self, transport):
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc):
        self._connections.discard(self)
        current, self._current = self._current, None
        if current is not None:
            current.disconnected("client disconnected")

    def data_received(self, data):
        self._now = time.perf_counter()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self._transport.close()

    # --- from the parser

    def on_message_begin(self):
        self._url, self._headers, self._parts, self._size = b"", {}, [], 0

    def on_url(self, url):
        self._url += url

    def on_header(self, name, value):
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self):
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body):
        self._size += len(body)
        if self._size > MAX_BODY_BYTES:
            raise httptools.HttpParserError("body too large")
        self._parts.append(body)

    def on_message_complete(self):
        method = self._parser.get_method().decode()
        request = Request(
            method,
            self._url.decode("latin-1"),
            self._headers,
            b"".join(self._parts),
            self._now,
            self._parser.should_keep_alive(),
        )
        self._queue.append(request)
        if not self._busy:
            self._next()

    def _next(self):
        self._busy = False
        if self._queue and not self._transport.is_closing():
            self._busy = True
            request = self._queue.popleft()
            self._close_after = not request.keep_alive
            current = self._serve(request, self)
            if self._busy:  # not answered within the call
                self._current = current

    # --- to the client

    def _start(self, status: int, headers: list[tuple[str, str]]) -> bytes:
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}", f"Date: {http_date(int(time.time()))}"]
        lines += [f"{k}: {v}" for k, v in headers]
        lines.append("Connection: close" if self._close_after else "Connection: keep-alive")
        return ("\r\n".join(lines) + "\r\n").encode("latin-1")

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """A whole answer in one write."""
        self._transport.write(self._start(status, headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._done()

    def respond_cut(self, status: int, headers: list[tuple[str, str]], body: bytes, sent: int, reset: bool) -> None:
        """An answer that announces its whole length and breaks off after `sent` bytes of it."""
        self._transport.write(self._start(status, headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body[:sent])
        self.drop(reset)

    def start_chunked(self, status: int, headers: list[tuple[str, str]]) -> None:
        """The head of a chunked answer; it leaves with the first chunk."""
        self._unsent = [self._start(status, headers) + b"Transfer-Encoding: chunked\r\n\r\n"]

    def chunk(self, data: bytes) -> None:
        self._unsent.append(b"%x\r\n%b\r\n" % (len(data), data))
        if not self._corked:
            self._flush()

    def cork(self) -> None:
        """Collect chunks until `uncork`, the end of the answer or of the connection: they leave in one write."""
        self._corked = True

    def uncork(self) -> None:
        if self._corked:
            self._flush()

    def _flush(self) -> None:
        unsent, self._unsent, self._corked = self._unsent, [], False
        if unsent:
            self._transport.write(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    def finish(self) -> None:
        """The end of a chunked answer."""
        self._unsent.append(b"0\r\n\r\n")
        self._flush()
        self._done()

    def drop(self, reset: bool = False) -> None:
        """Break the connection off: with FIN, or with RST if `reset`."""
        self.uncork()
        self._current = None
        if reset:
            self._transport.reset()
        else:
            self._transport.close()

    def shutdown(self) -> None:
        """The emulator ends: break off, with whatever is in progress."""
        current, self._current = self._current, None
        if current is not None:
            current.disconnected("emulator stopped")
        self._transport.close()

    def _done(self):
        self._current = None
        if self._close_after:
            self._transport.close()
        else:
            self._next()


@functools.lru_cache(maxsize=1)
def http_date(second: int) -> str:
    """The Date header's value, made once a second."""
    return email.utils.formatdate(second, usegmt=True)
