"""Sockets under the HTTP connections: listening, TLS, reading, writing.

OpenSSL writes straight to the socket. Through the event loop's own TLS a token costs two memory buffers and a dozen
calls more, which at 200 streams of 100 tokens/s fills a core."""

import collections
import contextlib
import errno
import socket
import ssl
import struct

HANDSHAKE_S = 10.0
_PAUSE_S = 0.5
_READ_BYTES = 65536
_AGAIN = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Transport:
    """One accepted socket, plain or TLS. Calls `connection_made(transport)`, `data_received(bytes)` and at the end, once,
    `connection_lost(error)`."""

    def __init__(self, loop, sock: socket.socket, protocol):
        self._loop, self._sock, self._protocol = loop, sock, protocol
        self._unsent = b""  # what the kernel had no room for
        self._closing = self._lost = False
        protocol.connection_made(self)
        loop.add_reader(sock, self._read)

    def hand_over(self, protocol) -> None:
        """To another protocol from now on."""
        self._protocol = protocol
        protocol.connection_made(self)

    def is_closing(self) -> bool:
        return self._closing

    def write(self, data: bytes) -> None:
        """Send now; what does not fit into the kernel's buffer leaves when there is room."""
        if self._closing:
            return
        if self._unsent:
            self._unsent += data
            return
        sent = self._send(data)
        if sent != len(data) and not self._lost:
            self._unsent = data[sent:]
            self._loop.add_writer(self._sock, self._flush)

    def close(self) -> None:
        """End with what is still to send, then FIN (after TLS's own goodbye)."""
        if not self._closing:
            self._closing = True
            self._loop.remove_reader(self._sock)
            if not self._unsent:
                self._end(None)

    def reset(self) -> None:
        """End now, with RST."""
        if not self._lost:
            self._closing = True
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end(None, polite=False)

    def _send(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except _AGAIN:
            return 0
        except OSError as e:
            self._end(e, polite=False)
            return 0

    def _flush(self) -> None:
        self._unsent = self._unsent[self._send(self._unsent) :]
        if not self._unsent and not self._lost:
            self._loop.remove_writer(self._sock)
            if self._closing:
                self._end(None)

    def _read(self) -> None:
        try:
            data = self._sock.recv(_READ_BYTES)
        except _AGAIN:
            return
        except OSError as e:
            return self._end(e, polite=False)
        if not data:
            return self.close()
        if not self._closing:
            self._protocol.data_received(data)

    def _end(self, error: OSError | None, polite: bool = True) -> None:
        """Once. The protocol learns of it in a turn of its own, for it may be in the middle of a write."""
        if self._lost:
            return
        self._closing = self._lost = True
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        if polite and isinstance(self._sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self._sock.unwrap()  # says goodbye and does not wait for the client's
        self._sock.close()
        self._loop.call_soon(self._protocol.connection_lost, error)


class Listener:
    """Accepts connections; `make()` gives each its protocol. Raises OSError where it cannot listen."""

    def __init__(self, loop, host: str, port: int, shared: bool, tls: ssl.SSLContext | None, make):
        """shared: other processes may listen on the port as well."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._sock = socket.create_server((host, port), family=family, backlog=1024, reuse_port=shared)
        except ValueError as e:  # a system that cannot
            raise OSError(errno.ENOTSUP, str(e)) from None
        self._sock.setblocking(False)
        self._loop, self._tls, self._make = loop, tls, make
        self._shaking: set[ssl.SSLSocket] = set()
        self._due: collections.deque[ssl.SSLSocket] = collections.deque()
        loop.add_reader(self._sock, self._accept)

    @property
    def port(self) -> int:
        return self._sock.getsockname()[1]

    def close(self) -> None:
        self._loop.remove_reader(self._sock)
        self._sock.close()
        for sock in list(self._shaking):
            self._give_up(sock)

    def _accept(self) -> None:
        try:
            sock, _ = self._sock.accept()
        except (*_AGAIN, ConnectionAbortedError):
            return
        except OSError:  # no more file descriptors: some may be free in a while
            self._loop.remove_reader(self._sock)
            self._loop.call_later(_PAUSE_S, self._resume)
            return
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                Transport(self._loop, sock, self._make())
            else:
                self._secure(self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False))
        except OSError:  # it has left already
            sock.close()

    def _secure(self, sock: ssl.SSLSocket) -> None:
        self._shaking.add(sock)
        self._loop.add_reader(sock, self._queue, sock)
        self._loop.call_later(HANDSHAKE_S, self._give_up, sock)

    def _resume(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.add_reader(self._sock, self._accept)

    def _queue(self, sock: ssl.SSLSocket) -> None:
        """A step of a handshake takes a third of a millisecond: one a turn of the loop, or hundreds of users that connect
        in one instant would make every stream late."""
        self._loop.remove_reader(sock)
        self._due.append(sock)
        if len(self._due) == 1:
            self._loop.call_soon(self._step)

    def _step(self) -> None:
        sock = self._due.popleft()
        if self._due:
            self._loop.call_soon(self._step)
        if sock not in self._shaking:
            return
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.add_reader(sock, self._queue, sock)
        except OSError:
            self._give_up(sock)
        else:
            self._shaking.remove(sock)
            Transport(self._loop, sock, self._make())

    def _give_up(self, sock: ssl.SSLSocket) -> None:
        if sock in self._shaking:
            self._shaking.remove(sock)
            self._loop.remove_reader(sock)
            sock.close()
