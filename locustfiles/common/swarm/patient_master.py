"""Where Locust's own runners are too quick to give up, or too slow, for a run that is paid for."""

import contextlib
import functools
import typing

import locust.env
import psutil
from gevent.lock import RLock
from locust import argument_parser
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner


class PatientMaster(MasterRunner):
    """Locust ends a test in the moment in which every worker has been silent for 3 s, as a host that was paused or is
    overloaded makes them; `Attendance` gives them longer."""

    def __init__(self, *args: typing.Any, **more: typing.Any) -> None:
        super().__init__(*args, **more)
        self._ramping = RLock()
        self.ramps = 0  # that are under way or wait

    def start(self, user_count: int, *args: typing.Any, **more: typing.Any) -> None:
        """One at a time: all share one generator, which a second one would take in mid-step, and end both. A ramp up that another
        number follows ends where it is."""
        dispatcher = self._users_dispatcher
        if self.ramps and dispatcher is not None and user_count < dispatcher._target_user_count:
            dispatcher._target_user_count = dispatcher.get_current_user_count()
        self.ramps += 1
        try:
            with self._ramping:
                super().start(user_count, *args, **more)
        finally:
            self.ramps -= 1

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
