"""The foot of a terminal: a frame that stays below whatever is printed.

The cursor always rests on an empty line above the frame, and everything below it is the frame's. So a line of another process
on the same terminal, an echoed ^C or a resized window tear nothing: the next drawing begins where the cursor is then. Text of
this process, by the logging or by anybody else on stderr or stdout, goes through here: the frame is erased before it and drawn
again behind it, in one write.
"""

import atexit
import collections
import logging
import os
import re
import sys
import typing

from locustfiles.common.watching.output import Output
from locustfiles.contract.visible import visible

ERASE = "\r\x1b[J"  # all from the cursor's line on
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"  # a line that is too long for a window that has just become narrower is cut
ALL_AT_ONCE, SHOW = "\x1b[?2026h", "\x1b[?2026l"  # terminals that know it draw without a flicker
CLEAR = "\x1b[2J\x1b[H"
CLOSE_S = 1.0
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")
_OPEN: list["Screen"] = []


def _harmless(line: str) -> str:
    """Colours stay; whatever else a terminal obeys is written out, or a text of others could move the cursor."""
    parts = _COLOUR.split(line.rstrip("\r"))
    return "".join(part if i % 2 else visible(part) for i, part in enumerate(parts))


def is_usable() -> bool:
    """Whether stderr is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


class Screen:
    """Of stderr. `begin` sends everything through it, `close` gives everything back."""

    def __init__(self) -> None:
        self._stderr, self._stdout = sys.stderr, sys.stdout
        self.output = Output(sys.stderr.fileno())
        self._encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        self._handlers: list[tuple[logging.StreamHandler, typing.Any]] = []
        self._frame: list[str] = []
        self._away = self._open = False
        self._begun = ""  # a line that is not ended yet
        self._size = self.size()
        self._last_lines: collections.deque[str] = collections.deque(maxlen=200)

    def begin(self) -> None:
        self._open = True
        _OPEN.append(self)
        above = Above(self, self._stderr)
        for handler in _handlers():
            if handler.stream in (self._stderr, self._stdout) and handler.stream.isatty():
                self._handlers.append((handler, handler.stream))
                handler.setStream(above)
        sys.stderr = above
        if self._stdout.isatty():
            sys.stdout = Above(self, self._stdout)
        atexit.register(self.close)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        try:
            columns, rows = os.get_terminal_size(self._stderr.fileno())
        except (OSError, ValueError):
            columns = rows = 0
        return columns or 80, rows or 24  # one that does not tell has none

    def show(self, frame: list[str]) -> None:
        """From now on this frame, cut to what has room."""
        self._frame = frame
        self.refresh()

    def refresh(self) -> None:
        """A terminal that is too slow for it gets the next one."""
        if self._open and not self._away and self.output.flush():
            self._put(self._repaired() + self._drawn())

    def write(self, text: str) -> None:
        """Above the frame; a line begun is written when it ends."""
        *whole, self._begun = (self._begun + text).split("\n")
        if lines := [_harmless(line) for line in whole]:
            self._last_lines.extend(lines)
            frame = self._drawn() if self.output.flush() else ""  # else it comes with the next picture
            before = "" if self._away else ERASE  # what somebody is typing stays
            self._put(before + "".join(f"{line}\r\n" for line in lines) + frame)

    def away(self, away: bool) -> None:
        """While somebody is asked a question, the terminal is theirs."""
        if self._open and away != self._away:
            self._away = away
            self._put(ERASE if away else self._drawn())

    def close(self) -> None:
        """The frame goes, what was begun is written. More than once does no harm."""
        if not self._open:
            return
        atexit.unregister(self.close)
        _OPEN.remove(self)
        for handler, stream in self._handlers:
            handler.setStream(stream)
        sys.stderr = self._stderr
        if isinstance(sys.stdout, Above):
            sys.stdout = self._stdout
        self._put(ERASE + _harmless(self._begun))
        self._open, self._begun = False, ""
        self.output.close(CLOSE_S)

    def _drawn(self) -> str:
        frame = self._frame[: max(0, self.size()[1] - 2)]
        if not frame or self._away:
            return ""
        lines = "".join(f"\r\n\x1b[K{line}" for line in frame)
        return f"{ALL_AT_ONCE}{NO_WRAP}\r\x1b[K{lines}\x1b[J\x1b[{len(frame)}A\r{WRAP}{SHOW}"

    def _repaired(self) -> str:
        """A window that has lost rows may have moved the frame away from the cursor: the end of what was said is said again."""
        before, self._size = self._size, self.size()
        columns, rows = self._size
        if rows >= before[1]:
            return ""
        left, lines = rows - min(len(self._frame), rows - 2) - 1, list[str]()
        for line in reversed(self._last_lines):
            left -= max(1, -(-len(line) // columns))
            if left < 0:
                break
            lines.append(line)
        return CLEAR + "".join(f"{line}\r\n" for line in reversed(lines))

    def _put(self, text: str) -> None:
        self.output.put(text.encode(self._encoding, "replace"))


def close_all() -> None:
    """Where the process ends at once."""
    while _OPEN:
        _OPEN[-1].close()


class Above:
    """A stream that writes above the frame; all else of it is the terminal's own."""

    def __init__(self, screen: Screen, stream: typing.TextIO) -> None:
        self._screen, self._stream = screen, stream

    def write(self, text: str) -> int:
        self._screen.write(text)
        return len(text)

    def writelines(self, lines: typing.Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._screen.output.flush()

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._stream, name)


def speak_above() -> None:
    """For a worker that shares its master's terminal: each of its lines takes the frame away, which its master draws again."""

    class Line:
        terminator = "\n"

        def __init__(self, stream: typing.TextIO) -> None:
            self._stream = stream

        def write(self, text: str) -> int:
            return self._stream.write(ERASE + text.replace("\n", "\r\n"))

        def __getattr__(self, name: str) -> typing.Any:
            return getattr(self._stream, name)

    for handler in _handlers():
        if handler.stream is sys.stderr and is_usable():
            handler.setStream(Line(sys.stderr))


def _handlers() -> list[logging.StreamHandler]:
    loggers = [logging.getLogger(), *map(logging.getLogger, ("locust", "locust.stats_logger"))]
    found = {id(h): h for one in loggers for h in one.handlers}
    return [
        h for h in found.values() if isinstance(h, logging.StreamHandler) and not isinstance(h, logging.FileHandler)
    ]
