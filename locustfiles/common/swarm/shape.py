"""Locust's load shape, which asks the run's WorkerControl for users."""

import typing

from locust import LoadTestShape

from locustfiles.common.planning.plan import USERS_A_SECOND
from locustfiles.common.stages.worker_control import WorkerControl


class StageShape(LoadTestShape):
    """Locust asks it once a second how many users there should be; the run's WorkerControl knows."""

    control: WorkerControl | None = None
    refused = False  # no run could be begun
    workers_ready: typing.Callable[[], bool] = staticmethod(lambda: True)

    def tick(self) -> tuple[int, float] | None:
        if self.refused:
            self.refused = False  # the web UI may start again
            return None
        if self.control is not None:
            return self.control.tick()
        # Locust's start fires test_start, which begins the run; without a ready worker it does nothing, for ever
        return (0, USERS_A_SECOND) if self.workers_ready() else None
