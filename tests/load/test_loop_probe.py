"""The probe: CPU and the loop's lag over a window, and the lag of each exchange."""

import time

import gevent
import pytest

from locustfiles.common.calls.loop_probe import EVERY_S, LATELY_S, Probe
from locustfiles.common.transport.exchange import Exchange
from tests.helpers.wire_client import ANSWER, ask
from tests.helpers.wire_server import answering, serving

pytestmark = pytest.mark.timed


def busy(seconds: float) -> None:
    """Use the CPU for so long; the loop waits meanwhile."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_half_a_window_of_work_reads_as_half_a_core_and_as_lag():
    probe = Probe()
    gevent.sleep(2 * EVERY_S)
    probe.begin()
    began = time.perf_counter()
    busy(0.05)
    while time.perf_counter() - began < 0.1:
        gevent.sleep(0.005)
    load, wall = probe.read(), time.perf_counter() - began
    # 50 ms of CPU and a little for the loop itself, over the window's true length
    assert 0.05 / wall <= load["cpu"] < 0.05 / wall + 0.2
    # the timer that was due within 10 ms was called when the work ended: 40 to 50 ms late, or more if others ran as well
    assert 35 < load["lag_ms"] <= wall * 1000


def test_a_window_knows_nothing_of_the_one_before():
    """Not even of a lateness that no timer has told yet: 80 ms of work just before `begin` read as none of its lag."""
    probe = Probe()
    probe.begin()
    busy(0.08)
    assert probe.read()["lag_ms"] > 60
    busy(0.08)
    probe.begin()
    gevent.sleep(0.1)
    calm = probe.read()
    assert calm["cpu"] < 0.4  # 80 ms of work before would read as 0.8
    assert calm["lag_ms"] < 60


def test_a_reading_for_those_who_watch_is_of_the_last_second_and_leaves_the_windows_alone():
    probe = Probe()
    assert probe.lately() == {"in_flight": 0}  # no second is over yet
    probe.begin()
    busy(0.08)
    gevent.sleep(LATELY_S + 3 * EVERY_S)
    with probe.watch(Exchange()):
        late = probe.lately()
    assert late["in_flight"] == 1 and late["lag_ms"] > 60
    # 80 ms of CPU and a little for the loop itself, over a second
    assert 0.06 < late["cpu"] < 0.4
    gevent.sleep(LATELY_S + 3 * EVERY_S)
    calm, window = probe.lately(), probe.read()
    assert calm["lag_ms"] < 60 < window["lag_ms"]  # the window still knows of it
    assert calm["cpu"] < late["cpu"]


def test_an_exchange_has_the_worst_lag_while_it_lasted_and_counts_as_in_flight():
    probe = Probe()
    early, late = Exchange(), Exchange()
    with probe.watch(early):
        assert probe.count == 1
        gevent.sleep(2 * EVERY_S)
        with probe.watch(late):
            assert probe.count == 2
            time.sleep(0.08)
            gevent.sleep(2 * EVERY_S)
    assert probe.count == 0
    assert 0.06 < late.lag_s == early.lag_s
    after = Exchange()
    with probe.watch(after):
        gevent.sleep(2 * EVERY_S)
    assert after.lag_s < 0.06


def test_a_greenlet_killed_in_mid_request_is_in_flight_no_more():
    def watched():
        with probe.watch(Exchange()):
            ask(server)

    probe = Probe()
    with serving(answering(0.3, ANSWER)) as server:
        job = gevent.spawn(watched)
        gevent.sleep(0.05)
        assert probe.count == 1
        job.kill()
    assert probe.count == 0
