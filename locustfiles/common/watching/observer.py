"""The observer: `python -m analysis watch -`, a process that reads the run folder while the run writes it.

Twice a second it is told, in a line of JSON, how the load stands and what is wanted; it answers in lines of `KIND JSON`, the
last of which is `done`. What it says is passed on as it comes: nothing is worked out in the loop that measures.
"""

import contextlib
import json
import logging
import os
import typing

import gevent
import gevent.event
from gevent.fileobject import FileObjectPosix

from locustfiles.common.watching.child import Child, begin

log = logging.getLogger("swarmledger")
EVERY_S = 0.5
AGAIN_S = 10.0  # an observer that has ended is begun again after so long
NOTHING = b"null"


class Observer:
    """`latest`: kind -> the JSON of its last answer: figures, metrics, screen, lines. Nothing runs before `want`."""

    def __init__(
        self, status: typing.Callable[[], dict[str, typing.Any]], arguments: typing.Sequence[str] = ()
    ) -> None:
        """status() -> how the load stands, as the JSON endpoint has it."""
        self._status, self._arguments = status, list(arguments)
        self._wanted: dict[str, typing.Any] = {}
        self._greenlet: gevent.Greenlet | None = None
        self.latest: dict[str, bytes] = {}
        self.answered = gevent.event.Event()  # set after each round, for those that wait for the next one

    def want(self, **kinds: typing.Any) -> None:
        """From now on these are asked for, each with its argument: figures=True, screen=[columns, rows]."""
        self._wanted |= kinds
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._keep)

    def stop(self) -> None:
        if self._greenlet:
            self._greenlet.kill()

    def document(self) -> bytes:
        """What the JSON endpoint answers: how the load stands now, and the figures that were last worked out."""
        load = json.dumps(self._status(), allow_nan=False).encode()
        return b'{"version": 1, "load": %s, "figures": %s}' % (load, self.latest.get("figures", NOTHING))

    def _keep(self) -> None:
        while True:
            try:
                child = begin(["watch", "-", *self._arguments])
            except OSError as e:
                log.warning("figures are not shown: their process cannot be begun (%s)", e.strerror)
                return
            try:
                self._serve(child)
            except (OSError, ValueError) as e:
                log.warning("figures are not shown for %g s: their process has ended (%s)", AGAIN_S, e)
            finally:
                _end(child)
            self.latest.clear()
            gevent.sleep(AGAIN_S)

    def _serve(self, child: Child) -> None:
        """Raises OSError when it has ended, ValueError when it answers what is no answer."""
        with (
            FileObjectPosix(child.stdin, "wb", close=False) as to,
            FileObjectPosix(child.stdout, "rb", close=False) as of,
        ):
            while True:
                to.write(json.dumps({"load": self._status(), "want": self._wanted}, allow_nan=False).encode() + b"\n")
                to.flush()
                while (line := of.readline().rstrip(b"\n")) != b"done":
                    kind, space, answer = line.partition(b" ")
                    if not space:
                        raise ValueError("it said nothing more" if not line else "it does not speak as expected")
                    self.latest[kind.decode()] = answer
                self.answered.set()
                self.answered.clear()
                gevent.sleep(EVERY_S)


def _end(child: Child) -> None:
    """It ends when its input does."""
    for descriptor in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG)
