"""Reports made while people look: `python -m analysis report`, in a process of its own, nice, one at a time."""

import contextlib
import os
import pathlib
import re
import time

import gevent
import gevent.lock

from locustfiles.common.watching.child import begin
from locustfiles.common.watching.pipes import lines

NICE = 19  # whoever measures goes first
KEPT = 20_000  # characters of what it said, its end
_ERROR = re.compile(r"^error: (.*)$", re.MULTILINE)


class Making:
    """A report that is waited for, under way, made or failed."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder  # that it is written into
        self.began_at: float | None = None  # what is newer may not be in it
        self.made_at: float | None = None  # as its file says
        self.error: str | None = None
        self.done = gevent.event.Event()


class ReportMaker:
    """One report at a time, in the order they were asked for."""

    def __init__(self) -> None:
        self._alone = gevent.lock.BoundedSemaphore()
        self._makings: dict[pathlib.Path, Making] = {}

    def of(self, run: pathlib.Path) -> Making | None:
        """The last one that was asked for of this run's folder."""
        return self._makings.get(run)

    def make(self, run: pathlib.Path, folder: pathlib.Path) -> Making:
        """Begin to make it, unless it is under way."""
        last = self._makings.get(run)
        if last and not last.done.is_set():
            return last
        making = self._makings[run] = Making(folder)
        gevent.spawn(self._make, run, making)
        return making

    def _make(self, run: pathlib.Path, making: Making) -> None:
        with self._alone:
            making.began_at = time.time()
            try:
                said = _output(["report", str(run.absolute()), "--out", str(making.folder.absolute())])
            except OSError as e:
                making.error = f"its process cannot be begun ({e.strerror})"
            else:
                # by its file: whether its exit code can be had depends on who else waits for children
                making.made_at = _newer(making.folder / "report.html", making.began_at)
                if making.made_at is None:
                    found = _ERROR.findall(said)
                    making.error = found[-1] if found else said.strip()[-300:] or "it ended without a word"
            finally:
                making.done.set()


def _output(arguments: list[str]) -> str:
    """What it says until it ends, the end of it. Raises OSError."""
    child, said = begin(arguments, errors_apart=False), b""
    try:
        with contextlib.suppress(OSError):  # ended already
            os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
        for line in lines(child.stdout):
            said = (said + line + b"\n")[-KEPT:]
    finally:
        child.end()
    return said.decode(errors="replace")


def _newer(path: pathlib.Path, than: float) -> float | None:
    """When it was changed, if that was later."""
    try:
        changed_at = path.stat().st_mtime
    except OSError:
        return None
    return changed_at if changed_at >= than - 0.1 else None  # a file system's clock ticks slower
