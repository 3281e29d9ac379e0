"""Where Locust's own runners are too quick to give up, or too slow, for a run that is paid for."""

import contextlib
import functools

import locust.env
import psutil
from locust import argument_parser
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner


class PatientMaster(MasterRunner):
    """Locust ends a test in the moment in which every worker has been silent for 3 s, as a host that was paused or is
    overloaded makes them; `Attendance` gives them longer."""

    @property
    def worker_count(self) -> int:
        return super().worker_count or len(self.clients.missing)

    def check_stopped(self) -> None:
        under_way = self.state in (STATE_SPAWNING, STATE_RUNNING)
        if not (under_way and self.clients.missing and not super().worker_count):
            super().check_stopped()


#: a worker asks for it once for each of its options whenever users come or go, and Locust builds a parser each time: 0.1 s of its loop
_default_arguments = functools.cache(argument_parser.default_args_dict)


def end_children() -> None:
    """The workers of `--processes`, of a master that begins nothing: Locust leaves those that are still connecting, which try for
    five minutes."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            child.terminate()


def use(**_: object) -> None:
    """While Locust's arguments are read: by every runner made from now on in this process."""
    locust.env.MasterRunner = PatientMaster  # type: ignore[misc]
    argument_parser.default_args_dict = _default_arguments
