"""A terminal as a person sees it: a program on a pseudo-terminal, and its screen by an emulator.

with terminal(command, columns=80, rows=24) as t: t.until("stage 1 of 2"); t.type("y\n"); t.lines(); t.end()
"""

import codecs
import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte

from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import environment
from tests.helpers.patience import LONGEST_S

ANSWER_S = 0.02
#: a session of its own, whose terminal its standard input is; the signals of keys go to all that run in it, as from a shell:
#: a program that was begun in the background, as tests may be, does not hear Ctrl-C
OWN_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """`raw`: all bytes that came; `seen`: the screen that was looked at last."""

    def __init__(self, process: subprocess.Popen, ours: int, columns: int, rows: int) -> None:
        self.process, self._ours = process, ours
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=1e-9)
        self._stream, self._decode = pyte.Stream(self.screen), codecs.getincrementaldecoder("utf-8")("replace")
        self.raw, self.seen = b"", list[str]()
        self.ended = False
        os.set_blocking(ours, False)

    def read(self) -> None:
        """What has come by now."""
        while not self.ended:
            try:
                piece = os.read(self._ours, 65536)
            except BlockingIOError:
                return
            except OSError:  # the other end is closed
                piece = b""
            self.ended = not piece
            self.raw += piece
            self._stream.feed(self._decode.decode(piece))

    def lines(self) -> list[str]:
        """The screen now, without the empty end of each line."""
        self.read()
        self.seen = [line.rstrip() for line in self.screen.display]
        return self.seen

    def scrolled(self) -> list[str]:
        """What has scrolled off its top."""
        return ["".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in self.screen.history.top]

    def all(self) -> list[str]:
        return [*self.scrolled(), *self.lines()]

    def until(self, text: str, away: bool = False) -> list[str]:
        """Wait until the screen shows the text, or (away) shows it no more; the screen then."""
        return self.until_so(lambda lines: (text in "\n".join(lines)) is not away, repr(text))

    def until_so(self, holds, what: str) -> list[str]:
        over = time.monotonic() + LONGEST_S
        while not holds(lines := self.lines()):
            assert not self.ended and time.monotonic() < over, f"never {what}:\n" + "\n".join(self.all())
            time.sleep(ANSWER_S)
        return lines

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        self.read()
        self.screen.resize(rows, columns)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def interrupt(self) -> None:
        self.type("\x03")

    def end(self) -> int:
        """Its exit code, when all that it said has come."""
        over = time.monotonic() + LONGEST_S
        while not self.ended:
            assert time.monotonic() < over, "\n".join(self.all())
            self.read()
            time.sleep(ANSWER_S)
        return self.process.wait()


@contextlib.contextmanager
def terminal(command: list[object], columns: int = 80, rows: int = 24, **env: str | None):
    """The program in a session of its own, whose terminal it is; killed at the end if it still runs."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", OWN_TERMINAL, *map(str, command)], cwd=ROOT,
        env=environment(TERM="xterm-256color", **env), stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(process, ours, columns, rows)
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
        os.close(ours)
