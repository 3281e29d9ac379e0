"""Requests through the transport at a scripted server: what the transport's tests share."""

from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.exchange import Exchange

REQUEST = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Amzn-RequestId: r1\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def http(port: int, host: str = "127.0.0.1") -> Origin:
    return Origin("http", host, port)


def run(
    origin: Origin, request: bytes = REQUEST, timeout_s: float = 5, transport: ConnectionPool | None = None
) -> Exchange:
    exchange = Exchange()
    (transport or ConnectionPool()).run(exchange, origin, request, timeout_s)
    return exchange


def ask(server, request: bytes = REQUEST, timeout_s: float = 5, transport: ConnectionPool | None = None) -> Exchange:
    return run(http(server.port), request, timeout_s, transport)


def body(exchange: Exchange) -> bytes:
    return b"".join(data for _, data in exchange.chunks)


def big(n: int) -> bytes:
    return b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % n + b"x" * n
