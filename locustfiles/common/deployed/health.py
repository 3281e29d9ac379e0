"""`swarmledger-load health`: whether the process that was started here is alive, and whether a worker has joined its master."""

import os
import pathlib
import time

from locustfiles.common.deployed import beat
from locustfiles.contract.command_line import Parser
from locustfiles.contract.exit_codes import BAD_INPUT, OK

EXAMPLE = """of a worker: its loop runs, it has joined its master and hears it; of others: their loop runs.

Docker and ECS replace what is not healthy, as a liveness probe of Kubernetes does: ask them with --alive, for a worker that waits
for its master may hold records that exist nowhere else. Readiness and startup probes ask without it.

exit code: 0 healthy, 1 not; a line says why

examples:
  swarmledger-load health
  swarmledger-load health --alive"""


def run(argv: list[str]) -> int:
    """The exit code of the check."""
    parser = Parser(
        prog="swarmledger-load health",
        description="Tell whether the process that was started here is healthy.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--alive", action="store_true", help="ask for no more than a loop that runs")
    path = beat.given() or beat.default()
    healthy, words = judged(path, parser.parse_args(argv).alive)
    print(f"{'healthy' if healthy else 'not healthy'}: {words}")
    return OK if healthy else BAD_INPUT


def judged(path: pathlib.Path, alive: bool) -> tuple[bool, str]:
    """Whether what wrote that file is healthy, and why. alive: asks for its loop alone."""
    try:
        last = beat.read(path)
    except OSError as e:
        return False, f"{path}: {e.strerror}; nothing was started here by swarmledger-load"
    except ValueError:
        return False, f"{path}: is no health file; give {beat.VARIABLE} a file of its own"
    silent_s = time.monotonic() - last.at
    if not _lives(last.pid):
        return False, f"{last.role}: its process {last.pid} has ended"
    if not last.began:
        return alive and silent_s < beat.STARTING_S, f"{last.role}: starting, for {silent_s:.0f} s"
    if silent_s > beat.STALE_S:
        return False, f"{last.role}: its event loop has stood still for {silent_s:.0f} s"
    if last.role == "worker" and not (last.joined or alive):
        return False, f"worker: alive, but not with its master: {last.state}"
    return True, f"{last.role}: {last.state}"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
