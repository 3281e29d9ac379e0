"""Which HTTP a client speaks: its first bytes tell, on plain sockets and over TLS alike, and the rest is given to who
speaks it."""

import sys

from scripts.emulator import http1

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # what every HTTP/2 client says first (RFC 9113, 3.4)
_NOT_INSTALLED = "error: an HTTP/2 client: h2 is not installed; pip install -r scripts/emulator/requirements.txt"


def _http2():
    """Makes connections of HTTP/2. None where its library is missing: other clients do without."""
    try:
        from scripts.emulator import http2
    except ModuleNotFoundError:
        return None
    return http2.Connection


_HTTP2 = _http2()  # not when the first client comes: streams would wait for the import


class Connection:
    """`serve(request, exchange)` is called for each request and must end in `respond`, `finish` or `drop` of the exchange;
    what it returns has `disconnected(reason)`, which is called when the client leaves first."""

    def __init__(self, serve, connections: set):
        self._serve, self._connections = serve, connections
        self._first = b""

    @staticmethod
    def versions() -> list[str]:
        """What is spoken, by its names in TLS."""
        return ["h2", "http/1.1"] if _HTTP2 else ["http/1.1"]

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc) -> None:
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._first += data
        if len(self._first) < len(PREFACE) and PREFACE.startswith(self._first):
            return  # either may follow
        make = _HTTP2 if self._first.startswith(PREFACE) else http1.Connection
        if make is None:
            print(_NOT_INSTALLED, file=sys.stderr, flush=True)
            self._transport.write(b"HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n")
            return self._transport.close()
        self._connections.discard(self)
        connection = make(self._serve, self._connections)
        self._transport.hand_over(connection)
        connection.data_received(self._first)

    def shutdown(self) -> None:
        self._transport.close()
