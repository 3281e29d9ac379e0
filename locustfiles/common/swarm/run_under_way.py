"""The run under way on the master, or in the only process: its recorder, its sweep and its workers, from begin to end."""

import logging
import math
import time

import gevent
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.deployed import grace
from locustfiles.common.planning.plan import USERS_A_SECOND
from locustfiles.common.recording import messenger
from locustfiles.common.recording.delivery import LINES_A_REPORT
from locustfiles.common.recording.messages import Acknowledged, Flush, RecordsReport, RunEnded
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.attendance import Attendance
from locustfiles.common.swarm.worker import Worker
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.contract.keys import redact

log = logging.getLogger("swarmledger")
ACKNOWLEDGE_S = 10.0  # without a record more
USERS_BACK_AFTER_S = 3
AT_ONCE, BETWEEN_S = 100, 0.001  # records that are collected in one go, 1 ms; then it is for sockets to be read
TOLD_S = 3.0  # workers tell it once a second


class RunUnderWay:
    """Takes records in, drains and closes. `worker_side` is this process's own (a run without workers)."""

    def __init__(
        self,
        run: RunRecorder,
        environment: Environment,
        runner: LocalRunner | MasterRunner,
        registry: WorkerRegistry,
        worker_side: Worker | None,
    ) -> None:
        self.run, self.environment, self.runner, self.registry = run, environment, runner, registry
        self.worker_side = worker_side
        self.sweep = Sweep(run, runner, registry.alive, self._collect_own)
        self.attendance = Attendance(run, self.sweep, runner, registry, worker_side)
        self.stopping = False
        self._lately: dict[str, tuple[float, dict[str, float]]] = {}  # worker -> when (monotonic) it told Probe.lately
        self._ticker: gevent.Greenlet | None = None

    def begin(self) -> None:
        for worker in self.registry.alive():
            self.attendance.introduce(worker)
        self.sweep.begin()
        self._ticker = gevent.spawn(self._tick)

    def take_in(self, report: RecordsReport, worker: str) -> None:
        try:
            upto = self.run.inbox.receive(worker, report)
        except ValueError as e:
            return messenger.ignored(RecordsReport, worker, e)
        if upto is None:
            return
        self.attendance.take_gaps(worker, report.gaps)
        self._lately[worker] = time.monotonic(), report.lately
        try:
            self.run.files.flush()  # acknowledged is what outlives this process, and is where the run's records belong
        except OSError:  # the worker keeps its records; the ticker ends the run
            return
        final = self.run.inbox.account(worker).produced is not None
        messenger.send(self.runner, Acknowledged(self.run.run_id, upto, final), worker)

    def lately(self, worker: str) -> dict[str, float]:
        """How the worker's process does; nothing of one that has not told it a moment ago."""
        if self.worker_side:
            return self.worker_side.sender.probe.lately()
        told_at, found = self._lately.get(worker, (-math.inf, {}))
        return found if time.monotonic() - told_at < TOLD_S else {}

    def _collect_own(self) -> None:
        """Without workers the records of this process come the same way, by hand."""
        while self._collect(LINES_A_REPORT):
            pass

    def _collect(self, most: int) -> bool:
        """So many of this process's own; whether there are more."""
        if self.worker_side is None:
            return False
        records = self.worker_side.records
        upto = self.run.inbox.receive("local", records.outbox.report(records.final, most=most))
        if upto is None:  # not yet told of the run
            return False
        records.acknowledged(Acknowledged(self.run.run_id, upto, records.final))
        return not records.outbox.empty

    def _tick(self) -> None:
        """Once a second: collect, write, and notice workers that are gone."""
        short_s = 0  # for how long users have been missing
        while True:
            before = time.monotonic()
            gevent.sleep(1)
            self.attendance.notice_pause(time.monotonic() - before - 1)
            while self._collect(AT_ONCE):
                gevent.sleep(BETWEEN_S)
            self.run.tick()
            if self.run.broken_off:
                self.sweep.end()
                continue
            self.attendance.look()
            short_s = short_s + 1 if self.attendance.users_missing() else 0
            if short_s == USERS_BACK_AFTER_S and self.sweep.control.want:
                short_s = 0
                gevent.spawn(self.runner.start, *self.sweep.control.want)

    def stop(self) -> None:
        """Before Locust stops anything: no new stage, users down to 0, records handed in."""
        self.stopping = True
        self.sweep.stop()
        if self.registry.distributed:
            self.registry.expected = max(1, len(self.registry.alive()))
            self._drain_users()
            self._await_records()

    def _drain_users(self) -> None:
        if self.runner.user_count:
            at_most_s = grace.in_flight_s(self.run.inputs.scenario.request_timeout_s)
            log.info("Draining: requests in flight may take up to %g s", at_most_s)
            self.runner.start(0, USERS_A_SECOND)
            over = time.monotonic() + self.environment.stop_timeout + 5
            while self.runner.user_count and time.monotonic() < over and not grace.is_over():
                gevent.sleep(0.05)

    def _await_records(self) -> None:
        """As long as more of them come."""
        over = time.monotonic() + ACKNOWLEDGE_S
        asked, received = 0.0, 0
        accounts = self.run.inbox.accounts
        while time.monotonic() < over and not grace.is_over():
            if all(accounts[w].settled for w in self.registry.alive() if w in accounts):
                break
            if (now := sum(account.received for account in accounts.values())) > received:
                over, received = time.monotonic() + ACKNOWLEDGE_S, now
            if time.monotonic() - asked > 2:  # a message may be lost
                messenger.send(self.runner, Flush(self.run.run_id))
                asked = time.monotonic()
            gevent.sleep(0.02)

    def close(self) -> None:
        """After every user is gone."""
        if self._ticker:
            self._ticker.kill()
        if self.worker_side:
            self.worker_side.records.final = True
            self._collect_own()
        for failed in self.runner.exceptions.values():  # our own bug in a user
            self.run.problem(
                f"users failed inside Swarmledger ({failed['count']} times): {redact(failed['msg'])}; see locust_exceptions.csv"
            )
        self.attendance.amend()
        status = self.run.manifest.status
        self.run.close("stopped" if status == "running" else status)
        if self.registry.distributed:
            messenger.send(self.runner, RunEnded(self.run.exit_code()))
