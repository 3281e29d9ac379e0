"""Ctrl-C and SIGTERM: the first one stops the run, a second one says what is waited for, a third one ends at once."""

import collections.abc
import logging
import sys

import gevent
from locust.runners import MasterRunner

from locustfiles.common.deployed import grace
from locustfiles.common.swarm import run_token
from locustfiles.contract.exit_codes import NOT_TRUSTED, STOPPED

log = logging.getLogger("swarmledger")


def interrupt(environment, times: collections.abc.Iterator[int]) -> None:
    """Ctrl-C goes to the main greenlet. Python would raise it in whatever code is running, a request's too."""
    runner, teller = environment.runner, getattr(environment, "teller", None)
    uploads = getattr(environment, "uploads", None)
    if any(each.skip() for each in (teller, uploads) if each):
        return
    time = next(times)
    if (
        isinstance(runner, MasterRunner)
        and environment.parsed_options.headless
        and runner.shape_greenlet is None
        and runner.state == "ready"
    ):
        log.error("Stopped while waiting for workers; nothing was sent")
        environment.parsed_options.expect_workers = sys.maxsize  # while they leave, Locust looks whether all have come
        runner.quit()
        run_token.end_at_once(STOPPED)  # Locust's wait for workers cannot be left otherwise
    elif time == 1:
        # else Locust stops the test and serves its page until the third Ctrl-C
        if environment.parsed_options.autostart:
            environment.parsed_options.autoquit = 0
        if teller:
            teller.interrupted(grace.in_flight_s(environment.stop_timeout))
        gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
    elif time == 2:
        log.warning(
            "Already stopping: requests in flight may take %g s; Ctrl-C again loses them",
            grace.in_flight_s(environment.stop_timeout),
        )
    else:
        run_token.end_at_once(NOT_TRUSTED)
