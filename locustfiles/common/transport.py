"""A lean pooled HTTP/1.1 client that measures: the event loop's callback receives and stamps.

A greenlet hands over a request and sleeps until the answer is whole; in between, a callback on
gevent's loop reads the socket, stamps each piece with `perf_counter` and appends it. Nothing is
parsed beyond HTTP framing until the answer has ended, so that one stream's reading never delays
another's stamps. TLS runs through memory BIOs in the same callback.
"""

import _socket
import dataclasses
import ssl
import time
import typing

import gevent
import gevent.socket
import httptools
from gevent.hub import Waiter, get_hub

from locustfiles.common.errors import ErrorClass

CONNECT_TIMEOUT_S = 10.0
RECEIVE_BYTES = 65536
LAG_PROBE_S = 0.01


class Origin(typing.NamedTuple):
    scheme: str
    host: str
    port: int


@dataclasses.dataclass(slots=True)
class Exchange:
    """One request and what came back. Times are perf_counter seconds."""

    sent_at: float
    done_at: float = 0.0
    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)  # names in lower case
    chunks: list[tuple[float, bytes]] = dataclasses.field(default_factory=list)  # body pieces as they arrived
    ended: bool = False  # the body came whole, by HTTP's own framing
    error: ErrorClass | None = None
    error_message: str | None = None
    reconnect: int = 0
    lag_s: float = 0.0  # worst lateness of the event loop meanwhile

    @property
    def response_bytes(self) -> int:
        return sum(len(data) for _, data in self.chunks)


class _Broken(Exception):
    def __init__(self, error: ErrorClass, message: str) -> None:
        self.error, self.message = error, message


class Connection:
    """One keep-alive connection. Also the parser's callback object, for the exchange under way."""

    def __init__(self, origin: Origin, context: ssl.SSLContext | None, timeout: float) -> None:
        """Connect, and shake hands if `context` is given. Raises _Broken (class connect)."""
        try:
            with gevent.Timeout(timeout):
                sock = gevent.socket.create_connection((origin.host, origin.port))
                sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
                self._sock = _socket.socket(fileno=sock.detach())
                self._sock.setblocking(False)
                self._tls = self._handshake(origin.host, context) if context else None
        except gevent.Timeout:
            raise _Broken(ErrorClass.CONNECT, f"no connection within {timeout:g} s") from None
        except OSError as e:  # refused, unreachable, DNS (gaierror), TLS (SSLError)
            raise _Broken(ErrorClass.CONNECT, getattr(e, "strerror", None) or str(e)) from None
        self._watch = get_hub().loop.io(self._sock.fileno(), 1)
        self._exchange: Exchange | None = None
        self._waiter: Waiter | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._now = 0.0
        self._until_close = False
        self.keep_alive = True

    def _handshake(self, host: str, context: ssl.SSLContext) -> ssl.SSLObject:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
                self._send_raw(self._outgoing.read())
                return tls
            except ssl.SSLWantReadError:
                self._send_raw(self._outgoing.read())
                gevent.socket.wait_read(self._sock.fileno())
                data = self._sock.recv(RECEIVE_BYTES)
                if not data:
                    raise OSError("connection closed during the TLS handshake") from None
                self._incoming.write(data)

    def _send_raw(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                gevent.socket.wait_write(self._sock.fileno())

    def fresh(self) -> bool:
        """Whether an idle connection still stands: nothing to read, not closed by the other side."""
        try:
            self._sock.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def run(self, exchange: Exchange, request: bytes, deadline: float) -> None:
        """Send `request` and sleep until the answer ended, broke, or `deadline` (perf_counter) passed."""
        self._exchange, self._waiter = exchange, Waiter()
        self._parser, self._until_close = httptools.HttpResponseParser(self), False
        timer = get_hub().loop.timer(max(0.0, deadline - time.perf_counter()))
        self._watch.start(self._readable)
        timer.start(self._finish, ErrorClass.READ_TIMEOUT, "the answer did not end within request_timeout_s")
        try:
            if self._tls:
                self._tls.write(request)
                request = self._outgoing.read()
            self._send_raw(request)
            self._waiter.get()
        except OSError as e:
            self._finish(ErrorClass.STREAM_BROKEN, f"sending failed: {e.strerror}")
        finally:
            self._exchange = None
            self._watch.stop()
            timer.stop()
            timer.close()

    def _readable(self) -> None:
        # Runs in the hub: an exception here would only be printed and the greenlet left to its deadline.
        try:
            self._receive()
        except _Broken as e:
            self._finish(e.error, e.message)
        except Exception as e:
            self._finish(ErrorClass.INTERNAL, f"{type(e).__name__}: {e}")

    def _receive(self) -> None:
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError as e:
            raise _Broken(ErrorClass.STREAM_BROKEN, f"{e.strerror} {self._where()}") from None
        self._now = time.perf_counter()
        eof = not data
        if self._tls and data:
            self._incoming.write(data)
            data, eof = self._decrypt()
        if data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError as e:
                raise _Broken(ErrorClass.BAD_RESPONSE, f"not HTTP: {e}") from None
        if eof and self._exchange is not None:
            if self._until_close:
                return self.on_message_complete()
            raise _Broken(ErrorClass.STREAM_BROKEN, f"connection closed {self._where()}")

    def _decrypt(self) -> tuple[bytes, bool]:
        plain = []
        try:
            while piece := self._tls.read(RECEIVE_BYTES):
                plain.append(piece)
            return b"".join(plain), True
        except ssl.SSLWantReadError:
            return b"".join(plain), False
        except ssl.SSLError as e:
            raise _Broken(ErrorClass.STREAM_BROKEN, f"TLS failed {self._where()}: {e.reason}") from None

    def _where(self) -> str:
        return "in mid-answer" if self._exchange and self._exchange.status else "before the answer began"

    def _finish(self, error: ErrorClass | None = None, message: str | None = None) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        exchange.error, exchange.error_message = error, message
        exchange.done_at = time.perf_counter() if error else self._now
        self._watch.stop()
        get_hub().loop.run_callback(self._waiter.switch, None)

    # what httptools calls
    def on_header(self, name: bytes, value: bytes) -> None:
        self._exchange.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        exchange.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()
        self._until_close = "content-length" not in exchange.headers and "transfer-encoding" not in exchange.headers

    def on_body(self, body: bytes) -> None:
        self._exchange.chunks.append((self._now, body))

    def on_message_complete(self) -> None:
        self._exchange.ended = True
        self._finish()

    def close(self) -> None:
        self._watch.stop()
        self._watch.close()
        self._sock.close()


class Transport:
    """Pools of connections by origin, with a probe of the event loop's lag. Raises nothing but GreenletExit."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._idle: dict[Origin, list[Connection]] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._probed = time.perf_counter()
        self._probe = get_hub().loop.timer(LAG_PROBE_S, LAG_PROBE_S)
        self._probe.start(self._measure_lag)

    def _measure_lag(self) -> None:
        now = time.perf_counter()
        lag = now - self._probed - LAG_PROBE_S
        self._probed = now
        for exchange in self._exchanges.values():
            if lag > exchange.lag_s:
                exchange.lag_s = lag

    @property
    def count(self) -> int:
        """Requests in flight."""
        return len(self._exchanges)

    def exchange(self, origin: Origin, request: bytes, timeout_s: float) -> Exchange:
        """Send a whole HTTP request, wait for the whole answer; failures are in the Exchange."""
        exchange = Exchange(sent_at=time.perf_counter())
        self._exchanges[id(exchange)] = exchange
        deadline = exchange.sent_at + timeout_s
        connection = None
        try:
            connection = self._take(origin) or self._open(origin, exchange, timeout_s)
            connection.run(exchange, request, deadline)
        except _Broken as e:
            exchange.error, exchange.error_message = e.error, e.message
            exchange.done_at = time.perf_counter()
        finally:
            del self._exchanges[id(exchange)]
            if connection is not None:
                if exchange.ended and connection.keep_alive:
                    self._idle.setdefault(origin, []).append(connection)
                else:
                    connection.close()
        return exchange

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.fresh():
                return connection
            connection.close()
        return None

    def _open(self, origin: Origin, exchange: Exchange, timeout_s: float) -> Connection:
        exchange.reconnect = 1
        return self._connect(origin, min(CONNECT_TIMEOUT_S, timeout_s))

    def _connect(self, origin: Origin, timeout_s: float) -> Connection:
        if origin.scheme == "https" and self._context is None:
            self._context = ssl.create_default_context(cafile=self._ca_file)
        return Connection(origin, self._context if origin.scheme == "https" else None, timeout_s)

    def check(self, origin: Origin) -> str | None:
        """Connect and send nothing; the connection is kept for use. What went wrong, or None."""
        try:
            self._idle.setdefault(origin, []).append(self._connect(origin, CONNECT_TIMEOUT_S))
        except _Broken as e:
            return e.message
        return None
