"""The observer: `python -m analysis watch -`, a process that reads the run folder while the run writes it.

Once a second, more seldom where lines of a log are all that is wanted, it is told, in a line of JSON, how the load stands and what
is wanted; it answers in lines of `KIND JSON`, the last of which is `done`. What it says is passed on as it comes: nothing is
worked out in the loop that measures.
"""

import collections
import contextlib
import json
import logging
import time
import typing

import gevent
import gevent.event

from locustfiles.common.watching.child import Child, begin
from locustfiles.common.watching.pipes import lines, write
from locustfiles.contract.visible import visible

log = logging.getLogger("swarmledger")
EVERY_S = 1.0
SELDOM_S = 2.5  # where nothing moves on a screen; what is answered is told at once
WAIT_S = 1.5  # at most, for newer figures: an answer without them would be one more for the loop that measures
FIRST_S = 300.0  # an answer that takes longer has stopped: it loads the libraries first, last of all on a busy machine
ANSWER_S = 60.0
AGAIN_S = 10.0  # an observer that has ended is begun again after so long
TRIES = 3  # in a row that ended without an answer
LOOKED_S = 5.0  # a page that was looked at so long ago is closed
END_S = 0.3  # from the end of its input to its own; it has nothing to lose
ERROR = "error: "
MOST_SAID = 20  # lines, of a process that complains of ever new things
NOTHING = b"null"
ENDS = {(b"{", b"}"), (b"[", b"]"), (b'"', b'"')}  # of the JSON of an answer


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
        self._soon = gevent.event.Event()  # and the next answer is waited for
        self._greenlet: gevent.Greenlet | None = None
        self._said: set[str] = set()
        self._last_words = ""  # of its process, on its standard error
        self.latest: dict[str, bytes] = {}
        self._answered_at: dict[str, float] = {}  # kind -> when, monotonic
        self._asking: collections.Counter[str] = collections.Counter()
        self.is_there = False  # its process, which may still load its libraries
        self.seq = 0  # of the last answer
        self.trouble: str | None = None  # why there are no figures
        self.answered = gevent.event.Event()

    def want(self, **kinds: typing.Any) -> None:
        """From now on these are asked for, each with its argument: figures=True, screen=[columns, rows]; None: no more."""
        before = self._wanted.keys()
        self._wanted = {kind: of for kind, of in (self._wanted | kinds).items() if of is not None}
        if self._wanted.keys() - before:
            self._soon.set()
        self._wake()

    def ask(self, kind: str, of: typing.Any, wait_s: float) -> bytes | None:
        """One answer from now on, within so long; None where there is none. What is not asked for is not worked out."""
        asked, wanted_before = time.monotonic(), self._wanted.get(kind)
        self._asking[kind] += 1
        self.want(**{kind: of})
        try:
            while self._answered_at.get(kind, 0.0) <= asked:
                left_s = asked + wait_s - time.monotonic()
                if left_s <= 0:
                    return None
                self.answered.wait(left_s)
            return self.latest.get(kind)
        finally:
            self._asking[kind] -= 1
            if not self._asking[kind]:
                self.want(**{kind: wanted_before if wanted_before is not of else None})

    def document(self, after: int = -1, wait_s: float = WAIT_S) -> bytes:
        """What the JSON endpoint answers: how the load stands now, and the figures that were last worked out. Waits for newer
        ones than `after`, at most so long. While it is asked now and then the figures are worked out."""
        if "figures" not in self._asked():
            self._soon.set()
        self._looked_at = time.monotonic()
        self._wake()
        if after >= self.seq:
            self.answered.wait(wait_s)
        load = json.dumps(self._status(), allow_nan=False).encode()
        figures, trouble = self.latest.get("figures", NOTHING), json.dumps(self.trouble).encode()
        return b'{"version": 1, "seq": %d, "load": %s, "figures": %s, "trouble": %s}' % (
            self.seq,
            load,
            figures,
            trouble,
        )

    def hurry(self) -> None:
        """The next answer is waited for."""
        self._soon.set()

    def _pause_s(self) -> float:
        """Until the next question."""
        asked = self._asked()
        every_s = asked["lines"].get("every_s") if asked.keys() == {"lines"} else None
        return EVERY_S if every_s is None else min(SELDOM_S, max(EVERY_S, every_s / 4))

    def _wake(self) -> None:
        self._begun.set()
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._keep)

    def _asked(self) -> dict[str, typing.Any]:
        """What is wanted now; nothing: nobody looks."""
        looked = self._looked_at is not None and time.monotonic() - self._looked_at < LOOKED_S
        return self._wanted | ({"figures": True} if looked else {})

    def stop(self) -> None:
        """End its process; nothing is shown any more."""
        if self._greenlet:
            self._greenlet.kill()

    def _keep(self) -> None:
        tries = 0
        while tries < TRIES:
            try:
                child = begin(["watch", "-", *self._arguments])
            except OSError as e:
                self._give_up(f"figures are not shown: their process cannot be begun ({e.strerror})")
                return
            self._last_words, self.is_there = "", True
            before, errors = self.seq, gevent.spawn(self._hear_errors, child, self.seq)
            try:
                self._serve(child)
            except (OSError, ValueError) as e:
                errors.join(0.5)  # for its last words
                why = self._last_words or str(e)
                # as where a package is missing: not otherwise next time
                if self.seq == before and why.startswith(ERROR):
                    self._give_up(f"figures are not shown: {why.removeprefix(ERROR)}")
                    return
                self._give_up(f"figures are not shown for {AGAIN_S:g} s: their process has ended ({why})")
            except Exception as e:  # our own bug: what is measured goes on, and is to be trusted
                self._give_up(f"figures are not shown any more: {type(e).__name__}: {e}; tell us")
                return
            finally:
                self.is_there = False
                errors.kill()
                child.end(END_S)
                self.latest.clear()
            tries = tries + 1 if self.seq == before else 0
            gevent.sleep(AGAIN_S)
        self._give_up("figures are not shown any more: their process ends again and again, see above")

    def _serve(self, child: Child) -> None:
        """Raises OSError when it has ended or does not answer, ValueError for what is no answer."""
        answers, patience_s = lines(child.stdout), FIRST_S
        while True:
            if not (wanted := self._asked()):
                self._begun.clear()
                self._begun.wait()
                continue
            with gevent.Timeout(patience_s, TimeoutError(f"no answer in {patience_s:g} s")):
                told = json.dumps({"load": self._status(), "want": wanted}, allow_nan=False).encode()
                write(child.stdin, told + b"\n")
                self._take(answers, wanted)
            patience_s = ANSWER_S
            self.seq, self.trouble = self.seq + 1, None
            self.answered.set()
            self.answered.clear()
            self._soon.wait(self._pause_s())
            self._soon.clear()

    def _take(self, answers: typing.Iterator[bytes], wanted: typing.Container[str]) -> None:
        """Up to `done`. What is no answer to what was wanted is never passed on."""
        for line in answers:
            if line == b"done":
                return
            kind, _, answer = line.partition(b" ")
            if kind.decode(errors="replace") not in wanted or (answer[:1], answer[-1:]) not in ENDS:
                raise ValueError(f"it says what is no answer: {line[:40].decode(errors='replace')!r}")
            self.latest[kind.decode()] = answer
            self._answered_at[kind.decode()] = time.monotonic()
        raise BrokenPipeError("it said nothing more")

    def _hear_errors(self, child: Child, before: int) -> None:
        """What it says on its standard error is never the terminal's: lines of its own are the log's, of all else the last is
        known when it has ended."""
        with contextlib.suppress(OSError, ValueError):
            for line in lines(child.stderr):
                text = visible(line.decode(errors="replace")).strip()
                if text.startswith(ERROR) and self.seq != before:
                    self._say(f"figures: {text.removeprefix(ERROR)}")
                elif text:
                    self._last_words = text

    def _give_up(self, why: str) -> None:
        """For now, or for good."""
        self.trouble = why
        self._say(why)

    def _say(self, line: str) -> None:
        if line not in self._said and len(self._said) < MOST_SAID:
            self._said.add(line)
            log.warning("%s", line)
