"""Work in a child of this process: it begins with all that is known here, and its memory goes back to the system with it."""

import json
import os
import signal
import typing

from locustfiles.contract.bad_input import BadInput

BLOCK = 1 << 16


class Failed(Exception):
    """The child could not do it; the text says why."""


class Forked:
    """work() in a child; its answer, what JSON can hold, comes by a pipe. Only for a process of one thread."""

    def __init__(self, work: typing.Callable[[], typing.Any]) -> None:
        self._of, to = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            _work(work, to)
        os.close(to)
        os.set_blocking(self._of, False)
        self._text = bytearray()

    def answer(self) -> typing.Any:
        """None while it is not there yet. Raises Failed."""
        while True:
            try:
                block = os.read(self._of, BLOCK)
            except BlockingIOError:
                return None
            if not block:
                break
            self._text += block
        os.close(self._of)
        os.waitpid(self._pid, 0)
        if not self._text:
            raise Failed("their process was ended")
        found = json.loads(self._text)
        if "failed" in found:
            raise Failed(found["failed"])
        return found["done"]

    def end(self) -> None:
        """Without its answer."""
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._of)
        os.waitpid(self._pid, 0)


def _work(work: typing.Callable[[], typing.Any], to: int) -> typing.NoReturn:
    """Nothing of the parent's is run when it ends: neither what closes its files nor what prints its errors."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for theirs in (0, 1):
            os.dup2(nowhere, theirs)
        try:
            text = json.dumps({"done": work()}, allow_nan=False)
        except (BadInput, OSError) as e:
            text = json.dumps({"failed": str(e)})
        except Exception as e:  # our own bug: told in a line
            text = json.dumps({"failed": f"{type(e).__name__}: {e}"})
        with open(to, "wb") as pipe:
            pipe.write(text.encode())
    finally:
        os._exit(0)
