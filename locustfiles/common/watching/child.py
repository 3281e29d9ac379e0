"""Programs beside a run, each in a process of its own, so that nothing of them runs in the loop that measures."""

import contextlib
import importlib.util
import os
import pathlib
import signal
import sys
import time
import typing

import gevent

import locustfiles
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import INSTALL

ROOT = pathlib.Path(locustfiles.__file__).resolve().parent.parent
END_S = 2.0  # from the end of its input to its own
NEEDED = "pandas"  # what an environment that only sends has not


def require(option: str) -> None:
    """Of an option whose figures such a program works out. Raises BadInput where there is none."""
    if importlib.util.find_spec(NEEDED) is None:
        raise BadInput(
            f"{option}: needs the analysis, which this Python has not ({sys.executable}: no package {NEEDED}); {INSTALL}"
        )


class Child(typing.NamedTuple):
    """A process that was begun; the descriptors are this side's ends of its pipes."""

    pid: int
    stdin: int
    stdout: int
    stderr: int

    def end(self, within_s: float = END_S) -> None:
        """Close its input, and end it, with what it has begun, where it does not end by that."""
        for descriptor in self[1:]:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            over = time.monotonic() + within_s
            while time.monotonic() < over:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    return
                gevent.sleep(0.02)
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def begin(arguments: list[str], errors_apart: bool = True, module: str = "analysis") -> Child:
    """`python -m MODULE ARGUMENTS` with pipes to its standard input, output and error. Raises OSError.

    errors_apart: else what it complains of comes by its output, and its error's pipe stays empty.

    With -P: a folder `analysis` where the load test was begun is somebody else's. By posix_spawn: a fork would copy the page
    tables of a process that is under load. In a group of its own: Ctrl-C on the terminal is for the load test, which ends
    its children by closing their input.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    ours_error, theirs_error = os.pipe()
    theirs = (theirs_in, theirs_out, theirs_error)
    as_theirs = (theirs_in, theirs_out, theirs_error if errors_apart else theirs_out)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", module, *arguments],
            _environment(),
            file_actions=[(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(as_theirs)],
            setpgroup=0,
        )
    except OSError:
        for descriptor in (ours_out, ours_in, ours_error):
            os.close(descriptor)
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    return Child(pid, ours_out, ours_in, ours_error)


def _environment() -> dict[str, str]:
    """This process's own; what is ours is found from any working folder."""
    path = os.environ.get("PYTHONPATH")
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *([path] if path else [])])}
