"""Programs of the analysis, each in a process of its own, so that nothing of them runs in the loop that measures."""

import os
import pathlib
import sys
import typing

import locustfiles

ROOT = pathlib.Path(locustfiles.__file__).resolve().parent.parent


class Child(typing.NamedTuple):
    """A process that was begun; the descriptors are this side's ends of its pipes."""

    pid: int
    stdin: int
    stdout: int


def begin(arguments: list[str], errors: bool = False) -> Child:
    """`python -m analysis ARGUMENTS` with its standard input and output as pipes. Raises OSError.

    errors: what it complains of comes by its output, too; else it stands where ours does.

    By posix_spawn: a fork would copy the page tables of a process that is under load. In a group of its own: Ctrl-C on the
    terminal is for the load test, which ends its children by closing their input.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "analysis", *arguments],
            _environment(),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs_in, 0),
                (os.POSIX_SPAWN_DUP2, theirs_out, 1),
                *([(os.POSIX_SPAWN_DUP2, theirs_out, 2)] if errors else []),
            ],
            setpgroup=0,
        )
    except OSError:
        os.close(ours_out)
        os.close(ours_in)
        raise
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return Child(pid, ours_out, ours_in)


def _environment() -> dict[str, str]:
    """This process's own; the analysis is found from any working folder."""
    path = os.environ.get("PYTHONPATH")
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *([path] if path else [])])}
