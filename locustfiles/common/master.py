"""The receiving side of runs, on the master or in the only process: begins, collects, drains, closes."""

import logging
import os
import pathlib
import time

import gevent
from locust import log as locust_log
from locust.runners import MasterRunner

from locustfiles.common.clock import Clock
from locustfiles.common.collect import KEY
from locustfiles.common.crew import Crew
from locustfiles.common.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK, complain
from locustfiles.common.inputs import Inputs
from locustfiles.common.progress import Progress
from locustfiles.common.run import Run, default_path
from locustfiles.common.run_folder import WorkerEntry
from locustfiles.common.stages import USERS_A_SECOND, StageShape, Sweep
from locustfiles.common.yaml_file import BadInput

log = logging.getLogger("swarmledger")
PINGS = 5
ACKNOWLEDGE_S = 10.0
GRAVEST_FIRST = (NOT_TRUSTED, BAD_INPUT, GATE_MISSED, OK)  # of several runs in one web UI
INTRODUCE_S = 10.0  # for a worker that Locust counts as ready to read its scenario


class Master:
    """Owns the run under way. `crew` is set when this process also sends (a run without workers)."""

    def __init__(self, environment, inputs: Inputs, clock: Clock) -> None:
        self.environment, self.inputs, self.clock = environment, inputs, clock
        self.runner = environment.runner
        self.shape: StageShape = environment.shape_class
        self.shape.workers_ready = self._workers_ready
        self.crew: Crew | None = None
        self.run: Run | None = None
        self.sweep: Sweep | None = None
        self.members: dict[str, WorkerEntry] = {}
        self._heard: set[str] = set()  # workers that have introduced themselves, fit or not
        self._crew_size = 1  # workers to wait for before a run
        self._called_off = False  # a worker did not fit
        self._failure: str | None = None  # why the exit code is 1
        self._best_round_trip: dict[str, float] = {}
        self._folders: set[pathlib.Path] = set()
        self._ticker: gevent.Greenlet | None = None
        self._exit_code = OK
        for name, listener in (
            ("ledger_hello", self._on_hello),
            ("ledger_clear", lambda environment, msg, **_: self.sweep and self.sweep.on_clear(msg.node_id, msg.data)),
            ("ledger_called", lambda environment, msg, **_: self.sweep and self.sweep.on_called(msg.data)),
            ("ledger_pong", self._on_pong),
        ):
            self.runner.register_message(name, listener)
        for hook, listener in (
            ("test_start", self._on_start),
            ("test_stopping", self._on_stopping),
            ("test_stop", self._on_stop),
            ("worker_report", self._on_worker_report),
            ("worker_connect", self._on_worker_connect),
            ("quitting", self._on_quitting),
        ):
            getattr(environment.events, hook).add_listener(listener)

    @property
    def _distributed(self) -> bool:
        return isinstance(self.runner, MasterRunner)

    def alive(self) -> list[str]:
        """Ids of the workers that can send, the first to have joined first."""
        if not self._distributed:
            return list(self.members)
        clients = self.runner.clients
        here = {c.id for c in (*clients.ready, *clients.spawning, *clients.running)}
        return [worker for worker in self.members if worker in here]

    # workers
    def _on_hello(self, environment, msg, **_) -> None:
        worker, hello = msg.node_id, msg.data
        why = hello["problem"]
        if hello["content"] != self.inputs.content:
            why = f"worker {worker} has another scenario or other payload files than the master; copy the master's to it"
        self._heard.add(worker)
        if why:
            self._refuse(worker, why)
            return
        self.members[worker] = WorkerEntry(worker, hello["host"], None if self._distributed else 0.0, None, 0, None)
        if self._distributed:
            gevent.spawn(self._measure_offset, worker)
        if self.run:
            self._admit(worker)

    def _refuse(self, worker: str, why: str) -> None:
        log.error(why)
        if self.run is None and self.environment.parsed_options.headless:
            if not self._called_off:  # nothing has been sent yet: one bad worker spoils the whole run
                self._called_off, self._failure = True, why
                gevent.spawn(self._call_off)
            return  # all leave together: Locust's master hears nothing more once its last worker has left
        self.runner.send_message("ledger_refuse", {"why": why}, client_id=worker)

    def _call_off(self) -> None:
        """End master and workers before the run began, those that are still starting too."""
        over = time.monotonic() + INTRODUCE_S
        while len(self._heard) < self.environment.parsed_options.expect_workers and time.monotonic() < over:
            gevent.sleep(0.05)
        self.runner.send_message("ledger_refuse", {"why": self._failure})
        gevent.sleep(0.5)
        complain(self._failure)
        os._exit(BAD_INPUT)  # Locust's wait for workers cannot be left otherwise

    def _await_introductions(self) -> None:
        """A worker that Locust counts as ready may still be reading its scenario."""
        over = time.monotonic() + INTRODUCE_S
        while self._distributed and not set(self.runner.clients) <= self._heard and time.monotonic() < over:
            gevent.sleep(0.05)

    def _workers_ready(self) -> bool:
        """After a run a worker needs a second to be ready for the next. False when none is."""
        over = time.monotonic() + INTRODUCE_S
        while self._distributed and len(self.runner.clients.ready) < self._crew_size and time.monotonic() < over:
            gevent.sleep(0.05)
        if self._distributed and not self.runner.clients.ready:
            log.error("No worker is ready; start workers with --worker --master-host, then start again")
            return False
        return True

    def _on_worker_connect(self, client_id: str, **_) -> None:
        """A worker that became ready again while a run was already under way."""
        if self.run and client_id in self.members and client_id not in self.run.members:
            self._admit(client_id)

    def _admit(self, worker: str) -> None:
        """Tell a worker of the run under way."""
        self.run.members[worker] = self.members[worker]
        self.run.inbox.account(worker)
        self.runner.send_message("ledger_run", {"run": self.run.run_id}, client_id=worker)
        if self.sweep:
            self.runner.send_message("ledger_stage", self.sweep.state_message(), client_id=worker)

    def _measure_offset(self, worker: str) -> None:
        for _ in range(PINGS):
            self.runner.send_message("ledger_ping", {"sent": self.clock.now()}, client_id=worker)
            gevent.sleep(0.05)

    def _on_pong(self, environment, msg, **_) -> None:
        """Of several pings the quickest bounds the offset best: worker clock minus the middle of the round trip."""
        now, sent = self.clock.now(), msg.data["sent"]
        best = self._best_round_trip.get(msg.node_id)
        if msg.node_id in self.members and (best is None or now - sent < best):
            self._best_round_trip[msg.node_id] = now - sent
            self.members[msg.node_id].clock_offset_ms = round((msg.data["now"] - (sent + now) / 2) * 1000, 3)

    def _on_worker_report(self, client_id: str, data: dict, **_) -> None:
        if self.run and KEY in data and client_id in self.runner.clients:
            upto = self.run.inbox.receive(client_id, data[KEY])
            if upto is not None:
                final = self.run.inbox.account(client_id).produced is not None
                ack = {"run": self.run.run_id, "upto": upto, "final": final}
                self.runner.send_message("ledger_ack", ack, client_id=client_id)

    # the run
    def next_folder(self) -> pathlib.Path:
        """--run-dir, else runs/<UTC time>-<scenario>; a second run in this process gets a suffix."""
        options = self.environment.parsed_options
        first = pathlib.Path(options.run_dir) if options.run_dir else default_path(self.inputs)
        path, number = first, 2
        while path in self._folders:
            path, number = first.with_name(f"{first.name}-{number}"), number + 1
        return path

    def _on_start(self, environment, **_) -> None:
        self._await_introductions()
        if self._called_off:
            gevent.sleep(2 * INTRODUCE_S)  # this process ends meanwhile
        path = self.next_folder()
        try:
            self.run = Run(environment, self.inputs, path, environment.parsed_options.overwrite, self.clock)
        except (BadInput, OSError) as e:
            log.error("%s", e)
            self._failure, self._exit_code, self.shape.refused = str(e), BAD_INPUT, True
            return
        self._folders.add(path)
        for worker in self.alive():
            self._admit(worker)
        self.sweep = self.shape.sweep = Sweep(self.run, self.runner, self.alive)
        self._ticker = gevent.spawn(self._tick)

    def _tick(self) -> None:
        """Once a second: collect, write, show progress, and notice workers that are gone."""
        gone: set[str] = set()
        progress = Progress(self.sweep.stages, self.sweep.planned_s)
        try:
            while True:
                gevent.sleep(1)
                self._collect_own()
                self.run.tick()
                stage = self.sweep.visit.stage if self.sweep.visit else 0
                progress.show(stage, self.sweep.done_s(), f"{self.run.requests.rows} requests")
                self._notice_gone(gone)
        except OSError as e:
            where = self.run.folder.path
            self.run.problem(f"{where} cannot be written: {e.strerror}; the run stops, what it holds is kept")
            self.sweep.end()
        finally:
            progress.close()

    def _notice_gone(self, gone: set[str]) -> None:
        for worker in set(self.run.members) - set(self.alive()) - gone:
            gone.add(worker)
            self.sweep.on_worker_gone(worker)
            if self.run.inbox.account(worker).settled:
                log.warning("Worker %s has left; all its records are here", worker)
            else:
                self.run.problem(f"worker {worker} is gone: requests that it had not handed in are lost")

    def _collect_own(self) -> None:
        """Without workers the records of this process come the same way, by hand."""
        if self.crew is None:
            return
        while True:
            upto = self.run.inbox.receive("local", self.crew.outbox.report(self.crew.final))
            self.crew.outbox.acknowledge(self.run.run_id, upto)
            if self.crew.outbox.empty:
                return

    def _on_stopping(self, environment, **_) -> None:
        """Before Locust stops anything: no new stage, users down to 0, records handed in."""
        if self.run is None or self.run.closed:
            return
        self.sweep.stop()
        if self._distributed:
            self._crew_size = max(1, len(self.alive()))
            self._drain_workers()

    def _drain_workers(self) -> None:
        if self.runner.user_count:
            log.info("Draining: requests in flight may take up to %g s", self.inputs.scenario.request_timeout_s)
            self.runner.start(0, USERS_A_SECOND)
            over = time.monotonic() + self.environment.stop_timeout + 5
            while self.runner.user_count and time.monotonic() < over:
                gevent.sleep(0.05)
        over = time.monotonic() + ACKNOWLEDGE_S
        asked = 0.0
        accounts = self.run.inbox.accounts
        while time.monotonic() < over and not all(accounts[w].settled for w in self.alive() if w in accounts):
            if time.monotonic() - asked > 2:  # a message may be lost
                self.runner.send_message("ledger_flush", {"run": self.run.run_id})
                asked = time.monotonic()
            gevent.sleep(0.02)

    def _on_stop(self, environment, **_) -> None:
        """After every user is gone."""
        run = self.run
        if run is None or run.closed:
            return
        self._ticker.kill()
        if self.crew:
            self.crew.final = True
            self._collect_own()
        status = run.manifest.status
        run.close("stopped" if status == "running" else status)
        self._failure = self._failure or run.failure
        self._exit_code = min(self._exit_code, run.exit_code(), key=GRAVEST_FIRST.index)
        self.shape.sweep = self.sweep = None
        self.run = None

    def _on_quitting(self, environment, **_) -> None:
        """Fires on every way out, sometimes twice."""
        self.runner.stop() if not self._distributed else self.runner.quit()
        if self._failure and self.environment.process_exit_code is None:
            complain(self._failure)  # the last word; the log has it where it happened
        untold = locust_log.unhandled_greenlet_exception and self._exit_code == OK
        environment.process_exit_code = NOT_TRUSTED if untold else self._exit_code
