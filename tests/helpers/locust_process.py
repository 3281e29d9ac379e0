"""Starts `locust` as users do: as processes, on free ports, bounded in time, always ended.

with one_locust(scenario, run_dir) as process: process.wait() == 0
with cluster(scenario, run_dir, workers=2) as crew: crew.master.wait() == 0

Both are more patient than Locust with a worker that is silent: see patient_locust.py.
"""

import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import subprocess

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers import nursery
from tests.helpers.emulator_process import ROOT
from tests.helpers.nursery import LOCUST
from tests.helpers.patience import LONGEST_S, until

PATIENT = ROOT / "tests/helpers/patient_locust.py"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment(**changes: str | None) -> dict[str, str]:
    """The caller's environment with the example credentials and nothing else of AWS's or a proxy's; None removes a name."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
    kept |= {
        "AWS_ACCESS_KEY_ID": EXAMPLE_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EXAMPLE_SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
        "SWARMLEDGER_LIVE_EVERY": "3600",  # who looks at live figures asks for them: they take a process beside each run
    }
    for name, value in changes.items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return kept


@dataclasses.dataclass
class LocustProcess:
    """A running `locust`. Its output is in a file, so that it never blocks on a full pipe."""

    popen: subprocess.Popen | nursery.Forked
    output: pathlib.Path

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    @property
    def errors(self) -> list[str]:
        """The lines that start with `error:`."""
        return [line for line in self.text.splitlines() if line.startswith("error:")]

    def wait(self, timeout_s: float = LONGEST_S) -> int:
        """Its exit code. Raises TimeoutError with the end of what it said."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"locust did not end within {timeout_s} s:\n{self.text[-3000:]}") from None

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def until(self, said: str) -> None:
        """Wait until its output contains `said`."""
        self._until(lambda: said in self.text, f"said {said!r}")

    def until_it_catches(self, number: signal.Signals) -> None:
        """Wait until it has a handler for that signal, which would end it before."""
        status = pathlib.Path(f"/proc/{self.popen.pid}/status")
        caught = lambda: int(status.read_text().split("SigCgt:")[1].split()[0], 16) >> number - 1 & 1  # noqa: E731
        self._until(caught, f"caught {number.name}")

    def _until(self, fact: collections.abc.Callable[[], object], what: str) -> None:
        """Not longer than it lives."""
        until(lambda: self.popen.poll() is not None or fact(), lambda: f"never {what}:\n{self.text[-3000:]}")
        assert fact(), f"ended, and never {what}:\n{self.text[-3000:]}"


def _started(
    arguments: list[str], output: pathlib.Path, env: dict[str, str], cwd: pathlib.Path, group: int
) -> subprocess.Popen | nursery.Forked:
    if nursery.fits(env, cwd):
        return nursery.start("locust", arguments, env, output, group=group)
    with open(output, "wb") as file:
        return subprocess.Popen(
            [LOCUST, *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            process_group=group,
        )


@contextlib.contextmanager
def locust(
    *arguments: object,
    output: pathlib.Path,
    env: dict[str, str] | None = None,
    cwd: pathlib.Path = ROOT,
    group: int = 0,
):
    """Any locust command, in process group `group` (0: its own). Killed at the end if it still runs."""
    popen = _started(list(map(str, arguments)), output, environment() if env is None else env, cwd, group)
    process = LocustProcess(popen, output)
    try:
        yield process
    finally:
        if popen.poll() is None:
            popen.kill()
            popen.wait()


def one_locust(
    scenario: pathlib.Path,
    run_dir: pathlib.Path | None,
    *more: object,
    headless: bool = True,
    locustfile: str = "sweep.py",
    **kw,
):
    """A run in one process, headless or with `more` naming the web UI's port."""
    arguments = ["-f", f"{PATIENT},{ROOT / 'locustfiles' / locustfile}", "--scenario", scenario]
    arguments += ["--run-dir", run_dir] if run_dir else []
    arguments += ["--headless"] if headless else ["--web-host", "127.0.0.1"]
    kw.setdefault("output", scenario.parent / "locust.log")
    return locust(*arguments, *more, **kw)


@dataclasses.dataclass
class Crew:
    """A master and its workers, all in the master's process group."""

    master: LocustProcess
    workers: list[LocustProcess]
    join: collections.abc.Callable[[pathlib.Path], None]  # start one more worker, with this scenario
    port: int  # the master's

    def interrupt(self) -> None:
        """SIGINT to all at once, as a terminal's Ctrl-C does."""
        os.killpg(self.master.popen.pid, signal.SIGINT)

    def text(self) -> str:
        return "\n".join(f"--- {p.output.name}\n{p.text}" for p in (self.master, *self.workers))

    def wait(self, timeout_s: float = LONGEST_S) -> tuple[int, list[int]]:
        """Exit codes of the master and of each worker."""
        return self.master.wait(timeout_s), [w.wait() for w in self.workers]


@contextlib.contextmanager
def cluster(
    scenario: pathlib.Path,
    run_dir: pathlib.Path,
    *more: object,
    workers: int = 2,
    worker_scenarios: dict[int, pathlib.Path] | None = None,
    headless: bool = True,
    env: dict[str, str] | None = None,
):
    """A master that waits for `workers` workers; worker i reads `worker_scenarios[i]` if it is there."""
    port, folder = free_port(), scenario.parent
    master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    master += ["--expect-workers", workers, "--expect-workers-max-wait", LONGEST_S] if headless else []
    master += more  # the last of two counts
    with contextlib.ExitStack() as stack:
        output = folder / "master.log"

        def join(theirs: pathlib.Path) -> None:
            arguments = ["-f", ROOT / "locustfiles/sweep.py", "--scenario", theirs, "--worker"]
            arguments += ["--master-host", "127.0.0.1", "--master-port", port]
            log = folder / f"worker-{len(crew.workers)}.log"
            worker = locust(*arguments, output=log, env=env, group=crew.master.popen.pid)
            crew.workers.append(stack.enter_context(worker))

        first = one_locust(scenario, run_dir, *master, headless=headless, env=env, output=output)
        crew = Crew(stack.enter_context(first), [], join, port)
        for number in range(workers):
            join((worker_scenarios or {}).get(number, scenario))
        yield crew
