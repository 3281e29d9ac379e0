"""Deadlines of one exchange after the other on a connection: each its own, by one timer."""

import time

import gevent
import pytest

from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.deadline import Deadline
from tests.helpers.wire_client import ANSWER, ask
from tests.helpers.wire_server import receive, serving

pytestmark = pytest.mark.timed


def answers_the_first_alone(connection, server) -> None:
    receive(connection)
    connection.sendall(ANSWER)
    while receive(connection):
        pass


@pytest.mark.parametrize(("first_s", "then_s"), [(0.3, 0.3), (5.0, 0.2)], ids=["alike", "a shorter one"])
def test_the_second_request_has_its_own_deadline_whatever_the_first_one_had(first_s, then_s):
    with serving(answers_the_first_alone) as server:
        transport = ConnectionPool()
        first = ask(server, timeout_s=first_s, transport=transport)
        gevent.sleep(0.15)
        began = time.perf_counter()
        second = ask(server, timeout_s=then_s, transport=transport)
        took = time.perf_counter() - began
    assert (first.error, second.error, second.reconnect) == (None, "read_timeout", 0)
    assert then_s <= took < then_s + 0.1


def test_a_deadline_that_is_cleared_is_not_told_and_the_next_one_is():
    told = []
    deadline = Deadline(lambda: told.append(time.perf_counter()))
    began = time.perf_counter()
    deadline.set(began + 0.05)
    deadline.clear()
    gevent.sleep(0.1)
    assert told == []
    deadline.set(began + 0.2)
    gevent.sleep(0.3)
    assert len(told) == 1 and began + 0.2 <= told[0]
    deadline.close()
