"""Which connections are used again, and what an answer may have before it and after it."""

import socket

import gevent
import pytest

from locustfiles.common.transport.connection_pool import ConnectionPool
from tests.helpers.wire_client import ANSWER, CHUNKED, ask, body, http
from tests.helpers.wire_server import answering, receive, serving, sleep

pytestmark = pytest.mark.timed


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "Content-Length: 5", "", "hello"]).encode()


def reconnects(server, pause_s: float = 0.0, times: int = 2) -> list[int]:
    """The requests one after another, each whole."""
    transport, found = ConnectionPool(), []
    for _ in range(times):
        exchange = ask(server, transport=transport)
        assert (body(exchange), exchange.ended, exchange.error) == (b"hello", True, None)
        found.append(exchange.reconnect)
        gevent.sleep(pause_s)
    return found


@pytest.mark.parametrize(
    ("answer", "pause_s", "second"),
    [
        (head("HTTP/1.1 200 OK"), 0, 0),
        (head("HTTP/1.1 200 OK", "Connection: close"), 0, 1),
        (head("HTTP/1.0 200 OK"), 0, 1),
        (head("HTTP/1.0 200 OK", "Connection: keep-alive"), 0, 0),
        (head("HTTP/1.1 200 OK", "Keep-Alive: timeout=30, max=100"), 0.1, 0),
        (head("HTTP/1.1 200 OK", "Keep-Alive: max=100"), 0.1, 0),
        (head("HTTP/1.1 200 OK", "Keep-Alive: timeout=1"), 0.1, 0),
        (head("HTTP/1.1 200 OK", "Keep-Alive: timeout=1"), 0.6, 1),  # given up 0.5 s before the server would
    ],
    ids=lambda v: v[:-25].decode() if isinstance(v, bytes) else str(v),
)
def test_a_connection_is_used_again_as_the_server_says(answer, pause_s, second):
    with serving(answering(answer)) as server:
        assert reconnects(server, pause_s) == [1, second]
    assert len(server.requests) == 2


@pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR], ids=["half", "whole"])
def test_an_idle_connection_that_the_server_closed_is_never_used(how):
    def script(connection, server):
        server.requests.append(receive(connection))
        connection.sendall(ANSWER)
        connection.shutdown(how)
        sleep(0.3)
        assert how == socket.SHUT_RDWR or connection.recv(1) == b""

    with serving(script) as server:
        assert reconnects(server, 0.05) == [1, 1]
    assert len(server.requests) == 2


def test_a_half_closed_connection_in_mid_answer_ends_the_answer():
    def script(connection, server):
        receive(connection)
        connection.sendall(CHUNKED + b"3\r\nhel\r\n")
        connection.shutdown(socket.SHUT_WR)
        sleep(1)

    with serving(script) as server:
        exchange = ask(server)
    assert (exchange.error, body(exchange), exchange.ended) == ("stream_broken", b"hel", False)
    assert exchange.done_at - exchange.sent_at < 0.8


def test_a_kept_connection_that_breaks_before_the_answer_is_a_broken_stream_and_nothing_is_sent_again():
    def script(connection, server):
        server.requests.append(receive(connection))
        connection.sendall(ANSWER)
        server.requests.append(receive(connection))

    with serving(script) as server:
        transport = ConnectionPool()
        first, second = ask(server, transport=transport), ask(server, transport=transport)
        gevent.sleep(0.05)
    assert (first.error, first.reconnect) == (None, 1)
    assert (second.error, second.reconnect, second.status) == ("stream_broken", 0, None)
    assert "before the answer began" in second.error_message
    assert len(server.requests) == 2 and server.connections == 1


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"]
)
@pytest.mark.parametrize("pause", [(), (0.02,)], ids=["at once", "apart"])
def test_interim_answers_are_no_answer(interim, pause):
    with serving(answering(interim, interim, *pause, ANSWER)) as server:
        transport = ConnectionPool()
        exchanges = [ask(server, transport=transport) for _ in range(2)]
    for e in exchanges:
        assert (e.status, body(e), e.ended, e.error, "link" in e.headers) == (200, b"hello", True, None, False)
    assert server.connections == 1


def test_an_interim_answer_alone_is_a_broken_stream_or_a_timeout():
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    with serving(answering(interim, close=True)) as server:
        exchange = ask(server)
    assert (exchange.error, exchange.status, exchange.ended) == ("stream_broken", None, False)
    with serving(answering(interim, 1.0)) as server:
        exchange = ask(server, timeout_s=0.2)
    assert (exchange.error, exchange.status, exchange.ended) == ("read_timeout", None, False)


def test_a_switch_of_protocols_is_a_bad_response():
    with serving(
        answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nxyz")
    ) as server:
        exchange = ask(server, timeout_s=1)
    assert (exchange.error, exchange.ended) == ("bad_response", False)


def test_a_connection_opened_ahead_is_used_and_its_request_opened_none():
    with serving(answering(ANSWER)) as server:
        transport = ConnectionPool()
        assert transport.open(http(server.port)) is None
        assert ask(server, transport=transport).reconnect == 0
    assert server.connections == 1
