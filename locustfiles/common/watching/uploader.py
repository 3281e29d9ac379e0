"""A run whose --run-dir is in S3: the process beside it that sends its folder there, begun, told and heard.

Nothing here asks S3, nor loads what does: a request that waits for S3, or a second of its library's loading, is that process's alone.
"""

import contextlib
import json
import logging
import pathlib
import typing
import uuid

import gevent
import gevent.event

from locustfiles.common.watching.child import Child, begin
from locustfiles.common.watching.pipes import lines, write
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.s3.address import Address
from locustfiles.contract.visible import visible

log = logging.getLogger("swarmledger")
MODULE = "locustfiles.contract.s3"
AGAIN_S, TRIES = 5.0, 3  # a process that has ended is begun again after so long, so often
CLOSE_S = 5.0  # to give the lease back


class Uploader:
    """Of one run. `holder` is its name in the lease, which a second process of the same run takes over."""

    def __init__(self, address: Address, encryption: str) -> None:
        self.address, self._encryption, self._holder = address, encryption, uuid.uuid4().hex
        self._child: Child | None = None
        self._hearing: gevent.Greenlet | None = None
        self._errors: gevent.Greenlet | None = None
        self._ending = False
        self._answer: gevent.event.AsyncResult = gevent.event.AsyncResult()
        self._folder: pathlib.Path | None = None  # that is followed
        self._tries = 0
        self._last_words = ""

    def open(self, mode: str, folder: pathlib.Path) -> bool:
        """Hold the address, and have in `folder` what is there of the run, where it goes on: whether it does. Raises BadInput."""
        self._begin()
        answer = self._ask({"do": "open", "mode": mode, "folder": str(folder)})
        if "opened" not in answer:
            raise BadInput(answer.get("error") or self._ended())
        return bool(answer["resume"])

    def follow(self, folder: pathlib.Path) -> None:
        """The run has begun: what grows there is sent from now on."""
        self._folder = folder
        self._tell({"do": "follow", "folder": str(folder)})

    def end(self, folder: pathlib.Path) -> str | None:
        """Wait until the rest is sent; why not all of it is, or None."""
        if self._folder is None:
            return None
        self._folder, self._ending = None, True
        answer = self._ask({"do": "end", "folder": str(folder)})
        self._ending = False
        self.close()
        return answer["left"] if "ended" in answer else self._ended()

    def skip(self) -> bool:
        """The rest is not waited for; False where nothing is."""
        if self._ending and not self._answer.ready():
            self._answer.set({"ended": True, "left": "its end was not waited for; send the rest"})
            return True
        return False

    def close(self) -> None:
        """End the process, which gives the lease back."""
        for each in (self._hearing, self._errors):
            if each:
                each.kill()
        if self._child:
            self._child.end(CLOSE_S)
        self._child = self._hearing = self._errors = None

    def _begin(self) -> None:
        """Raises BadInput."""
        arguments = [str(self.address), self._holder, self._encryption]
        try:
            self._child = begin(arguments, module=MODULE)
        except OSError as e:
            raise BadInput(
                f"{self.address}: the process that sends to it cannot be begun ({e.strerror}); free memory"
            ) from None
        self._errors = gevent.spawn(self._hear_errors, self._child)
        self._hearing = gevent.spawn(self._hear, self._child, self._errors)

    def _ask(self, told: dict[str, typing.Any]) -> dict[str, typing.Any]:
        self._answer = gevent.event.AsyncResult()
        self._tell(told)
        if self._hearing is None or self._hearing.dead:
            return {}
        answer: dict[str, typing.Any] = self._answer.get()
        return answer

    def _tell(self, told: dict[str, typing.Any]) -> None:
        with contextlib.suppress(OSError):  # it has ended, which is heard
            if self._child:
                write(self._child.stdin, json.dumps(told).encode() + b"\n")

    def _hear(self, child: Child, errors: gevent.Greenlet) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines(child.stdout):
                told = json.loads(line)
                if "say" in told or "warn" in told:
                    text = visible(str(told.get("say") or told.get("warn")))
                    (log.info if "say" in told else log.warning)("%s", text)
                else:
                    self._answer.set(told)
        errors.join(0.5)
        if not self._answer.ready():
            self._answer.set({})
        elif self._folder:
            gevent.spawn(self._again, child, self._folder)

    def _again(self, child: Child, folder: pathlib.Path) -> None:
        """Its process has ended in mid-run: another one goes on."""
        log.warning("%s: %s", self.address, self._ended())
        child.end()
        self._child = None
        gevent.sleep(AGAIN_S)
        self._tries += 1
        if self._tries > TRIES or self._folder != folder:
            return
        try:
            self._begin()
            answer = self._ask({"do": "open", "mode": "again", "folder": str(folder)})
        except BadInput as e:
            log.warning("%s", e)
            return
        if "opened" in answer:
            self.follow(folder)
        else:
            log.warning("%s", answer.get("error") or self._ended())

    def _hear_errors(self, child: Child) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines(child.stderr):
                self._last_words = visible(line.decode(errors="replace")).strip() or self._last_words

    def _ended(self) -> str:
        return f"the process that sends the run to S3 has ended ({self._last_words or 'without a word'}); tell us"
