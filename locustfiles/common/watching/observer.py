"""The observer: `python -m analysis watch -`, a process that reads the run folder while the run writes it.

Twice a second it is told, in a line of JSON, how the load stands and what is wanted; it answers in lines of `KIND JSON`, the
last of which is `done`. What it says is passed on as it comes: nothing is worked out in the loop that measures.
"""

import json
import logging
import time
import typing

import gevent
import gevent.event
from gevent.fileobject import FileObjectPosix

from locustfiles.common.watching.child import Child, begin

log = logging.getLogger("swarmledger")
EVERY_S = 0.5
ANSWER_S = 60.0  # what takes longer has stopped; the first answer loads the libraries
AGAIN_S = 10.0  # an observer that has ended is begun again after so long
TRIES = 3  # in a row that ended without an answer
LOOKED_S = 5.0  # a page that was looked at so long ago is closed
NOTHING = b"null"


class Observer:
    """`latest`: kind -> the JSON of its last answer: figures, metrics, screen, lines. Nothing runs before it is wanted."""

    def __init__(
        self, status: typing.Callable[[], dict[str, typing.Any]], arguments: typing.Sequence[str] = ()
    ) -> None:
        """status() -> how the load stands, as the JSON endpoint has it."""
        self._status, self._arguments = status, list(arguments)
        self._wanted: dict[str, typing.Any] = {}
        self._looked_at: float | None = None
        self._begun = gevent.event.Event()  # something is wanted
        self._greenlet: gevent.Greenlet | None = None
        self._said: set[str] = set()
        self.latest: dict[str, bytes] = {}
        self.seq = 0  # of the last answer
        self.answered = gevent.event.Event()

    def want(self, **kinds: typing.Any) -> None:
        """From now on these are asked for, each with its argument: figures=True, screen=[columns, rows]; None: no more."""
        self._wanted = {kind: of for kind, of in (self._wanted | kinds).items() if of is not None}
        self._wake()

    def document(self, after: int = -1, wait_s: float = 1.0) -> bytes:
        """What the JSON endpoint answers: how the load stands now, and the figures that were last worked out. Waits for newer
        ones than `after`, at most so long. While it is asked now and then the figures are worked out."""
        self._looked_at = time.monotonic()
        self._wake()
        if after >= self.seq:
            self.answered.wait(wait_s)
        load = json.dumps(self._status(), allow_nan=False).encode()
        figures = self.latest.get("figures", NOTHING)
        return b'{"version": 1, "seq": %d, "load": %s, "figures": %s}' % (self.seq, load, figures)

    def _wake(self) -> None:
        self._begun.set()
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._keep)

    def _asked(self) -> dict[str, typing.Any]:
        """What is wanted now; nothing: nobody looks."""
        looked = self._looked_at is not None and time.monotonic() - self._looked_at < LOOKED_S
        return self._wanted | ({"figures": True} if looked else {})

    def _keep(self) -> None:
        tries = 0
        while tries < TRIES:
            try:
                child = begin(["watch", "-", *self._arguments])
            except OSError as e:
                self._say(f"figures are not shown: their process cannot be begun ({e.strerror})")
                return
            before, errors = self.seq, gevent.spawn(self._tell_errors, child)
            try:
                self._serve(child)
            except (OSError, ValueError, gevent.Timeout) as e:
                gevent.sleep(0.1)  # for its last words
                self._say(f"figures are not shown for {AGAIN_S:g} s: their process has ended ({e})")
            finally:
                errors.kill()
                child.end()
            tries = tries + 1 if self.seq == before else 0
            self.latest.clear()
            gevent.sleep(AGAIN_S)
        self._say("figures are not shown any more: see the lines above")

    def _serve(self, child: Child) -> None:
        """Raises OSError when it has ended, ValueError when it answers what is no answer, Timeout when it does not."""
        with (
            FileObjectPosix(child.stdin, "wb", close=False) as to,
            FileObjectPosix(child.stdout, "rb", close=False) as of,
        ):
            while True:
                if not (wanted := self._asked()):
                    self._begun.clear()
                    self._begun.wait()
                    continue
                with gevent.Timeout(ANSWER_S):
                    to.write(json.dumps({"load": self._status(), "want": wanted}, allow_nan=False).encode() + b"\n")
                    to.flush()
                    self._take(of)
                self.seq += 1
                self.answered.set()
                self.answered.clear()
                gevent.sleep(EVERY_S)

    def _take(self, of: typing.BinaryIO) -> None:
        while (line := of.readline().rstrip(b"\n")) != b"done":
            kind, space, answer = line.partition(b" ")
            if not space:
                raise ValueError("it said nothing more" if not line else "it does not speak as expected")
            self.latest[kind.decode(errors="replace")] = answer

    def _tell_errors(self, child: Child) -> None:
        """What it says on its standard error is a line of the log; of a traceback the last one tells."""
        with FileObjectPosix(child.stderr, "rb", close=False) as of:
            for line in of:
                text = line.decode(errors="replace").rstrip()
                if text and not text.startswith(("Traceback", " ")):
                    self._say(f"figures: {text.removeprefix('error: ')}")

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            log.warning("%s", line)
