"""The transport on real sockets: what it sends, when it stamps, and what each way of breaking is called."""

import statistics
import time

import gevent
import pytest

from locustfiles.common.transport.connection import Connection
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.framing import Framing
from tests.helpers.patience import waits
from tests.helpers.wire_client import ANSWER, CHUNKED, REQUEST, ask, big, body, http
from tests.helpers.wire_server import answering, receive, reset, serving

pytestmark = pytest.mark.timed


def test_a_connection_is_kept_and_only_the_first_request_opens_one():
    with serving(answering(ANSWER)) as server:
        transport = ConnectionPool()
        exchanges = [ask(server, transport=transport) for _ in range(4)]
    assert [e.reconnect for e in exchanges] == [1, 0, 0, 0]
    assert server.connections == 1
    assert server.requests == [REQUEST] * 4
    assert all((e.status, body(e), e.ended, e.error) == (200, b"hello", True, None) for e in exchanges)
    assert exchanges[0].headers["x-amzn-requestid"] == "r1"
    assert exchanges[0].response_bytes == 5


def test_two_requests_at_once_get_a_connection_each():
    with serving(answering(0.1, ANSWER)) as server:
        transport = ConnectionPool()
        jobs = [gevent.spawn(ask, server, transport=transport) for _ in range(2)]
        gevent.sleep(0.05)
        assert server.connections == 2
        gevent.joinall(jobs)
    assert [job.value.error for job in jobs] == [None, None]


def test_an_idle_connection_that_the_server_closed_is_replaced_before_sending():
    with serving(answering(ANSWER, close=True)) as server:
        transport = ConnectionPool()
        first = ask(server, transport=transport)
        gevent.sleep(0.1)
        second = ask(server, transport=transport)
    assert (first.reconnect, second.reconnect, second.error) == (1, 1, None)
    assert server.connections == len(server.requests) == 2


def test_connection_close_is_not_reused():
    closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serving(answering(closing)) as server:
        transport = ConnectionPool()
        assert [ask(server, transport=transport).reconnect for _ in range(2)] == [1, 1]


def test_an_answer_that_goes_on_after_its_end_is_not_reused():
    with serving(answering(ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        transport = ConnectionPool()
        exchanges = [ask(server, transport=transport) for _ in range(2)]
    assert [(e.reconnect, body(e), e.error) for e in exchanges] == [(1, b"hello", None)] * 2


@pytest.mark.parametrize(
    ("pieces", "close"),
    [
        ((CHUNKED, b"3\r\nhel\r\n", 0.01, b"2;x=y\r\nlo\r\n0\r\n\r\n"), False),
        ((CHUNKED[:20], 0.01, CHUNKED[20:] + b"5\r", 0.01, b"\nhel", 0.01, b"lo\r\n0\r\nTrailer: t\r\n\r\n"), False),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", 0.01, b"llo"), False),
        ((b"HTTP/1.1 200 OK\r\n\r\nhe", 0.01, b"llo"), True),  # until the connection closes
    ],
    ids=["chunked", "chunked, cut anywhere", "content-length", "until close"],
)
def test_every_framing_gives_the_whole_body(pieces, close):
    with serving(answering(*pieces, close=close)) as server:
        exchange = ask(server)
    assert (body(exchange), exchange.ended, exchange.error, exchange.status) == (b"hello", True, None, 200)


def test_an_answer_without_a_body_ends():
    with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        exchange = ask(server)
    assert (exchange.chunks, exchange.ended, exchange.error) == ([], True, None)


def test_pieces_are_stamped_when_they_arrive():
    """Ten pieces 20 ms apart; the clock of both sides is the same."""
    sent = []

    def script(connection, server):
        receive(connection)
        connection.sendall(CHUNKED)
        for _ in range(10):
            time.sleep(0.02)
            sent.append(time.perf_counter())
            connection.sendall(b"1\r\nx\r\n")
        connection.sendall(b"0\r\n\r\n")

    with serving(script) as server, waits() as waited:
        exchange = ask(server)
    assert body(exchange) == b"x" * 10
    late = [arrived - left for (arrived, _), left in zip(exchange.chunks, sent, strict=True)]
    assert min(late) >= 0
    assert exchange.sent_at < exchange.chunks[0][0] <= exchange.chunks[-1][0] <= exchange.done_at
    assert (
        max(*late, exchange.done_at - exchange.chunks[-1][0]) < 0.003 + waited.s
    )  # all that both sides stood in line for a core
    assert statistics.median(late) < 0.003


def test_the_deadline_ends_a_request_without_an_answer():
    with serving(answering(2.0)) as server:
        exchange = ask(server, timeout_s=0.3)
    assert (exchange.error, exchange.status, exchange.ended) == ("read_timeout", None, False)
    assert 0.28 < exchange.done_at - exchange.sent_at < 0.6


def test_the_deadline_counts_from_the_send_whatever_kept_the_loop_before():
    """The loop's own time is then as old as what kept it: 0.8 s of the 1 s that the answer has."""
    with serving(answering(0.4, ANSWER)) as server:
        transport = ConnectionPool()
        ask(server, transport=transport)  # connects
        gevent.sleep(0.01)  # the loop wakes this greenlet ...
        time.sleep(0.8)  # ... and is kept
        exchange = ask(server, timeout_s=1.0, transport=transport)
    assert (exchange.error, exchange.reconnect) == (None, 0)


def test_the_deadline_ends_an_answer_that_keeps_coming_and_what_came_is_kept():
    pieces = [piece for _ in range(20) for piece in (b"1\r\nx\r\n", 0.05)]
    with serving(answering(CHUNKED, *pieces)) as server:
        exchange = ask(server, timeout_s=0.32)
    assert (exchange.error, exchange.status, exchange.ended) == ("read_timeout", 200, False)
    assert 4 <= len(body(exchange)) <= 7  # one piece in 50 ms for 320 ms
    assert 0.3 < exchange.done_at - exchange.sent_at < 0.6


@pytest.mark.parametrize(
    ("before", "status", "where"),
    [
        (b"", None, "before the answer began"),
        (ANSWER[:-2], 200, "in mid-answer"),
        (CHUNKED + b"5\r\nhel", 200, "in mid-answer"),
    ],
)
@pytest.mark.parametrize("end", ["closed", "reset"])
def test_a_broken_connection_says_where_it_broke(before, status, where, end):
    def script(connection, server):
        receive(connection)
        connection.sendall(before)
        time.sleep(0.05)
        if end == "reset":
            reset(connection)

    with serving(script) as server:
        exchange = ask(server)
    assert (exchange.error, exchange.status, exchange.ended) == ("stream_broken", status, False)
    assert where in exchange.error_message


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00\x01\x02\x03" * 10, CHUNKED + b"zz\r\nhello"])
def test_bytes_that_are_not_http_are_a_bad_response(answer):
    with serving(answering(answer, 0.2)) as server:
        exchange = ask(server)
    assert exchange.error == "bad_response" and exchange.error_message.startswith("not HTTP: ")


def test_a_request_larger_than_the_sockets_buffer_arrives_whole():
    with serving(answering(ANSWER)) as server:
        exchange = ask(server, big(20_000_000))
    assert (exchange.error, body(exchange)) == (None, b"hello")
    assert server.requests == [big(20_000_000)]


def deaf(answer: bytes):
    def script(connection, server):
        connection.recv(100)
        connection.sendall(answer)
        time.sleep(1.5)

    return script


def test_the_deadline_holds_while_the_request_is_still_being_sent():
    with serving(deaf(b"")) as server:
        exchange = ask(server, big(20_000_000), timeout_s=0.3)
    assert exchange.error == "read_timeout"
    assert exchange.done_at - exchange.sent_at < 0.7


def test_an_answer_before_the_request_is_sent_ends_it_at_once_and_the_connection_is_not_reused():
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    with serving(deaf(refusal)) as server:
        transport = ConnectionPool()
        exchange = ask(server, big(20_000_000), transport=transport)
        assert (exchange.status, exchange.error) == (413, None)
        assert exchange.done_at - exchange.sent_at < 0.7
        ask(server, transport=transport)
    assert server.connections == 2


def test_a_greenlet_killed_in_mid_request_leaves_nothing_behind():
    with serving(answering(CHUNKED, 0.5, b"0\r\n\r\n")) as server:
        transport = ConnectionPool()
        job = gevent.spawn(ask, server, transport=transport)
        gevent.sleep(0.1)
        job.kill()
        assert isinstance(job.value, gevent.GreenletExit)
        assert ask(server, transport=transport).reconnect == 1  # the broken one is not in the pool


def test_an_exception_inside_the_loops_callback_ends_the_request_as_internal(monkeypatch):
    def broken(self, data):
        raise RuntimeError("a bug")

    with serving(answering(ANSWER)) as server:
        monkeypatch.setattr(Framing, "on_body", broken)
        began = time.perf_counter()
        exchange = ask(server)
        assert (exchange.error, exchange.error_message) == ("internal", "RuntimeError: a bug")
        monkeypatch.undo()
        monkeypatch.setattr(Connection, "_receive", lambda self: 1 / 0)
        exchange = ask(server)
        assert (exchange.error, exchange.error_message) == ("internal", "ZeroDivisionError: division by zero")
    assert time.perf_counter() - began < 2


def test_users_that_warm_in_one_instant_open_no_more_connections_than_they_are():
    """Ten look before the first connection stands; four are needed."""
    with serving(answering(ANSWER)) as server:
        transport = ConnectionPool()

        def warm():
            if transport.standing(http(server.port)) < 4:
                assert transport.open(http(server.port)) is None

        gevent.joinall([gevent.spawn(warm) for _ in range(10)], raise_error=True)
        assert transport.standing(http(server.port)) == 4
        gevent.sleep(0.1)
        assert server.connections == 4
