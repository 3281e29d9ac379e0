"""One keep-alive HTTP/1.1 connection, whose answers the event loop's callback receives and stamps.

A greenlet hands over a request and sleeps until the answer is whole; in between, callbacks on
gevent's loop send what the socket takes, read it, stamp each piece with `perf_counter` and append
it. Nothing is parsed beyond HTTP framing until the answer has ended, so that one stream's reading
never delays another's stamps. TLS runs through memory BIOs in the same callbacks.
"""

import _socket
import errno
import math
import ssl
import time

from gevent.hub import Waiter, get_hub

from locustfiles.common.transport.connect import RECEIVE_BYTES, Origin, connect, decrypted
from locustfiles.common.transport.deadline import Deadline
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.framing import Framing
from locustfiles.common.transport.kernel_stamps import KernelStamps
from locustfiles.common.transport.limits import Broken, left_on_purpose
from locustfiles.common.transport.taken import Ledger
from locustfiles.common.transport.turns import Turns
from locustfiles.contract.error_classes import ErrorClass

TOLD_IDLE_S = 0.5  # of a kept connection that broke: nobody closes one that was idle for less


class Connection:
    """One keep-alive connection."""

    def __init__(
        self,
        origin: Origin,
        context: ssl.SSLContext | None,
        timeout: float,
        turns: Turns,
        kernel_stamps: bool = False,
    ) -> None:
        """Connect, and shake hands if `context` is given. Raises Broken (class connect)."""
        self._sock, self._tls = connect(origin, context, timeout)
        self._turns = turns
        self._stamps = KernelStamps(self._sock) if kernel_stamps else None
        self._ledger = Ledger(self._sock, self._tls is not None)
        self._watch = get_hub().loop.io(self._sock.fileno(), 1)
        self._write_watch = get_hub().loop.io(self._sock.fileno(), 2)
        self._unsent = memoryview(b"")
        self._exchange: Exchange | None = None
        self._waiter = Waiter()
        self._deadline = Deadline(self._overdue)
        self._framing = Framing(self._finish)
        self._now = 0.0
        self._idle_since, self._idle_s = time.perf_counter(), 0.0
        self.keep_alive, self.untaken = True, False  # untaken: closed before it had taken a byte of the request

    def fresh(self) -> bool:
        """Whether an idle connection still stands: nothing to read (but TLS session tickets), not closed by the other side, nor
        about to be."""
        if self._framing.closes_at is not None and time.perf_counter() > self._framing.closes_at:
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
        self._exchange, self._waiter, self.untaken = exchange, Waiter(), False
        self._idle_s = time.perf_counter() - self._idle_since
        self._ledger.begin()
        self._framing.begin(exchange)
        if self._stamps is not None:
            self._stamps.begin()
        self._watch.start(self._readable)
        leaves_at = math.inf if exchange.leave_after_s is None else exchange.sent_at + exchange.leave_after_s
        self._deadline.set(min(deadline, leaves_at))
        try:
            if self._tls:
                self._tls.plain.write(request)
                request = self._tls.outgoing.read()
            self._unsent = memoryview(request)
            self._writable()
            self._waiter.get()
        finally:
            self._exchange = None
            self._framing.end()
            self._deadline.clear()
            self._watch.stop()
            self._write_watch.stop()
            self._idle_since = time.perf_counter()

    def _overdue(self) -> None:
        if self._exchange is not None and self._exchange.leave_after_s is not None:
            return self._finish(left_on_purpose())
        self._finish(Broken(ErrorClass.READ_TIMEOUT, "the answer did not end within request_timeout_s"))

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
                data, eof = decrypted(self._tls)
            except ssl.SSLError as e:
                raise Broken(ErrorClass.STREAM_BROKEN, f"TLS failed {self._where()}: {e.reason}") from None
        if data:
            self._framing.feed(data, self._now)
            if self._exchange is not None and self._exchange.leaves is not None and self._exchange.leaves():
                raise left_on_purpose()
        if eof and self._exchange is not None:
            if self._framing.until_close:
                return self._framing.on_message_complete()
            self.untaken = self._nothing_taken()
            raise Broken(ErrorClass.STREAM_BROKEN, f"connection closed {self._where()}")

    def _nothing_taken(self) -> bool:
        return not self._framing.came and self._ledger.nothing_taken(self._sock)

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
        self._framing.end()
        self.keep_alive = self._framing.keep_alive and not self._unsent
        exchange.done_at = time.perf_counter() if why else self._now
        if why:
            exchange.fail(why)
        if self._stamps is not None:
            exchange.stamp_delay_s = self._stamps.worst_s
        self._watch.stop()
        self._turns.take(self._waiter)

    def close(self) -> None:
        self._deadline.close()
        for watch in (self._watch, self._write_watch):
            watch.stop()
            watch.close()
        self._sock.close()
