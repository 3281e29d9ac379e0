"""A process of a deployment, inside Locust: it says how it does, and ends within its grace period."""

import logging
import os
import pathlib
import signal
import time

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from locustfiles.common.deployed import beat, grace
from locustfiles.common.recording import messenger
from locustfiles.common.recording.messages import CutShort

HEARD_S = 15.0  # ago, the master's last word
STOPPING = ("cleanup", "stopped")  # Locust's worker hears nobody while its users stop
log = logging.getLogger("swarmledger")


def begin(runner: Runner) -> None:
    """What the environment asks for; nothing where it does not. Before other listeners to SIGTERM are there, which say how long
    is left. Raises BadInput."""
    if path := beat.given():
        gevent.spawn(_beat, path, runner)
    if period_s := grace.given():
        gevent.signal_handler(signal.SIGTERM, _on_sigterm, runner, period_s)
    if isinstance(runner, WorkerRunner):
        messenger.register(runner, CutShort, lambda message, _: _cut_later(runner, message.within_s))


def tell(environment: Environment) -> None:
    """Whether a drain fits into the grace period, where there is one and a scenario."""
    if (period_s := grace.given()) and environment.stop_timeout:
        fits, words = grace.said(environment.stop_timeout, period_s)
        log.log(logging.INFO if fits else logging.WARNING, "%s", words)


def _on_sigterm(runner: Runner, period_s: float) -> None:
    """Beside Locust's own listener, or `interrupt`, which ends the run."""
    grace.begin(period_s)
    within_s = grace.cut_after_s(period_s)
    if isinstance(runner, MasterRunner):
        messenger.send(runner, CutShort(within_s))
    else:
        _cut_later(runner, within_s)


def _cut_later(runner: Runner, within_s: float) -> None:
    gevent.spawn_later(within_s, _cut, runner)


def _cut(runner: Runner) -> None:
    """Requests in flight end here, as `cancelled`; Locust, which waits for their users, goes on."""
    if runner.user_greenlets:
        log.warning(
            "The grace period ends: %d users are stopped, requests in flight are cut (cancelled)",
            len(runner.user_greenlets),
        )
        runner.user_greenlets.kill(block=False)


def _beat(path: pathlib.Path, runner: Runner) -> None:
    """For as long as the process lives."""
    told = False
    while True:
        try:
            beat.write(path, _now(runner))
        except OSError as e:
            if not told:
                log.warning("%s %s: cannot be written (%s): health checks fail", beat.VARIABLE, path, e.strerror)
            told = True
        gevent.sleep(beat.EVERY_S)


def _now(runner: Runner) -> beat.Beat:
    if isinstance(runner, WorkerRunner):
        return _workers(runner)
    if isinstance(runner, MasterRunner):
        return beat.Beat("master", os.getpid(), time.monotonic(), f"{runner.state}, {runner.worker_count} workers")
    return beat.Beat("local", os.getpid(), time.monotonic(), runner.state)


def _workers(runner: WorkerRunner) -> beat.Beat:
    """A master answers the heartbeats of those alone that it has let in."""
    where, heard_at = f"{runner.master_host}:{runner.master_port}", runner.last_heartbeat_timestamp
    if heard_at is None:
        return beat.Beat("worker", os.getpid(), time.monotonic(), f"{where} has not let it in yet")
    ago_s = time.time() - heard_at
    joined = ago_s < HEARD_S or runner.state in STOPPING
    return beat.Beat(
        "worker", os.getpid(), time.monotonic(), f"{runner.state}, heard {where} {ago_s:.0f} s ago", joined
    )
