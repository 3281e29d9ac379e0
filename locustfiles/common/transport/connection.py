"""One keep-alive HTTP/1.1 connection, whose answers the event loop's callback receives and stamps.

A greenlet hands over a request and sleeps until the answer is whole; in between, callbacks on
gevent's loop send what the socket takes, read it, stamp each piece with `perf_counter` and append
it. Nothing is parsed beyond HTTP framing until the answer has ended, so that one stream's reading
never delays another's stamps. TLS runs through memory BIOs in the same callbacks.
"""

import _socket
import errno
import ssl
import time

import httptools
from gevent.hub import Waiter, get_hub

from locustfiles.common.transport import limits
from locustfiles.common.transport.connect import RECEIVE_BYTES, Origin, connect, decrypted
from locustfiles.common.transport.exchange import Exchange, idle_seconds
from locustfiles.common.transport.kernel_stamps import KernelStamps
from locustfiles.common.transport.limits import Broken
from locustfiles.common.transport.taken import Ledger
from locustfiles.contract.error_classes import ErrorClass

TOLD_IDLE_S = 0.5  # of a kept connection that broke: nobody closes one that was idle for less


class OutOfStep(Exception):
    """Something comes after the answer's end."""


class Connection:
    """One keep-alive connection. Also the parser's callback object, for the exchange under way."""

    def __init__(self, origin: Origin, context: ssl.SSLContext | None, timeout: float, kernel_stamps: bool = False):
        """Connect, and shake hands if `context` is given. Raises Broken (class connect)."""
        self._sock, self._tls = connect(origin, context, timeout)
        self._stamps = KernelStamps(self._sock) if kernel_stamps else None
        self._ledger = Ledger(self._sock, self._tls is not None)
        self._watch = get_hub().loop.io(self._sock.fileno(), 1)
        self._write_watch = get_hub().loop.io(self._sock.fileno(), 2)
        self._unsent = memoryview(b"")
        self._exchange: Exchange | None = None
        self._waiter = Waiter()
        self._parser = httptools.HttpResponseParser(self)
        self._now = 0.0
        self._came = 0  # bytes of the answer under way, headers and framing included
        self._body: list[bytes] = []  # what one read brought of the body
        self._until_close = False
        self._closes_at: float | None = None  # when the server will close it if it is idle, as it said itself
        self._idle_since, self._idle_s = time.perf_counter(), 0.0
        self.keep_alive, self.untaken = True, False  # untaken: closed before it had taken a byte of the request

    def fresh(self) -> bool:
        """Whether an idle connection still stands: nothing to read (but TLS session tickets), not closed by the other side, nor
        about to be."""
        if self._closes_at is not None and time.perf_counter() > self._closes_at:
            return False
        try:
            while data := self._sock.recv(RECEIVE_BYTES):
                if not self._tls:
                    return False
                self._tls.incoming.write(data)
                if self._tls.plain.read(1) is not None:
                    return False
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False

    def run(self, exchange: Exchange, request: bytes, deadline: float) -> None:
        """Send `request` and sleep until the answer ended, broke, or `deadline` (perf_counter) passed.

        A kept connection that breaks before the answer began is a broken stream like any other. Browsers send such a
        request again; here it would be a second call that nobody asked for, which a model may run and a bill may show;
        but for one that is proven to have been taken by nobody (`untaken`).
        """
        self._exchange, self._waiter, self._came, self.untaken = exchange, Waiter(), 0, False
        self._idle_s = time.perf_counter() - self._idle_since
        self._ledger.begin()
        self._parser, self._until_close = httptools.HttpResponseParser(self), False
        if self._stamps is not None:
            self._stamps.begin()
        timer = get_hub().loop.timer(max(0.0, deadline - time.perf_counter()))
        self._watch.start(self._readable)
        # `update`: from now, not from the loop's cached time, which is older by all that ran since it woke
        timer.start(
            self._finish,
            Broken(ErrorClass.READ_TIMEOUT, "the answer did not end within request_timeout_s"),
            update=True,
        )
        try:
            if self._tls:
                self._tls.plain.write(request)
                request = self._tls.outgoing.read()
            self._unsent = memoryview(request)
            self._writable()
            self._waiter.get()
        finally:
            self._exchange = None
            self._watch.stop()
            self._write_watch.stop()
            timer.stop()
            timer.close()
            self._idle_since = time.perf_counter()

    def _writable(self) -> None:
        """Send what the socket takes now; the rest when it takes more, so that an early answer or the deadline is not missed."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._ledger.add(self._sock.send(self._unsent)) :]
            self._write_watch.stop()
        except BlockingIOError:
            if not self._write_watch.active:
                self._write_watch.start(self._writable)
        except OSError as e:
            self._write_watch.stop()
            if not self._unread():  # else the answer says why the other side stopped listening
                self.untaken = e.errno == errno.EPIPE and self._nothing_taken()  # EPIPE: it had been closed by a FIN
                self._finish(Broken(ErrorClass.STREAM_BROKEN, f"sending failed: {e.strerror}"))

    def _unread(self) -> bool:
        try:
            return bool(self._sock.recv(1, _socket.MSG_PEEK))
        except OSError:
            return False

    def _readable(self) -> None:
        # Runs in the hub: an exception here would only be printed and the greenlet left to its deadline.
        try:
            self._receive()
        except Broken as e:
            self._finish(e)
        except Exception as e:
            self._finish(Broken(ErrorClass.INTERNAL, f"{type(e).__name__}: {e}"))

    def _receive(self) -> None:
        try:
            if self._stamps is None:
                data = self._sock.recv(RECEIVE_BYTES)
                self._now = time.perf_counter()
            else:
                data, self._now = self._stamps.receive()
        except BlockingIOError:
            return
        except OSError as e:
            raise Broken(ErrorClass.STREAM_BROKEN, f"{e.strerror} {self._where()}") from None
        eof = not data
        if self._tls and data:
            self._tls.incoming.write(data)
            try:
                data, eof = decrypted(self._tls.plain)
            except ssl.SSLError as e:
                raise Broken(ErrorClass.STREAM_BROKEN, f"TLS failed {self._where()}: {e.reason}") from None
        if data:
            self._feed(data)
        if eof and self._exchange is not None:
            if self._until_close:
                return self.on_message_complete()
            self.untaken = self._nothing_taken()
            raise Broken(ErrorClass.STREAM_BROKEN, f"connection closed {self._where()}")

    def _feed(self, data: bytes) -> None:
        exchange = self._exchange
        self._came += len(data)
        try:
            if self._came > limits.MAX_ANSWER_BYTES:
                raise limits.too_many_bytes()
            self._parser.feed_data(data)
            if exchange is not None and exchange.status is None and self._came > limits.MAX_HEAD_BYTES:
                raise limits.too_many_headers()
        except httptools.HttpParserCallbackError as e:  # a limit, or a bug of ours, not the server's
            raise e.__context__ or e from None
        except httptools.HttpParserError as e:
            raise Broken(ErrorClass.BAD_RESPONSE, f"not HTTP: {e}") from None
        except httptools.HttpParserUpgrade:
            raise Broken(ErrorClass.BAD_RESPONSE, "101 Switching Protocols, which nobody asked for") from None
        finally:
            if self._body and exchange is not None:  # in one piece: a server may send a byte a chunk
                exchange.chunks.append((self._now, self._body[0] if len(self._body) == 1 else b"".join(self._body)))
                self._body.clear()
        if exchange is not None and len(exchange.chunks) > limits.MAX_PIECES:
            raise limits.too_many_pieces()

    def _nothing_taken(self) -> bool:
        return not self._came and self._ledger.nothing_taken(self._sock)

    def _where(self) -> str:
        if self._exchange and self._exchange.status:
            return "in mid-answer"
        kept = f", idle for {self._idle_s:.3g} s until then" if self._idle_s >= TOLD_IDLE_S else ""
        return f"before the answer began{kept}"

    def _finish(self, why: Broken | None = None) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:  # something came after the answer's end: this connection is out of step
            self.keep_alive = False
            return
        self.keep_alive = self.keep_alive and not self._unsent
        exchange.done_at = time.perf_counter() if why else self._now
        if why:
            exchange.fail(why)
        if self._stamps is not None:
            exchange.stamp_delay_s = self._stamps.worst_s
        self._watch.stop()
        get_hub().loop.run_callback(self._waiter.switch, None)

    # what httptools calls: an exception is raised where it was fed, and ends in `_finish`
    def on_header(self, name: bytes, value: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            raise OutOfStep
        if exchange.status is not None:  # a trailer: nothing that the headers said may change after them
            return
        if len(exchange.headers) >= limits.MAX_HEADERS:
            raise limits.too_many_headers()
        exchange.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            raise OutOfStep
        exchange.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()
        self._until_close = "content-length" not in exchange.headers and "transfer-encoding" not in exchange.headers
        self._closes_at = (
            self._now + idle_seconds(exchange.headers["keep-alive"]) if "keep-alive" in exchange.headers else None
        )

    def on_body(self, body: bytes) -> None:
        if self._exchange is None:
            raise OutOfStep
        self._body.append(body)

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            raise OutOfStep
        if exchange.status is not None and exchange.status < 200:  # 100 Continue and the like: the answer is to come
            exchange.status, exchange.headers, self._until_close = None, {}, False
            return
        exchange.ended = True
        self._finish()

    def close(self) -> None:
        for watch in (self._watch, self._write_watch):
            watch.stop()
            watch.close()
        self._sock.close()
