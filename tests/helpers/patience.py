"""Patience with a busy machine: facts are waited for, times are judged beside what the machine took of them.

until(lambda: endpoint.stats()["requests"] >= 40, "40 requests")    a fact, however late it comes
with waits() as waited: ...; assert took < 0.5 + waited.s           a time, and how long its processes stood in line for a core
@repeated                                                           a measurement that is tried again, above all where it shared
def test_…():                                                       the machine; it fails where no try is good
"""

import contextlib
import dataclasses
import functools
import os
import pathlib
import threading
import time
import typing

import psutil

#: for what is sure to come: ten times and more of what it takes on a machine with nothing else to do
LONGEST_S = 300
#: cores that others may use while a machine still counts as the test's own
OWN = 0.1
#: a measurement is tried so often on a machine of its own (a kernel has work, too), and so often on one that it shares
TRIES, TRIES_SHARED = 3, 8


def until(fact: typing.Callable[[], object], what: object = "", timeout_s: float = LONGEST_S, every_s: float = 0.05):
    """Poll until `fact()` is true, and return it. `what` is told where it never is; a function of it is called only then."""
    over = time.monotonic() + timeout_s
    while not (found := fact()):
        assert time.monotonic() < over, f"not within {timeout_s} s: {what() if callable(what) else what}"
        time.sleep(every_s)
    return found


@dataclasses.dataclass
class Waited:
    """Seconds in which this process, or one of those beside it, could have run and had no core."""

    s: float = 0.0


_ended_threads = Waited()  # of server threads of this process: their lines of /proc go with them


def queued_s(pid: int | str) -> float:
    """What the kernel counted for all threads of a process: seconds ready to run without a core to run on."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            total += int(task.read_text().split()[1])
    return total / 1e9


def thread_ends() -> None:
    """For a thread to call when it ends: its waits stay known."""
    with contextlib.suppress(OSError):
        _ended_threads.s += int(pathlib.Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


@contextlib.contextmanager
def waits(*pids: int):
    """Measures them from here to the end of the block, of this process and of `pids`; the machine's own work, a slow program's
    above all, is not in it: a bound that grows by them is as strict for the program as on a machine that is idle."""
    waited = Waited()
    before = _ended_threads.s + sum(map(queued_s, ("self", *pids)))
    try:
        yield waited
    finally:
        waited.s = _ended_threads.s + sum(map(queued_s, ("self", *pids))) - before


class Machine:
    """How much of the cores went to processes that are neither this one nor its children."""

    def __init__(self) -> None:
        self._began, self._busy, self._mine = time.monotonic(), self._all_s(), self._own_s()

    def others(self) -> float:
        """Cores, on average since this was made."""
        took = max(time.monotonic() - self._began, 0.01)
        return max(0.0, self._all_s() - self._busy - (self._own_s() - self._mine)) / took

    @staticmethod
    def _all_s() -> float:
        fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        user, nice, system, _, _, irq, softirq = map(int, fields[:7])
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own_s() -> float:
        """With the children that have ended and were waited for."""
        total, this = 0.0, psutil.Process()
        for process in (this, *this.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:4])
        return total


def repeated(test):
    """A measurement that fails is made again: what is wrong is wrong each time, what was late only where others had the core.
    A test that is wrong on a machine of its own has failed after TRIES; none passes without one good try."""

    @functools.wraps(test)
    def trying(*args, **kwargs):
        for number in range(1, TRIES_SHARED):
            machine = Machine()
            try:
                return test(*args, **kwargs)
            except AssertionError:
                if number >= TRIES and machine.others() < OWN:
                    raise
        return test(*args, **kwargs)

    return trying


@contextlib.contextmanager
def timer(every_s: float):
    """A bare timer beside what is measured: the list of how late it rang each time, s. A control for whatever should ring on time."""
    late: list[float] = []
    over = threading.Event()

    def ring() -> None:
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            late.append(max(0.0, time.monotonic() - due))
            due = max(due + every_s, time.monotonic())

    thread = threading.Thread(target=ring, daemon=True)
    thread.start()
    try:
        yield late
    finally:
        over.set()
        thread.join()
