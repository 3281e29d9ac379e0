"""HTTP/1.1 on one socket: keep-alive, one request at a time, whole or chunked answers, written as they come."""

import collections
import functools
import http
import time

import httptools

from scripts.emulator.exchange import MAX_BODY_BYTES, Headers, Request, date_header

_HEAD_BYTES, _HEADS_KEPT = 4096, 1024
_heads: dict[bytes, tuple[Request, int]] = {}  # that came lately -> what was read, and the length of the body
_REASONS = {s.value: s.phrase for s in http.HTTPStatus} | {530: "Internal Dependency Failure"}


@functools.lru_cache(maxsize=64)
def _first_lines(status: int, date: tuple[str, str]) -> str:
    return f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n{': '.join(date)}\r\n"


class Connection:
    """As connection.Connection says; itself the exchange, of one request after the other."""

    def __init__(self, serve, connections: set):
        self._serve = serve
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._queue: collections.deque[tuple[Request, bool]] = collections.deque()
        self._busy = False
        self._headed = False  # the request is a HEAD: its answer has no body
        self._current = None
        self._close_after = False
        self._unsent: list[bytes] = []  # the head of a stream, and what is corked
        self._corked = False
        self._now = 0.0
        self._between = True  # two requests
        self._head, self._came = b"", 0  # of the bytes at hand, where a request begins with them

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
        if self._between and self._known(data):
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as at:
            self._decline(data[at.args[0] :])
        except httptools.HttpParserError:
            self._refuse()

    def _known(self, data) -> bool:
        """Whether this is one whole request whose head came before, byte by byte: it is not parsed again."""
        end = data.find(b"\r\n\r\n", 0, _HEAD_BYTES) + 4
        self._head, self._came = data[:end] if end > 3 else b"", len(data)
        request, size = _heads.get(self._head, (None, 0))
        if request is None or len(data) != end + size:
            return False
        self._take(request.again(data[end:], self._now), True)
        return True

    def _learn(self, request: Request, keep_alive: bool) -> None:
        """Keep a head that says all of its request: what followed it was the body, and nothing else."""
        plain = keep_alive and not request.headers.keys() & {"expect", "transfer-encoding"}
        if plain and self._head and self._came == len(self._head) + self._size:
            if len(_heads) >= _HEADS_KEPT:
                _heads.clear()
            _heads[self._head] = request.again(b"", 0.0), self._size

    def _refuse(self):
        self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self._transport.close()

    def _decline(self, rest):
        """An upgrade to HTTP/2, as Java's client and `curl --http2` offer it, is declined. The parser takes such a request to
        have no body: it gets the head again, without the offer."""
        method, version = self._parser.get_method().decode(), self._parser.get_http_version()
        if method == "CONNECT":  # no proxy
            return self._refuse()
        headers = "".join(f"{k}: {v}\r\n" for k, v in self._headers.items() if k != "upgrade")
        head = f"{method} {self._url.decode('latin-1')} HTTP/{version}\r\n{headers}\r\n"
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(head.encode("latin-1") + rest)

    # --- from the parser

    def on_message_begin(self):
        self._between = False
        self._url, self._headers, self._parts, self._size = b"", {}, [], 0

    def on_url(self, url):
        self._url += url

    def on_header(self, name, value):
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self):
        if self._headers.get("expect", "").lower() == "100-continue" and not self._parser.should_upgrade():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body):
        self._size += len(body)
        if self._size > MAX_BODY_BYTES:
            raise httptools.HttpParserError("body too large")
        self._parts.append(body)

    def on_message_complete(self):
        if self._parser.should_upgrade():
            return
        method = self._parser.get_method().decode()
        request = Request(method, self._url.decode("latin-1"), self._headers, b"".join(self._parts), self._now)
        self._between, keep_alive = True, self._parser.should_keep_alive()
        self._learn(request, keep_alive)
        self._head = b""
        self._take(request, keep_alive)

    def _take(self, request: Request, keep_alive: bool) -> None:
        self._queue.append((request, keep_alive))
        if not self._busy:
            self._next()

    def _next(self):
        self._busy = False
        if self._queue and not self._transport.is_closing():
            self._busy = True
            request, keep_alive = self._queue.popleft()
            self._close_after, self._headed = not keep_alive, request.method == "HEAD"
            current = self._serve(request, self)
            if self._busy:  # not answered within the call
                self._current = current

    # --- to the client

    def _start(self, status: int, headers: Headers) -> bytes:
        lines = "".join([f"{k}: {v}\r\n" for k, v in headers])
        end = "Connection: close\r\n" if self._close_after else "Connection: keep-alive\r\n"
        return f"{_first_lines(status, date_header())}{lines}{end}".encode("latin-1")

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        head = self._start(status, headers) + b"Content-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head if self._headed else head + body)
        self._done()

    def respond_cut(self, status: int, headers: Headers, body: bytes, sent: int, reset: bool) -> None:
        self._transport.write(self._start(status, headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body[:sent])
        self.drop(reset)

    def start_chunked(self, status: int, headers: Headers) -> None:
        self._unsent = [self._start(status, headers) + b"Transfer-Encoding: chunked\r\n\r\n"]

    def chunk(self, data: bytes) -> None:
        data = b"%x\r\n%b\r\n" % (len(data), data)
        if not self._unsent and not self._corked:
            return self._transport.write(data)
        self._unsent.append(data)
        if not self._corked:
            self._flush()

    def cork(self) -> None:
        self._corked = True

    def uncork(self) -> None:
        if self._corked:
            self._flush()

    def _flush(self) -> None:
        unsent, self._unsent, self._corked = self._unsent, [], False
        if unsent:
            self._transport.write(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    def finish(self) -> None:
        self._unsent.append(b"0\r\n\r\n")
        self._flush()
        self._done()

    def drop(self, reset: bool = False) -> None:
        """The connection ends, with FIN or RST."""
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
