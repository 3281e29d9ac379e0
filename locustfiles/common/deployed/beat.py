"""What a process says of its health, in a small file that the health check reads: the loop that measures writes it, so that a
loop that stands still is seen."""

import contextlib
import dataclasses
import json
import os
import pathlib
import tempfile
import time

from locustfiles.contract.bad_input import BadInput

VARIABLE = "SWARMLEDGER_HEALTH_FILE"
EVERY_S = 2.0
STALE_S = 30.0  # without a beat; a loop that measures is never so late
STARTING_S = 600.0  # a worker looks for its master for five minutes before it can say anything


@dataclasses.dataclass(frozen=True, slots=True)
class Beat:
    """at: seconds of the machine's monotonic clock, which all its processes share. joined: a worker whose master answers."""

    role: str
    pid: int
    at: float
    state: str
    joined: bool = False
    began: bool = True  # Locust runs; else it is being loaded, or looks for its master


def default() -> pathlib.Path:
    return pathlib.Path(tempfile.gettempdir()) / f"swarmledger-health-{os.getuid()}.json"


def given() -> pathlib.Path | None:
    """Where this process is asked to say it."""
    path = os.environ.get(VARIABLE)
    return pathlib.Path(path) if path else None


def begin(role: str) -> None:
    """The first one, before Locust is loaded. Raises BadInput."""
    if path := given():
        try:
            write(path, Beat(role, os.getpid(), time.monotonic(), "starting", began=False))
        except OSError as e:
            raise BadInput(
                f"{VARIABLE} {path}: cannot be written ({e.strerror}); mount a writable folder there, as a tmpfs"
            ) from None


def write(path: pathlib.Path, beat: Beat) -> None:
    """Whole, or not at all. Raises OSError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(dataclasses.asdict(beat)), encoding="utf-8")
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def read(path: pathlib.Path) -> Beat:
    """Raises OSError, or ValueError for what is no beat."""
    try:
        return Beat(**json.loads(path.read_text(encoding="utf-8")))
    except TypeError as e:
        raise ValueError(str(e)) from None
