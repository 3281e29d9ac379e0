"""Several pieces of work, some of them done by a copy of this process on a second core.

What they read stays where it is: the copy has it by `fork`, and no report of many requests is sent anywhere. The copy writes files
and tells which pieces it has done; those that it does not tell of are done here, with whatever is wrong with them.
"""

import contextlib
import os
import pickle
import signal
import sys
import typing

Value = typing.TypeVar("Value")
Work = typing.Sequence[typing.Callable[[], Value]]


def side_by_side(work: Work[Value]) -> list[Value]:
    """What the pieces return, in their order. Raises what they raise."""
    if len(work) < 2 or not _second_core():
        return [piece() for piece in work]
    turns, give = os.pipe()  # a byte a piece: whoever reads it does that one
    os.write(give, bytes(range(len(work))))
    os.close(give)
    told, tell = os.pipe()
    copy = os.fork()
    if not copy:
        _be_the_copy(work, turns, tell)
    os.close(tell)
    try:
        with open(told, "rb") as file:
            done = dict(_in_turn(work, turns)) | dict(_told(file))
    except BaseException:
        os.kill(copy, signal.SIGKILL)
        raise
    finally:
        os.close(turns)
        os.waitpid(copy, 0)
    return [done[place] if place in done else piece() for place, piece in enumerate(work)]


def _second_core() -> bool:
    """Elsewhere than on Linux a copy may not go on where libraries hold threads."""
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _in_turn(work: Work[Value], turns: int) -> typing.Iterator[tuple[int, Value]]:
    while turn := os.read(turns, 1):
        yield turn[0], work[turn[0]]()


def _be_the_copy(work: Work[Value], turns: int, tell: int) -> typing.NoReturn:
    code = 1
    with contextlib.suppress(BaseException), open(tell, "wb") as file:
        for done in _in_turn(work, turns):
            pickle.dump(done, file)
        code = 0
    os._exit(code)  # what is open here is the original's


def _told(file: typing.BinaryIO) -> typing.Iterator[tuple[int, typing.Any]]:
    with contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(file)
