"""A call that tries again when its stage ends or it is killed: what waits for it, and what it leaves behind."""

import time
import types

import gevent
import pytest

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from tests.helpers.calls import tgi
from tests.helpers.emulator_process import running_emulator
from tests.helpers.retries import GOOD, THROTTLED, call, retrying
from tests.helpers.wire_server import in_turn, serving

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]


@pytest.fixture(scope="module")
def emulator():
    endpoints = {"throttle": {"engine": "exact", "faults": {"throttle": 1.0}}}
    timed = {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 2000, "seed": 1}
    with running_emulator({"engines": {"exact": timed}, "endpoints": endpoints}) as e:
        yield e


def announced(sender: Sender) -> list[tuple[int, str]]:
    clear: list[tuple[int, str]] = []
    sender.on_clear = lambda spec, phase: clear.append((spec.stage, phase))
    return clear


def longest(sender: Sender) -> None:
    """Pauses are the longest that can be drawn, for a test that must know when they end."""
    sender._jitter = types.SimpleNamespace(uniform=lambda low, high: high)


def test_killed_in_a_pause_a_call_ends_at_once_and_the_stage_is_still_told_clear(emulator):
    sender, records = retrying(emulator.url, tgi("throttle"), attempts=5, base_s=10, max_s=10)
    longest(sender)
    clear = announced(sender)
    sender.announce(StageSpec(1, "t", "p", 1), "measure")
    job = gevent.spawn(call, sender)
    gevent.sleep(0.15)
    sender.announce(StageSpec(1, "t", "p", 1), "hold")
    assert clear == [] and len(records) == 1  # paused for ten seconds
    began = time.perf_counter()
    job.kill(timeout=1)
    assert job.dead and time.perf_counter() - began < 0.1
    assert clear == [(1, "hold")]
    assert [(r.error, r.attempt) for r in records] == [("throttled", 1)] and sender.probe.count == 0
    assert isinstance(job.value, gevent.GreenletExit)


def test_killed_in_a_later_attempt_it_is_cancelled_and_not_tried_again():
    with serving(in_turn(THROTTLED, 2.0, GOOD)) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", tgi("e", stream=False), base_s=0.001, max_s=0.001)
        job = gevent.spawn(call, sender)
        over = time.perf_counter() + 5
        while len(server.requests) < 2 and time.perf_counter() < over:
            gevent.sleep(0.01)
        gevent.sleep(0.15)
        job.kill(timeout=1)
    assert [(r.attempt, r.error) for r in records] == [(1, "throttled"), (2, "cancelled")]
    assert 100 < records[1].latency_ms < 1500 and len(server.requests) == 2


def test_a_stages_hold_waits_for_the_whole_call_with_its_pauses():
    with serving(in_turn(THROTTLED, 0.2, GOOD)) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", tgi("e", stream=False), base_s=0.2, max_s=0.2)
        longest(sender)
        clear = announced(sender)
        spec = StageSpec(1, "t", "p", 1)
        sender.announce(spec, "measure")
        job = gevent.spawn(call, sender)
        gevent.sleep(0.1)
        sender.announce(spec, "hold")  # in the pause
        gevent.sleep(0.15)
        assert clear == [] and sender.probe.count == 1  # in the second attempt
        job.join(5)
    assert clear == [(1, "hold")]
    assert [(r.attempt, r.phase, r.error) for r in records] == [(1, "measure", "throttled"), (2, "hold", None)]


def test_an_attempt_that_starts_in_the_window_is_awaited_although_its_call_began_before():
    with serving(in_turn(THROTTLED, 0.3, GOOD)) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", tgi("e", stream=False), base_s=0.2, max_s=0.2)
        longest(sender)
        clear = announced(sender)
        spec = StageSpec(1, "t", "p", 1)
        sender.announce(spec, "settle")
        job = gevent.spawn(call, sender, "settle")
        gevent.sleep(0.1)
        sender.announce(spec, "measure")  # in the pause
        gevent.sleep(0.2)
        sender.announce(spec, "hold")  # in the second attempt, which is in the window
        assert clear == [(1, "settle")] and sender.probe.count == 1
        job.join(5)
    assert [(r.attempt, r.phase) for r in records] == [(1, "settle"), (2, "measure")]
    assert clear == [(1, "settle"), (1, "hold")]


def test_the_next_stage_waits_for_a_call_of_the_last_one_that_is_still_trying():
    with serving(in_turn(THROTTLED, 0.2, GOOD)) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", tgi("e", stream=False), base_s=0.2, max_s=0.2)
        longest(sender)
        clear = announced(sender)
        sender.announce(StageSpec(1, "t", "p", 1), "hold")
        job = gevent.spawn(call, sender, "hold")
        gevent.sleep(0.1)
        sender.announce(StageSpec(2, "t", "p", 1), "settle")
        gevent.sleep(0.2)
        assert clear == [(1, "hold")]
        job.join(5)
    assert clear == [(1, "hold"), (2, "settle")]
    assert [(r.attempt, r.stage, r.phase) for r in records] == [(1, 1, "hold"), (2, 1, "hold")]
