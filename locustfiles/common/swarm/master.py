"""The receiving side of runs, on the master or in the only process: begins, collects, drains, closes."""

import logging
import pathlib
import time

import gevent
from locust import log as locust_log
from locust import runners

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import USERS_A_SECOND
from locustfiles.common.recording.delivery import KEY
from locustfiles.common.recording.run_recorder import RunRecorder, default_path
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.progress import Progress
from locustfiles.common.swarm.shape import StageShape
from locustfiles.common.swarm.worker import MASTER_SILENT_S, Worker
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import redact
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK, complain

log = logging.getLogger("swarmledger")
ACKNOWLEDGE_S = 10.0
USERS_BACK_AFTER_S = 3
UNNOTICED_S = (
    runners.HEARTBEAT_LIVENESS * runners.HEARTBEAT_INTERVAL
)  # Locust calls a worker missing when it was silent for longer
GRAVEST_FIRST = (NOT_TRUSTED, BAD_INPUT, GATE_MISSED, OK)  # of several runs in one web UI


class Master:
    """Owns the run under way. `worker_side` is set when this process also sends (a run without workers)."""

    def __init__(self, environment, inputs: Inputs, clock: Clock) -> None:
        self.environment, self.inputs, self.clock = environment, inputs, clock
        self.runner = environment.runner
        self.shape: StageShape = environment.shape_class
        self.registry = WorkerRegistry(environment, inputs, clock, self._on_new_worker)
        self.shape.workers_ready = self.registry.ready
        self.worker_side: Worker | None = None
        self.run: RunRecorder | None = None
        self.sweep: Sweep | None = None
        self._failure: str | None = None  # why the exit code is 1
        self._refused: str | None = None  # why the last start came to nothing
        self._folders: set[pathlib.Path] = set()
        self._ticker: gevent.Greenlet | None = None
        self._exit_code = OK
        for name, listener in (
            (
                "ledger_clear",
                lambda environment, msg, **_: self.sweep and self.sweep.control.on_clear(msg.node_id, msg.data),
            ),
            ("ledger_called", lambda environment, msg, **_: self.sweep and self.sweep.preflight.on_called(msg.data)),
        ):
            self.runner.register_message(name, listener)
        for hook, listener in (
            ("test_start", self._on_start),
            ("test_stopping", self._on_stopping),
            ("test_stop", self._on_stop),
            ("worker_report", self._on_worker_report),
            ("quitting", self._on_quitting),
            ("quit", lambda exit_code, **_: self._failure and complain(self._failure)),  # after Locust's tables
        ):
            getattr(environment.events, hook).add_listener(listener)

    def _admit(self, worker: str) -> None:
        """Tell a worker of the run under way, once or again."""
        self.run.members[worker] = self.registry.members[worker]
        self.run.inbox.account(worker)
        told = {"run": self.run.run_id, "folder": str(self.run.folder.path)}
        self.runner.send_message("ledger_run", told, client_id=worker)
        if self.sweep:
            self.runner.send_message("ledger_stage", self.sweep.control.state_message(), client_id=worker)

    def _on_new_worker(self, worker: str) -> None:
        """One that introduced itself, or became ready again, while a run was already under way."""
        if self.run:
            self._admit(worker)

    def _on_worker_report(self, client_id: str, data: dict, **_) -> None:
        if KEY not in data:
            return
        if client_id not in self.runner.clients:
            # of a master before this one, or silent for so long that Locust has forgotten it
            if client_id not in self.registry.members or self.runner.state in ("spawning", "running"):
                self.runner.send_message("ledger_stranger", {}, client_id=client_id)
        elif self.run:
            self._take_in(client_id, data[KEY])

    def _take_in(self, worker: str, report: dict) -> None:
        upto = self.run.inbox.receive(worker, report)
        if upto is None:
            return
        try:
            self.run.requests.flush()  # acknowledged is what outlives this process
        except OSError:  # the worker keeps its records; the ticker ends the run
            return
        final = self.run.inbox.account(worker).produced is not None
        self.runner.send_message("ledger_ack", {"run": self.run.run_id, "upto": upto, "final": final}, client_id=worker)

    # the run
    def next_folder(self) -> pathlib.Path:
        """--run-dir, else runs/<UTC time>-<scenario>; a second run in this process gets a suffix."""
        options = self.environment.parsed_options
        first = pathlib.Path(options.run_dir) if options.run_dir else default_path(self.inputs)
        path, number = first, 2
        while path in self._folders:
            path, number = first.with_name(f"{first.name}-{number}"), number + 1
        return path

    def refused(self) -> str | None:
        """Why the last start came to nothing, once that is known."""
        return self.run.failure if self.run else self._refused

    def _on_start(self, environment, **_) -> None:
        self.registry.await_introductions()
        self._refused, path = None, self.next_folder()
        try:
            options = environment.parsed_options
            self.run = RunRecorder(
                environment, self.inputs, path, self.clock, options.overwrite, options.resume and not self._folders
            )
        except (BadInput, OSError) as e:
            unwritten = f"{path}: cannot be written ({e}); choose another --run-dir"
            self._failure = self._refused = str(e) if isinstance(e, BadInput) else unwritten
            log.error("%s", self._failure)
            self._exit_code, self.shape.refused = BAD_INPUT, True
            return
        self._folders.add(path)
        for worker in self.registry.alive():
            self._admit(worker)
        self.sweep = Sweep(self.run, self.runner, self.registry.alive, self._collect_own)
        self.shape.control = self.sweep.control
        self._ticker = gevent.spawn(self._tick)

    def _tick(self) -> None:
        """Once a second: collect, write, show progress, and notice workers that are gone."""
        gone: dict[str, tuple[float, int]] = {}  # worker -> since when, and the stage of then
        short_s = 0  # for how long users have been missing
        progress = Progress(self.sweep.planned, self.sweep.planned_s)
        try:
            while True:
                before, stage = time.monotonic(), self._stage_now()
                gevent.sleep(1)
                self._notice_pause(time.monotonic() - before - 1, stage)
                self._collect_own()
                self.run.tick()
                progress.show(
                    len(self.run.manifest.stages) if self.sweep.control.spec else 0,
                    self.sweep.done_s(),
                    f"{self.run.requests.rows} requests",
                )
                self._notice_gone(gone)
                self._say_again()
                short_s = short_s + 1 if self._users_missing() else 0
                if short_s == USERS_BACK_AFTER_S:
                    short_s = 0
                    gevent.spawn(self.runner.start, *self.sweep.control.want)
        except OSError as e:
            self.run.disk_failed(e)
            self.sweep.end()
        finally:
            progress.close()

    def _say_again(self) -> None:
        """A worker that was cut off, for however short, has missed what was announced meanwhile."""
        for worker in self.registry.alive() if self.registry.distributed else ():
            if worker in self.run.members:
                self.runner.send_message("ledger_stage", self.sweep.control.state_message(), client_id=worker)

    def _users_missing(self) -> bool:
        """Locust shares users out anew when a worker comes or goes, but in one run only once: then we have it do so."""
        want = self.sweep.control.want
        return (
            self.registry.distributed
            and bool(self.registry.alive())
            and want is not None
            and self.runner.user_count < want[0]
        )

    def _notice_pause(self, late_s: float, stage: int) -> None:
        """stage: the one under way before. Workers that hear nothing for MASTER_SILENT_S idle; their last heartbeat may be a
        second older than the pause, which may have begun a second before this process was due to wake."""
        if self.registry.distributed and late_s > MASTER_SILENT_S - 2:
            text = f"the master was paused for {late_s:.0f} s: its workers idle after {MASTER_SILENT_S} s of silence; repeat these stages"
            if stages := list(range(max(1, stage), self._stage_now() + 1)):  # before the first one nothing is measured
                self.run.problem(text, stages)

    def _notice_gone(self, gone: dict[str, tuple[float, int]]) -> None:
        """A worker may leave with all its records, come back (it was paused, or cut off), or never be heard again, which
        the run's end finds out."""
        alive, now = set(self.registry.alive()), time.monotonic()
        for worker in gone.keys() & alive:
            since, stage = gone.pop(worker)
            self._admit(worker)
            silent = f"worker {worker} was silent for {now - since + UNNOTICED_S:.0f} s (paused or cut off)"
            self.run.problem(silent, list(range(stage, self._stage_now() + 1)))
        for worker in set(self.run.members) - alive - gone.keys():
            gone[worker] = (now, self._stage_now())
            self.sweep.preflight.on_worker_gone(worker)
            settled = self.run.inbox.account(worker).settled
            log.warning("Worker %s has left%s", worker, "; all its records are here" if settled else " or is silent")

    def _stage_now(self) -> int:
        """The stage under way, or the last one; 0 before the first."""
        return self.sweep.stage.spec.stage if self.sweep.stage else 0

    def _collect_own(self) -> None:
        """Without workers the records of this process come the same way, by hand."""
        if self.worker_side is None:
            return
        while True:
            upto = self.run.inbox.receive("local", self.worker_side.outbox.report(self.worker_side.final))
            self.worker_side.acknowledged(self.run.run_id, upto, self.worker_side.final)
            if self.worker_side.outbox.empty:
                return

    def _on_stopping(self, environment, **_) -> None:
        """Before Locust stops anything: no new stage, users down to 0, records handed in."""
        if self.run is None or self.run.closed:
            return
        self.sweep.stop()
        if self.registry.distributed:
            self.registry.expected = max(1, len(self.registry.alive()))
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
        while time.monotonic() < over and not all(accounts[w].settled for w in self.registry.alive() if w in accounts):
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
        if self.worker_side:
            self.worker_side.final = True
            self._collect_own()
        for failed in self.runner.exceptions.values():  # our own bug in a user
            run.problem(
                f"users failed inside Swarmledger ({failed['count']} times): {redact(failed['msg'])}; see locust_exceptions.csv"
            )
        status = run.manifest.status
        run.close("stopped" if status == "running" else status)
        self._failure, self._refused = self._failure or run.failure, run.failure
        self._exit_code = min(self._exit_code, run.exit_code(), key=GRAVEST_FIRST.index)
        self.shape.control = self.sweep = None
        self.run = None

    def _on_quitting(self, environment, **_) -> None:
        """Fires on every way out, sometimes twice."""
        self.runner.stop() if not self.registry.distributed else self.runner.quit()
        untold = locust_log.unhandled_greenlet_exception and self._exit_code == OK
        environment.process_exit_code = NOT_TRUSTED if untold else self._exit_code
