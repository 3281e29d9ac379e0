"""Starts of `locust` and of the local endpoint that cost no imports: a process that has them loaded forks for each, hundreds of
times in these tests.

From the fork on it is the program itself, with its own arguments, environment, output and process group; what is the same in all
of them is what importing made, and botocore's description of Bedrock. From an empty process are started: whatever is asked something
of the interpreter by its environment, and what the tests of documents, demo, command lines, terminal, namespaces and deployment start.

    child = start("locust", ["-f", "locustfiles/sweep.py", ...], env, out=path); child.pid; child.wait(20)
"""

import contextlib
import functools
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time
import typing

Program = typing.Literal["locust", "emulator"]
LOCUST = str(pathlib.Path(sys.executable).parent / "locust")
BORN_WITH = dict(os.environ)
ROOT = pathlib.Path(__file__).resolve().parents[2]
#: what an interpreter, or a library while it is loaded, reads of the environment
READ_AT_START = ("PYTHON", "GEVENT", "LC_", "LANG", "TZ", "LD_", "MALLOC_", "LOCUST_SKIP", "LOCUST_PLAYWRIGHT")


class Forked:
    """A `subprocess.Popen` as far as tests use one: the process is a grandchild, whose end its parent tells."""

    def __init__(self, args: list[str], told: int) -> None:
        self.args, self.returncode = args, None
        self._told, self._said = told, b""
        self._read_until(1, None)
        self.pid = int(self._said.split(b"\n")[0])

    def poll(self) -> int | None:
        self._read_until(2, 0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        self._read_until(2, timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended, which its parent is about to tell
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _read_until(self, lines: int, timeout: float | None) -> None:
        """One line is its process id, the second its exit code."""
        over = None if timeout is None else time.monotonic() + timeout
        while self._said.count(b"\n") < lines:
            left = None if over is None else max(0.0, over - time.monotonic())
            if not select.select([self._told], [], [], left)[0]:
                return
            more = os.read(self._told, 100)
            assert more, "the nursery is gone"
            self._said += more
        if lines == 2 and self.returncode is None:
            self.returncode = int(self._said.split(b"\n")[1])
            os.close(self._told)


def fits(env: dict[str, str], cwd: pathlib.Path = ROOT) -> bool:
    """Whether a fork would be the same as a start from nothing."""
    return cwd == ROOT and _of_start(env) == _of_start(BORN_WITH)


def _of_start(env: dict[str, str]) -> dict[str, str]:
    """ROOT on the path is no difference: a fork has it there, too."""
    found = {name: text for name, text in env.items() if name.startswith(READ_AT_START)}
    return {name: text for name, text in found.items() if (name, text) != ("PYTHONPATH", str(ROOT))}


@functools.cache
def _nursery(program: str) -> tuple[subprocess.Popen, tempfile.TemporaryDirectory]:
    """This process's own, which ends with it."""
    command = [sys.executable, "-c", "import sys; from tests.helpers.nursery import serve; serve(sys.argv[1])", program]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=BORN_WITH)
    return process, tempfile.TemporaryDirectory(prefix="nursery-")


def start(
    program: Program,
    arguments: list[str],
    env: dict[str, str],
    out: pathlib.Path,
    errors: pathlib.Path | None = None,
    group: int | None = None,
) -> Forked:
    """A program from ROOT. errors: where not as `out`; group: of processes, 0 is one of its own."""
    process, folder = _nursery(program)
    way = pathlib.Path(folder.name) / str(time.monotonic_ns())
    os.mkfifo(way)
    told = os.open(way, os.O_RDONLY | os.O_NONBLOCK)
    ask = {
        "arguments": arguments,
        "env": env,
        "group": group,
        "out": str(out),
        "errors": str(errors or ""),
        "way": str(way),
    }
    assert process.stdin
    process.stdin.write(json.dumps(ask).encode() + b"\n")
    process.stdin.flush()
    while not select.select([told], [], [], 1.0)[0]:
        assert process.poll() is None, "the nursery is gone"
    way.unlink()
    return Forked([program, *arguments], told)


def _loaded(program: Program) -> tuple[str, typing.Callable[[], int]]:
    """(its argv[0], what runs it). They have no threads, and no greenlet has run: a fork is as good as new."""
    if program == "emulator":
        from scripts.emulator import __main__ as emulator
        from scripts.emulator import service_model

        service_model.prepare()  # Bedrock's description, the same to all of them
        return emulator.__file__, emulator.main
    import genai_prices.data  # noqa: F401
    import gevent
    import locust.main

    import locustfiles.common.swarm.locust_plugin
    import locustfiles.common.swarm.shape
    import locustfiles.common.swarm.user  # noqa: F401

    def run() -> int:
        gevent.reinit()  # urllib3 asks for a socket, and with it for a loop, when it is imported
        return locust.main.main()

    return LOCUST, run


def serve(program: Program) -> None:
    """The nursery of one program, until its standard input is closed."""
    fork = os.fork  # before Locust puts gevent's in its place
    own, run = _loaded(program)
    assert len(list(pathlib.Path("/proc/self/task").iterdir())) == 1
    asked = os.fdopen(os.dup(0), "rb")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those in between
    while line := asked.readline():
        if fork() == 0:
            asked.close()
            ask = json.loads(line)
            _bear(ask, fork)
            sys.argv = [own, *ask["arguments"]]
            sys.path[0] = str(pathlib.Path(own).parent if program == "locust" else ROOT)
            sys.path += [path for path in [ask["env"].get("PYTHONPATH")] if path]
            sys.exit(run())
    os._exit(0)


def _bear(ask: dict, fork: typing.Callable[[], int]) -> None:
    """Returns in the process that becomes the program; the one that waits for its end ends here."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    way = os.open(ask["way"], os.O_WRONLY)
    if child := fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(way, b"%d\n" % code)
        os._exit(0)
    if ask["group"] is not None:
        os.setpgid(0, ask["group"])
    os.environ.clear()
    os.environ.update(ask["env"])
    _open(0, os.devnull, os.O_RDONLY)
    _open(1, ask["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    if ask["errors"]:
        _open(2, ask["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    else:
        os.dup2(1, 2)
    os.write(way, b"%d\n" % os.getpid())
    os.close(way)


def _open(number: int, path: str, how: int) -> None:
    opened = os.open(path, how, 0o666)
    os.dup2(opened, number)
    os.close(opened)
