"""A worker's link to its master: reports, acknowledgements, silence, a new master, and how to leave.

A run without workers has none: its process takes its own records in.
"""

import dataclasses
import logging
import time
import typing

import gevent
import locust
from locust import log as locust_log
from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from locustfiles.common.deployed import grace
from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import Stranger
from locustfiles.common.recording.messages import Acknowledged, Flush, Raised, RecordsReport, RunEnded
from locustfiles.common.swarm.worker import Worker
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK, STOPPED

HAND_IN_S = 10.0  # without an acknowledgement of more
MASTER_SILENT_S = 10
PAUSED_S = 3  # a look at the master that comes so late: this process was paused, not the master
REJOINED_S = 5  # for messages under way to a worker that has just introduced itself anew
log = logging.getLogger("swarmledger")


class MasterLink:
    """`worker_side` sends; this side of it talks with the master."""

    def __init__(self, environment: Environment, runner: WorkerRunner, worker_side: Worker) -> None:
        self.environment, self.runner, self.worker_side = environment, runner, worker_side
        self.silent = False  # the master is
        self._left = self._raised = False
        self._run_ended = OK  # what the master would end with after the last run
        self._known_from = 0.0  # monotonic: a master that does not know this worker is heard from then on
        worker_side.report_now = self.report_now
        messenger.register(runner, Acknowledged, self._on_ack)
        messenger.register(runner, Flush, self._on_flush)
        messenger.register(runner, Stranger, self._on_stranger, concurrent=True)
        messenger.register(runner, RunEnded, self._on_run_ended)
        environment.events.report_to_master.add_listener(self._on_report)
        if grace.given():  # a platform starts and ends the processes, and goes by their exit codes
            environment.events.quitting.add_listener(self._say_how_it_ends)  # after `leave`: they are called in reverse
        environment.events.quitting.add_listener(self.leave)

    def report_now(self) -> None:
        """And not at the next interval."""
        self.runner._send_stats()

    def _on_report(self, client_id: str, data: dict[str, typing.Any], **_: object) -> None:
        """Locust's report to the master takes the records along, and ahead of it what the master must know of them."""
        if locust_log.unhandled_greenlet_exception and not self._raised:
            self._raised = True
            messenger.send(self.runner, Raised())
        if report := self.worker_side.records.report(self.silent):
            told = dataclasses.replace(
                report, gaps=self.worker_side.gaps, lately=self.worker_side.sender.probe.lately()
            )
            data[RecordsReport.KIND] = told.data()

    def _on_ack(self, message: Acknowledged, _: str) -> None:
        if self.worker_side.records.acknowledged(message):
            self.report_now()

    def _on_flush(self, message: Flush, _: str) -> None:
        if message.run == self.worker_side.records.run_id:
            self.worker_side.records.final = True
            self.environment.stop_timeout = 1  # a worker waits so long before it is ready again; spawning sets it anew
            self.report_now()

    def _on_run_ended(self, message: RunEnded, _: str) -> None:
        self._run_ended = message.exit_code

    def _say_how_it_ends(self, **_: object) -> None:
        """By the exit code: a worker is done when its run is, and not when it, or the master, is moved to another machine."""
        gevent.sleep(0)  # Locust's handler of the signal may have come before that of the grace period
        if (grace.has_begun() or self._run_ended in (NOT_TRUSTED, STOPPED)) and not self.environment.process_exit_code:
            self.environment.process_exit_code = STOPPED

    def leave(self, **_: object) -> None:
        """On the way out for whatever reason: let requests in flight end, hand everything in or keep it in a file."""
        if not self.worker_side.records.run_id or self._left:
            return
        self.worker_side.leaving = self._left = True
        if not self.worker_side.records.final:
            self.worker_side.sender.announce(None, "settle")
            self.runner.stop()
            self.worker_side.records.final = True  # another run's, if the master has begun one meanwhile
        over, left = time.monotonic() + HAND_IN_S, self.worker_side.records.outbox.waiting
        # without greenlets no answer is heard
        while (
            self.worker_side.records.owes and self.runner.greenlet and time.monotonic() < over and not grace.is_over()
        ):
            self.report_now()
            gevent.sleep(0.5)
            if (now := self.worker_side.records.outbox.waiting) < left:
                over, left = time.monotonic() + HAND_IN_S, now
        self.worker_side.keep_records()
        if not self.worker_side.records.outbox.empty:
            self.environment.process_exit_code = NOT_TRUSTED

    def watch(self) -> None:
        """Without its master a run cannot be kept, so a worker's users stop loading a paid endpoint."""
        while True:
            before = time.monotonic()
            gevent.sleep(1)
            heard = self.runner.last_heartbeat_timestamp
            if time.monotonic() - before > PAUSED_S or not heard:
                continue
            self.silent = time.time() - heard > MASTER_SILENT_S
            if self.silent and self.worker_side.records.run_id:
                if self.worker_side.sender.spec and self.runner.user_count:
                    log.error(
                        "The master has been silent for %d s: the users here idle until it announces a stage",
                        MASTER_SILENT_S,
                    )
                self.worker_side.sender.announce(None, "settle")
                self.worker_side.keep_records()

    def _on_stranger(self, message: Stranger, _: str) -> None:
        """The master there does not know this worker: it was started anew, or has given it up. Join it."""
        if self._left or time.monotonic() < self._known_from:
            return
        self._known_from = float("inf")  # one at a time
        log.warning("The master does not know this worker (any more): joining it anew")
        try:
            self.worker_side.sender.announce(None, "settle")
            self.runner.stop()  # requests in flight end
            self.worker_side.keep_records()
            self.runner.last_heartbeat_timestamp = time.time()  # it is there
            self.runner.worker_state = "ready"
            # as Locust does
            self.runner.client.send(Message("client_ready", locust.__version__, self.runner.client_id))
            self.worker_side.join(self.worker_side.sender.worker, again=True)
        finally:  # or it would never try again
            self._known_from = time.monotonic() + REJOINED_S
