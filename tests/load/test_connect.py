"""Connecting: refused, unknown, unanswered, kept alive; within one timeout, and verified."""

import gc
import socket
import time

import gevent
import pytest

from locustfiles.common.transport.connect import Origin, connect
from locustfiles.common.transport.connection_pool import CONNECT_TIMEOUT_S, ConnectionPool
from tests.helpers.wire_client import ANSWER, CHUNKED, REQUEST, big, body, http, run
from tests.helpers.wire_server import answering, certificate, full, receive, reset, serving

pytestmark = pytest.mark.timed


def test_a_refused_connection_is_of_class_connect():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    exchange = run(http(port), REQUEST, 5)
    assert (exchange.error, exchange.error_message, exchange.status) == ("connect", "Connection refused", None)
    assert exchange.sent_at <= exchange.done_at
    assert ConnectionPool().open(http(port)) == "Connection refused"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70])
def test_a_name_that_does_not_resolve_is_of_class_connect(host):
    exchange = run(http(80, host), REQUEST, 10)
    assert exchange.error == "connect" and exchange.error_message


def test_a_connection_that_is_not_answered_is_given_up():
    with full() as address:
        began = time.perf_counter()
        exchange = run(http(address[1]), REQUEST, 0.4)
        assert (exchange.error, exchange.error_message) == ("connect", "no connection within 0.4 s")
        assert 0.35 < time.perf_counter() - began < 1


def resolving(monkeypatch, *addresses: tuple[str, int]) -> Origin:
    """A name of several addresses: the resolver is the one part that a test cannot have for real."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr("gevent.socket.getaddrinfo", lambda *of: found)
    return Origin("http", "several.invalid", 80)


def test_a_name_with_a_dead_address_is_reached_at_another(monkeypatch):
    """Refused at once, then without an answer: that one has half of the 0.9 s left, then the next has its turn."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        refused = s.getsockname()
    with full() as dead, serving(answering(ANSWER)) as server:
        origin = resolving(monkeypatch, refused, dead, ("127.0.0.1", server.port))
        exchange = run(origin, timeout_s=0.9)
    assert (exchange.error, body(exchange)) == (None, b"hello")
    assert 0.3 < exchange.done_at - exchange.sent_at < 0.8  # 0.45 s


def test_all_addresses_together_have_one_connect_timeout(monkeypatch):
    with full() as one, full() as other:
        origin = resolving(monkeypatch, one, other, one)
        began = time.perf_counter()
        exchange = run(origin, timeout_s=0.4)
        assert (exchange.error, exchange.error_message) == ("connect", "no connection within 0.4 s")
        assert 0.35 < time.perf_counter() - began < 0.8


def test_a_real_name_is_reached():
    with serving(answering(ANSWER)) as server:
        exchange = run(http(server.port, "localhost"))
    assert (exchange.error, body(exchange)) == (None, b"hello")


def test_connections_are_kept_alive_through_gateways_and_send_at_once():
    with serving(answering(ANSWER)) as server:
        wire = connect(http(server.port), None, 5)
        asked = [
            wire.sock.getsockopt(*o)
            for o in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.IPPROTO_TCP, socket.TCP_NODELAY))
        ]
        assert all(asked)
        if hasattr(socket, "TCP_KEEPIDLE"):  # AWS's NAT gateways forget a silent connection after 350 s
            assert wire.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
        wire.sock.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("right"))


def test_tls_is_verified_and_kept(authority):
    """TLS 1.3 sends session tickets after the handshake: they do not make an idle connection stale."""
    ca, context = authority
    pieces = (CHUNKED, b"3\r\nhel\r\n", 0.02, b"2\r\nlo\r\n0\r\n\r\n")
    with serving(answering(*pieces), tls=context) as server:
        transport, origin = ConnectionPool(str(ca)), Origin("https", "127.0.0.1", server.port)
        assert transport.open(origin) is None
        gevent.sleep(0.05)
        exchanges = [run(origin, transport=transport) for _ in range(3)]
    assert [(body(e), e.ended, e.error, e.reconnect) for e in exchanges] == [(b"hello", True, None, 0)] * 3
    assert server.connections == 1
    # 20 ms apart; a busy machine may read a first piece late, or a second one
    gaps = [e.chunks[-1][0] - e.chunks[0][0] for e in exchanges]
    assert max(gaps) > 0.015 and min(gaps) < 0.1


def test_a_large_body_goes_over_tls_both_ways(authority):
    ca, context = authority
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"
    with serving(answering(head, b"y" * 5_000_000), tls=context) as server:
        exchange = run(Origin("https", "127.0.0.1", server.port), big(5_000_000), 20, ConnectionPool(str(ca)))
    assert (exchange.error, exchange.response_bytes) == (None, 5_000_000)
    assert server.requests == [big(5_000_000)]


def test_an_untrusted_ca_is_of_class_connect(authority, tmp_path):
    other, _ = certificate(tmp_path / "other")
    with serving(answering(ANSWER), tls=authority[1]) as server:
        for ca in (str(other), None):
            exchange = run(Origin("https", "127.0.0.1", server.port), REQUEST, 5, ConnectionPool(ca))
            assert exchange.error == "connect"
            assert "certificate" in exchange.error_message.lower()
    assert server.requests == []


def test_a_certificate_for_another_host_is_of_class_connect(tmp_path):
    ca, context = certificate(tmp_path / "wrong", host="elsewhere.example")
    with serving(answering(ANSWER), tls=context) as server:
        exchange = run(Origin("https", "127.0.0.1", server.port), REQUEST, 5, ConnectionPool(str(ca)))
    assert exchange.error == "connect" and "127.0.0.1" in exchange.error_message
    assert server.requests == []


def test_a_tls_connection_cut_without_notice_in_mid_answer_is_broken(authority):
    ca, context = authority

    def script(connection, server):
        receive(connection)
        connection.sendall(CHUNKED + b"5\r\nhel")
        time.sleep(0.05)
        reset(connection)

    with serving(script, tls=context) as server:
        exchange = run(Origin("https", "127.0.0.1", server.port), REQUEST, 5, ConnectionPool(str(ca)))
    assert (exchange.error, exchange.status, exchange.ended) == ("stream_broken", 200, False)


def test_a_plain_server_behind_https_is_of_class_connect():
    with serving(answering(ANSWER)) as server:
        exchange = run(Origin("https", "127.0.0.1", server.port), REQUEST, 0.5)
    assert exchange.error == "connect"


def test_failed_connections_leave_no_open_socket(authority, recwarn):
    gc.collect()
    recwarn.clear()  # earlier tests' pools
    with serving(answering(ANSWER), tls=authority[1]) as server:
        run(Origin("https", "127.0.0.1", server.port), REQUEST, 5)
    gc.collect()
    unclosed = [str(w.message) for w in recwarn if issubclass(w.category, ResourceWarning)]
    assert [
        m for m in unclosed if "<socket object" in m
    ] == []  # the transport's raw sockets; others are the servers' own
    assert CONNECT_TIMEOUT_S == 10
