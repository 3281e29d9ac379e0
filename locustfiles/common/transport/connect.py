"""How a connection comes to be: an address, TCP, a proxy's tunnel, TLS; all within one timeout."""

import _socket
import errno
import os
import ssl
import time
import typing

import gevent
import gevent.socket

from locustfiles.common.transport.limits import Broken
from locustfiles.common.transport.proxy import Proxy, refusal, tunnel_request, tunnel_status
from locustfiles.contract.error_classes import ErrorClass

RECEIVE_BYTES = 65536
RECORD_BYTES = 16384  # of a TLS record at most, of which one read gives one
MAX_HEAD_BYTES = 65536

#: NAT gateways and firewalls forget a silent connection, AWS's after 350 s: idle seconds to the first probe, between two
KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 30))


class Origin(typing.NamedTuple):
    """Where a request goes, and through what: connections are kept by it."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None = None


class Tls(typing.NamedTuple):
    """TLS over memory BIOs, after its handshake."""

    plain: ssl.SSLObject
    incoming: ssl.MemoryBIO  # from the socket
    outgoing: ssl.MemoryBIO  # to the socket


class Wire(typing.NamedTuple):
    """A connected non-blocking socket, and TLS where it was asked for."""

    sock: _socket.socket
    tls: Tls | None = None


def connect(origin: Origin, context: ssl.SSLContext | None, timeout: float) -> Wire:
    """Connect, through the origin's proxy if it has one, and shake hands if `context` is given. Raises Broken (class
    connect), which names the proxy where that is what failed."""
    sock, proxy = None, origin.proxy
    try:
        with gevent.Timeout(timeout):
            sock = _connect((proxy or origin).host, (proxy or origin).port, time.perf_counter() + timeout)
            early = b""
            if proxy and context:
                early = _tunnel(sock, proxy, origin)
                proxy = None  # it did its part: what fails from here on is the origin's
            return _shake_hands(sock, origin.host, context, early) if context else Wire(sock)
    except BaseException as e:
        if sock is not None:
            sock.close()
        if isinstance(e, gevent.Timeout):
            raise Broken(ErrorClass.CONNECT, _blame(proxy, origin, f"no connection within {timeout:g} s")) from None
        if isinstance(e, OSError | UnicodeError):  # refused, unreachable, DNS (gaierror, bad name), TLS (SSLError)
            raise Broken(ErrorClass.CONNECT, _blame(proxy, origin, getattr(e, "strerror", None) or str(e))) from None
        raise


def _blame(proxy: Proxy | None, origin: Origin, why: str) -> str:
    return f"proxy {proxy}: {why}; check {proxy.variable}, or list {origin.host} in NO_PROXY" if proxy else why


def _connect(host: str, port: int, deadline: float) -> _socket.socket:
    """To the first of the name's addresses that accepts; each has its share of what is left of the time."""
    addresses = gevent.socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)
    for left in range(len(addresses), 0, -1):
        family, kind, protocol, _, address = addresses[-left]
        try:  # the last one ends with the caller's own timeout
            share = (deadline - time.perf_counter()) / left if left > 1 else None
            return _connect_to(_socket.socket(family, kind, protocol), address, share)
        except OSError:
            if left == 1:
                raise
    raise OSError(f"no address for {host}")


def _connect_to(sock: _socket.socket, address: tuple, timeout: float | None) -> _socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 1)
        for name, seconds in KEEP_ALIVE:
            if hasattr(_socket, name):  # macOS says TCP_KEEPALIVE, all others TCP_KEEPIDLE
                sock.setsockopt(_socket.IPPROTO_TCP, getattr(_socket, name), seconds)
        error = sock.connect_ex(address)
        if error == errno.EINPROGRESS:
            gevent.socket.wait_write(sock.fileno(), timeout, OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))
            error = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        return sock
    except BaseException:
        sock.close()
        raise


def _tunnel(sock: _socket.socket, proxy: Proxy, origin: Origin) -> bytes:
    """Ask for a tunnel; what came after the proxy's consent is returned. Raises Broken or OSError."""
    _send_all(sock, tunnel_request(proxy, origin.host, origin.port))
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = _read(sock)
        answer += piece
        if not piece and not answer:
            raise OSError("closed the connection instead of opening a tunnel")
        if not piece or len(answer) > MAX_HEAD_BYTES or (len(answer) >= 7 and not answer.startswith(b"HTTP/1.")):
            raise OSError("answered something that is not HTTP")
    head, early = answer.split(b"\r\n\r\n", 1)
    status = tunnel_status(head)
    if status is None:
        raise OSError("answered something that is not HTTP")
    if not 200 <= status < 300:
        raise Broken(ErrorClass.CONNECT, refusal(proxy, status, origin.host, origin.port))
    return early


def _shake_hands(sock: _socket.socket, host: str, context: ssl.SSLContext, early: bytes) -> Wire:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(early)
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            tls.do_handshake()
            _send_all(sock, outgoing.read())
            return Wire(sock, Tls(tls, incoming, outgoing))
        except ssl.SSLWantReadError:
            _send_all(sock, outgoing.read())
            data = _read(sock)
            if not data:
                raise OSError("connection closed during the TLS handshake") from None
            incoming.write(data)


def _read(sock: _socket.socket) -> bytes:
    gevent.socket.wait_read(sock.fileno())
    return sock.recv(RECEIVE_BYTES)


def _send_all(sock: _socket.socket, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            gevent.socket.wait_write(sock.fileno())


def decrypted(tls: Tls) -> tuple[bytes, bool]:
    """What can be read, and whether the other side ended the conversation. Raises ssl.SSLError."""
    plain = []
    try:
        while piece := tls.plain.read(RECORD_BYTES):
            plain.append(piece)
            if not tls.incoming.pending and not tls.plain.pending():  # asking again would raise, which takes longer
                return piece if len(plain) == 1 else b"".join(plain), False
        return b"".join(plain), True
    except ssl.SSLWantReadError:
        return b"".join(plain), False
