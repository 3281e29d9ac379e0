"""Whether the other side took anything of a request, by what TCP acknowledged of it.

Servers and proxies close idle connections, now and then at the moment when a request is sent into one. Nobody has read
that request, and nobody will: the closing segment acknowledges none of it, and what reaches a closed socket is answered
by a reset. A server that read a request and closed after that has acknowledged it with its close at the latest, and one
that closed its own direction alone can no more answer what comes. A reset alone proves nothing: it may overtake an
acknowledgement that its sender was putting off.
"""

import _socket
import struct
import sys

#: of Linux's struct tcp_info: bytes acknowledged (since 4.1), the SYN among them, and bytes sent (4.19)
_INFO = struct.Struct("=120xQ72xQ")


def _counts(sock: _socket.socket) -> tuple[int, int] | None:
    """Bytes acknowledged and sent so far; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        info = sock.getsockopt(_socket.IPPROTO_TCP, _socket.TCP_INFO, _INFO.size)
    except OSError:
        return None
    return _INFO.unpack(info) if len(info) == _INFO.size else None


class Ledger:
    """Bytes that a connection's socket was given, to hold against what was acknowledged. It asks the kernel only about
    handshakes and about what broke."""

    def __init__(self, sock: _socket.socket, shook_hands: bool) -> None:
        counts = _counts(sock) if shook_hands else (0, 0)
        self._before = counts and counts[1]
        self._under_way = 0

    def begin(self) -> None:
        """A request begins."""
        if self._before is not None:
            self._before += self._under_way
        self._under_way = 0

    def add(self, sent: int) -> int:
        """So many bytes of it went into the socket."""
        self._under_way += sent
        return sent

    def nothing_taken(self, sock: _socket.socket) -> bool:
        """Of a connection that the other side closed: whether not a byte of the request was acknowledged."""
        counts = _counts(sock)
        return counts is not None and self._before is not None and 0 < counts[0] <= self._before + 1
