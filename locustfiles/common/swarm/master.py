"""The receiving side of runs, on the master or in the only process: begins them, hands out what workers send, says how all ended."""

import argparse
import logging
import pathlib
import typing

import gevent.lock
from locust import log as locust_log
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording import messenger
from locustfiles.common.recording.begun_manifest import default_path
from locustfiles.common.recording.ending import complaint, drawbacks
from locustfiles.common.recording.joining import Stranger
from locustfiles.common.recording.messages import Called, Raised, StageClear
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.swarm.gate import Gate
from locustfiles.common.swarm.load_status import load_status
from locustfiles.common.swarm.run_under_way import RunUnderWay
from locustfiles.common.swarm.shape import StageShape
from locustfiles.common.swarm.worker import Worker
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.common.watching.observer import Observer
from locustfiles.common.watching.teller import Teller
from locustfiles.common.web.notice import Told
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK, STOPPED, complain
from locustfiles.contract.run_folder import RunFolder

log = logging.getLogger("swarmledger")
GRAVEST_FIRST = (NOT_TRUSTED, BAD_INPUT, GATE_MISSED, STOPPED, OK)  # of several runs in one web UI


def stop_one_at_a_time(runner: LocalRunner | MasterRunner) -> None:
    """Locust begins a second stop, as by a button that is pressed twice, while the first still drains; here it waits for that."""
    lock, stop = gevent.lock.RLock(), runner.stop

    def stopping(*arguments: typing.Any, **named: typing.Any) -> None:
        with lock:
            stop(*arguments, **named)

    runner.stop = stopping  # type: ignore[method-assign]


class Master:
    """Owns the run under way. `worker_side` is set when this process also sends (a run without workers)."""

    def __init__(
        self,
        environment: Environment,
        runner: LocalRunner | MasterRunner,
        options: argparse.Namespace,
        shape: StageShape,
        inputs: Inputs,
        clock: Clock,
        gate: Gate | None = None,
    ) -> None:
        self.environment, self.runner, self.options, self.shape = environment, runner, options, shape
        self.inputs, self.clock = inputs, clock
        self.registry = WorkerRegistry(environment, runner, options, inputs, clock, self._on_new_worker, gate)
        self.shape.workers_ready = self.registry.ready
        self.worker_side: Worker | None = None
        self._under_way: RunUnderWay | None = None
        self._run: RunRecorder | None = None  # the one under way, or the last one
        self._failure: str | None = None  # why the exit code is 1
        self._refused: str | None = None  # why the last start came to nothing
        self._folders: set[pathlib.Path] = set()
        self._exit_code = OK
        self._raised: list[str] = []  # workers that had an exception nobody handled
        self.observer = Observer(lambda: load_status(self))
        self.teller = environment.teller = Teller(options, self.observer, lambda: load_status(self))  # type: ignore[attr-defined]
        stop_one_at_a_time(runner)
        messenger.register(runner, StageClear, self._on_clear)
        messenger.register(runner, Called, self._on_called)
        messenger.register(runner, Raised, self._on_raised)
        if gate:
            gate.on_stray = self._on_stray
        events = environment.events
        events.test_start.add_listener(self._on_start)
        events.test_stopping.add_listener(self._on_stopping)
        events.test_stop.add_listener(self._on_stop)
        events.worker_report.add_listener(self._on_worker_report)
        events.quitting.add_listener(self._on_quitting)
        events.quit.add_listener(self._on_quit)

    # what workers send
    def _on_new_worker(self, worker: str) -> None:
        """One that introduced itself, or became ready again, while a run was already under way."""
        if self._under_way:
            self._under_way.attendance.admit(worker)

    def _on_clear(self, message: StageClear, worker: str) -> None:
        if self._under_way:
            self._under_way.sweep.control.on_clear(message, worker)

    def _on_called(self, message: Called, _: str) -> None:
        if self._under_way:
            self._under_way.sweep.preflight.on_called(message)

    def _on_raised(self, _: Raised, worker: str) -> None:
        if worker not in self._raised:
            self._raised.append(worker)
            log.error("worker %s: an event listener or a greenlet raised there (see its log): exit code 2", worker)

    def _on_stray(self, worker: str) -> None:
        """Of a master before this one."""
        messenger.send(self.runner, Stranger(), worker)

    def _on_worker_report(self, client_id: str, data: dict[str, typing.Any], **_: object) -> None:
        report = messenger.records_in(data, client_id)
        if report is None or not isinstance(self.runner, MasterRunner):
            return
        if client_id not in self.runner.clients:
            if self.runner.state in ("spawning", "running"):  # silent for so long that Locust has forgotten it
                messenger.send(self.runner, Stranger(), client_id)
        elif self._under_way:
            self._under_way.take_in(report, client_id)

    # the run
    def next_folder(self) -> pathlib.Path:
        """--run-dir, else runs/<UTC time>-<scenario>; a second run in this process gets a suffix."""
        first = pathlib.Path(self.options.run_dir) if self.options.run_dir else default_path(self.inputs)
        path, number = first, 2
        while path in self._folders:
            path, number = first.with_name(f"{first.name}-{number}"), number + 1
        return path

    @property
    def run(self) -> RunRecorder | None:
        """The one under way, else the last one."""
        return self._run

    @property
    def under_way(self) -> RunUnderWay | None:
        return self._under_way

    @property
    def exit_code(self) -> int:
        """By the runs so far."""
        return self._exit_code

    def asks(self) -> dict[str, typing.Any] | None:
        """What the page must answer before the run goes on."""
        return None

    def answer(self, question: int, yes: bool) -> str | None:
        """Why it cannot be answered, or None."""
        return "nothing is asked now"

    def stage_control(self, do: str) -> str | None:
        """end-after or skip the stage under way; why not, or None."""
        sweep = self._under_way.sweep if self._under_way else None
        if sweep is None:
            return "no run is under way; start one"
        if do == "end-after":
            sweep.end_after_stage()
            return None
        return None if sweep.skip_stage() else "no stage is settling or measuring now; try again in the next one"

    def told(self) -> Told:
        """Of the last start, for the web UI's page."""
        refused = self._under_way.run.failure if self._under_way else self._refused
        return Told(refused, drawbacks(self._run.manifest, self._run.over_budget) if self._run else [])

    def folder(self) -> pathlib.Path | None:
        """Of the run under way, else of the last one."""
        return self._run.folder.path if self._run else None

    def files(self) -> dict[str, pathlib.Path]:
        """Name -> path of what the run under way, else the last one, has written."""
        if self._run is None:
            return {}
        folder, parts = self._run.folder, len(self._run.manifest.parts)
        history = folder.locust_prefix(parts)
        return {
            "requests.csv": folder.requests,
            "locust_stats_history.csv": history.with_name(f"{history.name}_stats_history.csv"),
        }

    def _on_start(self, **_: object) -> None:
        self.registry.await_introductions()
        self._refused, self._run, path = None, None, self.next_folder()
        try:
            resume = self.options.resume and not self._folders
            run = RunRecorder(self.environment, self.inputs, path, self.clock, self.options.overwrite, resume)
        except (BadInput, OSError) as e:
            self._failure = self._refused = str(e if isinstance(e, BadInput) else RunFolder(path).unusable(e))
            log.error("%s", self._failure)
            self._exit_code, self.shape.refused = BAD_INPUT, True
            return
        self._folders.add(path)
        self._run = run
        self._under_way = RunUnderWay(run, self.environment, self.runner, self.registry, self.worker_side)
        self._under_way.begin()
        self.teller.begin()
        self.shape.control = self._under_way.sweep.control

    def _on_stopping(self, **_: object) -> None:
        if self._under_way and not self._under_way.run.closed:
            self._under_way.stop()

    def _on_stop(self, **_: object) -> None:
        if self._under_way is None or self._under_way.run.closed:
            return
        self._under_way.close()
        run = self._under_way.run
        self._failure, self._refused = self._failure or complaint(run.failure, run.manifest), run.failure
        self._exit_code = min(self._exit_code, run.exit_code(), key=GRAVEST_FIRST.index)
        self.shape.control = self._under_way = None

    def _on_quitting(self, **_: object) -> None:
        """Fires on every way out, sometimes twice."""
        if self.registry.gate:
            self.registry.gate.dismiss()
        if self.registry.distributed:
            self.runner.quit()
        else:
            self.runner.stop()
        untold = (locust_log.unhandled_greenlet_exception or self._raised) and self._exit_code in (OK, STOPPED)
        self.environment.process_exit_code = NOT_TRUSTED if untold else self._exit_code

    def _on_quit(self, exit_code: int, **_: object) -> None:
        """After Locust's tables."""
        self.teller.end(exit_code)
        if self._failure:
            complain(self._failure)
