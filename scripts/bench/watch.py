"""A look at a run as it goes: its client is paused in the measured windows, and what other programs take of its cores is noted."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import time
import typing

import psutil

from locustfiles.contract.record import FIELDS

_CLOCK = os.sysconf("SC_CLK_TCK")


class Pause(typing.NamedTuple):
    """The client stands still `for_s`, `times` times, each `gap_s` after the last."""

    for_s: float
    times: int = 1
    gap_s: float = 0.6

    @property
    def words(self) -> str:
        return f"paused {self.for_s:g} s" if self.times == 1 else f"paused {self.times} x {self.for_s:g} s"


class Watch:
    """Looks at a run as it goes: pauses its client in the windows, and notes who had the cores."""

    def __init__(
        self, pauses: tuple[Pause, ...], requests: pathlib.Path, client: subprocess.Popen, ours: dict[int, list[int]]
    ) -> None:
        """ours: core -> processes whose CPU there is not other programs'; the client's core, then the endpoint's."""
        self._pauses, self._requests, self._client, self._ours = pauses, requests, client, ours
        self._read = 0  # bytes of requests.csv
        self._paused: set[str] = set()  # stages
        self._acts: list[tuple[float, int]] = []  # (when, signal) to come
        self._random = random.Random(7)
        self._samples: list[tuple[float, ...]] = []  # (Unix seconds, CPU seconds of other programs on each core)

    def look(self) -> None:
        now = time.time()
        if not self._samples or now - self._samples[-1][0] >= 0.25:
            self._samples.append((now, *(_others_s(core, pids) for core, pids in self._ours.items())))
        if self._pauses and not self._acts and (stage := self._measuring()):
            self._plan(stage, time.monotonic())
        while self._acts and self._acts[0][0] <= time.monotonic():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._client.pid, self._acts.pop(0)[1])

    def _plan(self, stage: str, now: float) -> None:
        self._paused.add(stage)
        pause = self._pauses[(int(stage) - 1) % len(self._pauses)]
        at = now + self._random.uniform(0, 0.5)
        for _ in range(pause.times):
            self._acts += [(at, signal.SIGSTOP), (at + pause.for_s, signal.SIGCONT)]
            at += pause.for_s + pause.gap_s

    def _measuring(self) -> str | None:
        """A stage, not paused yet, of which a measured request has been written."""
        if not self._requests.exists():
            return None
        with open(self._requests, "rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        rows = [line.split(",") for line in whole.decode(errors="replace").splitlines()]
        stages = [
            r[FIELDS.index("stage")]
            for r in rows
            if len(r) > FIELDS.index("phase") and r[FIELDS.index("phase")] == "measure"
        ]
        return next((stage for stage in stages[-1:] if stage not in self._paused), None)

    def others(self, a: float, b: float) -> tuple[float, float] | None:
        """Shares of the client's and the endpoint's core that other programs took from a to b, Unix seconds."""
        inside = [s for s in self._samples if a <= s[0] <= b]
        if len(inside) < 2:
            return None
        (began, *before), (ended, *after) = inside[0], inside[-1]
        shares = [max(0.0, (later - earlier) / (ended - began)) for earlier, later in zip(before, after, strict=True)]
        return shares[0], shares[-1]


def _others_s(core: int, pids: list[int]) -> float:
    """Since start-up: CPU seconds on `core` less those of the processes that are ours."""
    t = psutil.cpu_times(percpu=True)[core]
    return sum(t) - t.idle - t.iowait - t.guest - t.guest_nice - sum(_cpu_s(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _CLOCK
