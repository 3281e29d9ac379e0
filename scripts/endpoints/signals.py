"""Ctrl-C and its like: they break off what creates and waits, and never what deletes, unless they insist."""

import contextlib
import signal
import types
import typing

from scripts.endpoints.deletion import Say

NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
INSISTING = 3  # of them while something is deleted


class Stopped(BaseException):
    """A signal came. Not an Exception: nothing on the way may take it for a failure of its own."""


Handler = typing.Callable[[int, types.FrameType | None], None]


@contextlib.contextmanager
def handled(handler: Handler) -> typing.Iterator[None]:
    """Have these signals handled so for a while."""
    before = {number: signal.signal(number, handler) for number in NUMBERS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def stop(number: int, frame: types.FrameType | None) -> None:
    """More of them are passed over until whoever catches this has handlers of its own."""
    for each in NUMBERS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(signal.Signals(number).name)


@contextlib.contextmanager
def deleting(say: Say) -> typing.Iterator[None]:
    """Signals are answered, and the third is obeyed."""
    came = 0

    def answer(number: int, frame: types.FrameType | None) -> None:
        nonlocal came
        came += 1
        if came >= INSISTING:
            raise Stopped(signal.Signals(number).name)
        say(f"still deleting: {INSISTING - came} more, and what is left goes on costing until sweep-orphans")

    with handled(answer):
        yield
