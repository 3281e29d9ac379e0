"""The tests' own patience: it repeats what others made late, and fails for what is wrong."""

import os
import subprocess
import sys
import time

import pytest

from tests.helpers import patience


def tried(monkeypatch, others: float, good_at: int | None) -> tuple[int, bool]:
    """How often a measurement was made that is good at its n-th try (None: never), and whether it passed."""
    monkeypatch.setattr(patience.Machine, "others", lambda self: others)
    tries = []

    @patience.repeated
    def measurement() -> None:
        tries.append(1)
        assert len(tries) == good_at

    try:
        measurement()
    except AssertionError:
        return len(tries), False
    return len(tries), True


def test_what_is_wrong_each_time_fails_however_busy_the_machine(monkeypatch):
    assert tried(monkeypatch, others=2.0, good_at=None) == (patience.TRIES_SHARED, False)
    assert tried(monkeypatch, others=0.0, good_at=None) == (patience.TRIES, False)


def test_what_was_late_once_is_measured_again_and_longer_on_a_machine_that_is_shared(monkeypatch):
    assert tried(monkeypatch, others=0.0, good_at=2) == (2, True)
    assert tried(monkeypatch, others=2.0, good_at=6) == (6, True)
    assert tried(monkeypatch, others=0.0, good_at=6) == (patience.TRIES, False)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's counts of Linux")
def test_a_wait_for_a_core_is_counted_and_a_sleep_is_none():
    cores = os.sched_getaffinity(0)
    with subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) as spinning:
        try:
            os.sched_setaffinity(0, {min(cores)})
            os.sched_setaffinity(spinning.pid, {min(cores)})
            with patience.waits() as waited:
                began = time.monotonic()
                while (took := time.monotonic() - began) < 0.5:
                    pass
            with patience.waits() as asleep:
                time.sleep(0.5)
        finally:
            os.sched_setaffinity(0, cores)
            spinning.kill()
    assert 0.1 < waited.s <= took + 0.1  # two that share a core have half of it each
    assert asleep.s < 0.1


def test_a_fact_that_never_comes_is_named():
    with pytest.raises(AssertionError, match=r"not within 0.05 s: the flood"):
        patience.until(lambda: False, lambda: "the flood", timeout_s=0.05, every_s=0.01)
    assert patience.until(lambda: 7) == 7


def test_a_bare_timer_tells_how_late_it_rang():
    with patience.timer(0.01) as late:
        time.sleep(0.2)
    assert 1 <= len(late) <= 21 and min(late) >= 0
