"""A connection that is closed as a request is sent into it: what nobody took is sent again, and nothing else."""

import socket
import sys

import gevent
import pytest

from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.connection import Connection
from locustfiles.common.transport.connection_pool import ConnectionPool
from tests.helpers.wire_client import ANSWER, ask, big, body, run
from tests.helpers.wire_server import certificate, receive, reset, serving

pytestmark = [
    pytest.mark.timed,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was acknowledged"),
]


@pytest.fixture
def unseen(monkeypatch):
    """The close is on its way when the connection is looked at, as over any line that is longer than a look."""
    look = Connection.fresh

    def once_it_is_closed(connection):
        wait_while(look, connection)
        return True

    monkeypatch.setattr(Connection, "fresh", once_it_is_closed)


def wait_while(look, connection):
    for _ in range(500):
        if not look(connection):
            return
        gevent.sleep(0.01)
    raise AssertionError("the server has not closed")


def once_a_connection(connection, server):
    """Answers one request and closes without a word of it, as a proxy does with an idle connection."""
    server.requests.append(receive(connection))
    connection.sendall(ANSWER)


def twice(server, transport, request=None):
    first = ask(server, transport=transport)
    second = ask(server, transport=transport, **({"request": request} if request else {}))
    assert (first.error, first.reconnect) == (None, 1)
    return second


@pytest.mark.parametrize("request_bytes", [None, big(3_000_000)], ids=["short", "longer than the buffers"])
def test_what_nobody_took_is_sent_once_more_on_a_new_connection(unseen, request_bytes):
    with serving(once_a_connection) as server:
        second = twice(server, ConnectionPool(), request_bytes)
    assert (second.error, second.status, body(second), second.ended) == (None, 200, b"hello", True)
    assert second.reconnect == 1 and second.error_message is None and second.response_bytes == 5
    assert len(server.requests) == server.connections == 2  # each request reached the server exactly once


def test_the_same_over_tls(unseen, tmp_path):
    ca_file, server_side = certificate(tmp_path / "ca")
    with serving(once_a_connection, tls=server_side) as server:
        transport = ConnectionPool(ca_file=str(ca_file))
        origin = Origin("https", "127.0.0.1", server.port)
        first = run(origin, transport=transport)
        second = run(origin, transport=transport)
    assert (first.error, second.error, second.reconnect) == (None, None, 1)
    assert len(server.requests) == 2


@pytest.mark.parametrize("how", ["close", "reset"])
def test_what_was_taken_is_not_sent_again(how):
    def script(connection, server):
        server.requests.append(receive(connection))
        connection.sendall(ANSWER)
        server.requests.append(receive(connection))
        if how == "reset":
            reset(connection)

    with serving(script) as server:
        second = twice(server, ConnectionPool())
    assert (second.error, second.reconnect) == ("stream_broken", 0)
    assert len(server.requests) == 2 and server.connections == 1


def test_a_half_closed_connection_can_answer_nothing_so_it_is_sent_again(unseen):
    def script(connection, server):
        request = receive(connection)
        connection.sendall(ANSWER)
        connection.shutdown(socket.SHUT_WR)
        receive(connection)  # read and thrown away, as by a proxy that lingers
        server.requests.append(request)

    with serving(script) as server:
        second = twice(server, ConnectionPool())
    assert (second.error, second.reconnect, server.connections) == (None, 1, 2)


def test_a_new_connection_that_cannot_be_had_is_no_connection(unseen):
    with serving(once_a_connection) as server:
        transport = ConnectionPool()
        first = ask(server, transport=transport)
    second = ask(server, transport=transport)  # nobody listens any more
    assert (first.error, second.error, second.reconnect) == (None, "connect", 1)
    assert "refused" in second.error_message


def test_a_kept_connection_that_broke_says_how_long_it_was_idle():
    def script(connection, server):
        receive(connection)
        connection.sendall(ANSWER)
        receive(connection)

    with serving(script) as server:
        transport = ConnectionPool()
        ask(server, transport=transport)
        gevent.sleep(0.6)
        second = ask(server, transport=transport)
    assert second.error == "stream_broken"
    assert "before the answer began, idle for 0.6" in second.error_message


def test_a_connection_that_is_closed_before_it_took_anything_is_no_connection():
    class LateToSend(ConnectionPool):
        def _connect(self, *args):
            connection = super()._connect(*args)
            wait_while(Connection.fresh, connection)
            return connection

    with serving(lambda connection, server: None) as server:
        exchange = ask(server, transport=LateToSend())
    assert (exchange.error, exchange.reconnect, exchange.status) == ("connect", 1, None)
    assert "closed before it took anything" in exchange.error_message
    assert server.connections == 1  # one that nobody had used is not tried again
