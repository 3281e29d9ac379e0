"""A worker's arrivals: handed to users when they are due, in order, and none of a stage that is over."""

import itertools
import time

import gevent
import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.arrivals import arrivals
from locustfiles.common.swarm.arrival_queue import ArrivalQueue

pytestmark = pytest.mark.timed


class Users:
    """Users that wait for arrivals: (arrival, perf_counter when it was handed over)."""

    def __init__(self, due: ArrivalQueue, count: int) -> None:
        self.due, self.got = due, []
        self.greenlets = [gevent.spawn(self._wait) for _ in range(count)]

    def _wait(self) -> None:
        while True:
            if arrival := self.due.next(0.5):
                self.got.append((arrival, time.perf_counter()))

    def end(self) -> None:
        gevent.killall(self.greenlets)


@pytest.fixture
def due():
    made = ArrivalQueue(Clock())
    yield made
    if made._greenlet:
        made._greenlet.kill()


@pytest.fixture
def users(due):
    waiting = Users(due, 3)
    gevent.sleep(0)
    yield waiting
    waiting.end()


def hand(at: float, prompt_tokens=None, max_tokens=None) -> tuple:
    return at, prompt_tokens, max_tokens


def test_arrivals_are_handed_over_when_they_are_due_and_in_that_order(due, users):
    due.begin(1)
    now = Clock().now()
    due.deal(1, [hand(now + 0.3), hand(now + 0.1)])
    gevent.sleep(0.02)
    due.deal(1, [hand(now + 0.2, 50, 7)])  # an earlier one than the heap's last, dealt later
    gevent.sleep(0.6)
    assert [round(arrival.at_s - users.got[0][0].at_s, 3) for arrival, _ in users.got] == [0.0, 0.1, 0.2]
    assert [(a.prompt_tokens, a.max_tokens) for a, _ in users.got] == [(None, None), (50, 7), (None, None)]
    assert all(-0.001 <= at - arrival.at_s < 0.1 for arrival, at in users.got)


def test_an_earlier_arrival_that_is_dealt_later_does_not_wait_for_the_first(due, users):
    due.begin(1)
    now = Clock().now()
    due.deal(1, [hand(now + 5)])
    gevent.sleep(0.05)
    due.deal(1, [hand(now + 0.1)])
    gevent.sleep(0.4)
    assert len(users.got) == 1


def test_a_new_stage_drops_what_was_left_of_the_one_before_and_finds_its_users_waiting(due, users):
    """Idle users stay at the queue: an arrival right after a stage's beginning waits for none of them."""
    due.begin(1)
    now = Clock().now()
    due.deal(1, [hand(now + 0.3 + n / 1000) for n in range(10)])
    gevent.sleep(0.1)
    due.begin(2)
    now = Clock().now()
    due.deal(1, [hand(now)])  # a message of the old stage that comes late
    due.deal(2, [hand(now + 0.02, 5)])
    gevent.sleep(0.5)
    ((arrival, at),) = users.got
    assert arrival.prompt_tokens == 5
    assert at - arrival.at_s < 0.1


def test_without_a_free_user_arrivals_wait_and_keep_their_due_time(due):
    due.begin(1)
    now = Clock().now()
    due.deal(1, [hand(now + 0.05), hand(now + 0.06)])
    gevent.sleep(0.3)
    late = [time.perf_counter() - due.next(0.1).at_s for _ in range(2)]
    assert 0.2 < late[1] < late[0] < 0.6
    assert due.next(0.01) is None


def test_what_waits_for_a_user_when_its_stage_ends_is_not_sent_in_the_next(due):
    due.begin(1)
    due.deal(1, [hand(Clock().now())] * 5)
    gevent.sleep(0.1)
    due.begin(None)
    due.begin(2)
    assert due.next(0.05) is None


def test_the_end_of_all_stages_leaves_nothing(due, users):
    due.begin(1)
    due.deal(1, [hand(Clock().now() + 0.1)])
    due.begin(None)
    due.deal(1, [hand(Clock().now())])
    gevent.sleep(0.3)
    assert users.got == []


def test_a_thousand_arrivals_a_second_are_handed_over_in_time(due, users):
    due.begin(1)
    start = Clock().now() + 0.1
    due.deal(1, [hand(start + n / 1000) for n in range(500)])
    gevent.sleep(1.0)
    late = sorted(at - arrival.at_s for arrival, at in users.got)
    assert len(late) == 500
    assert late[250] < 0.01 and late[0] > -0.001


def test_the_same_seed_makes_the_same_arrivals_at_the_planned_rate():
    """20,000 exponential gaps at 20/s take 1,000 s with a standard deviation of sqrt(20,000) / 20 = 7 s."""
    one, other, third = (
        [a.at_s for a in itertools.islice(arrivals(20, "poisson", seed), 20_001)] for seed in ("7/a", "7/a", "8/a")
    )
    assert one == other != third
    assert one[0] == 0 and abs(one[-1] - 1000) < 4 * 7.1
    constant = [a.at_s for a in itertools.islice(arrivals(20, "constant", "7/a"), 20_001)]
    assert constant[-1] == 1000 and constant[1] == 0.05  # by division: a sum of 0.05s would drift


def test_a_user_that_waits_is_woken_when_another_stage_begins(due):
    woken = []
    due.begin(1)
    waiting = [gevent.spawn(lambda: woken.append(due.next(60))) for _ in range(2)]
    gevent.sleep(0)
    due.begin(2)
    gevent.joinall(waiting, timeout=10)
    assert woken == [None, None]


def test_an_earlier_arrival_that_is_dealt_while_another_is_waited_for_goes_first(due, users):
    due.begin(1)
    now = Clock().now()
    due.deal(1, [hand(now + 60)])
    gevent.sleep(0.05)  # the queue sleeps for a minute by then
    due.deal(1, [hand(now + 0.1, 50)])
    with gevent.Timeout(10):
        while not users.got:
            gevent.sleep(0.01)
    assert users.got[0][0].prompt_tokens == 50
