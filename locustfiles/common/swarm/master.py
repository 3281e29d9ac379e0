"""The receiving side of runs, on the master or in the only process: begins them, hands out what workers send, says how all ended."""

import argparse
import logging
import pathlib
import typing

import gevent
import gevent.lock
from locust import log as locust_log
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.confirm import Question
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording import messenger
from locustfiles.common.recording.ending import complaint, drawbacks
from locustfiles.common.recording.joining import Stranger
from locustfiles.common.recording.messages import Called, Raised, StageClear
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.gate import Gate
from locustfiles.common.swarm.load_status import load_status
from locustfiles.common.swarm.next_run import NextRun
from locustfiles.common.swarm.run_under_way import RunUnderWay
from locustfiles.common.swarm.shape import StageShape
from locustfiles.common.swarm.worker import Worker
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.common.watching.metrics_out import MetricsOut
from locustfiles.common.watching.observer import Observer
from locustfiles.common.watching.teller import Teller
from locustfiles.common.web.notice import Told
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK, STOPPED, complain

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
        inputs: Inputs | None,
        clock: Clock,
        gate: Gate | None = None,
    ) -> None:
        self.environment, self.runner, self.options, self.shape = environment, runner, options, shape
        self.clock = clock
        self.registry = WorkerRegistry(environment, runner, options, inputs, clock, self._on_new_worker, gate)
        self.registry.under_way = lambda: self._under_way is not None
        self.next_run = NextRun(environment, options, self.registry, clock, inputs)
        self.shape.workers_ready = self.registry.ready
        self.worker_side: Worker | None = None
        self._under_way: RunUnderWay | None = None
        self._run: RunRecorder | None = None  # the one under way, or the last one
        self.sweep: Sweep | None = None  # its
        self._failure: str | None = None  # why the exit code is 1
        self._refused: str | None = None  # why the last start came to nothing
        self.starts, self._exit_code = 0, OK  # starts: that have begun a run, or come to nothing
        self._raised: list[str] = []  # workers that had an exception nobody handled
        self.observer = Observer(lambda: load_status(self))
        self.metrics_out = MetricsOut(options, self.observer)
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
    @property
    def inputs(self) -> Inputs | None:
        """Of the scenario that the run under way, else the next one, is of; None until one is chosen."""
        return self.registry.inputs

    @property
    def run(self) -> RunRecorder | None:
        """The one under way, else the last one."""
        return self._run

    @property
    def under_way(self) -> RunUnderWay | None:
        return self._under_way

    @property
    def refused(self) -> str | None:
        return self._refused  # why the last start came to nothing

    @property
    def question(self) -> Question | None:
        return self._under_way.sweep.preflight.question if self._under_way else None

    def asks(self) -> dict[str, typing.Any] | None:
        """What the page must answer before the run goes on."""
        return {"text": self.question.text, "id": self.question.id} if self.question else None

    def answer(self, question: int, yes: bool) -> str | None:
        """Why it cannot be answered, or None."""
        if self.question is None or question != self.question.id:
            return "nothing is asked now, or another question: it was answered, or its run has ended"
        self.question.answer(yes)
        return None

    def stage_control(self, do: str) -> str | None:
        """end-after or skip the stage under way, or stop the run; why not, or None."""
        if self._under_way is None:
            return "no run is under way; start one"
        if do == "stop":
            gevent.spawn(self.runner.stop)  # as Locust's own button, whose answer waits for the requests in flight
        elif self._under_way.stopping:
            return "the run is stopping already; its requests in flight end"
        elif do == "end-after":
            self._under_way.sweep.end_after_stage()
        elif not self._under_way.sweep.skip_stage():
            return "no stage has a window to end or to come now; skip one that settles or measures"
        return None

    def told(self) -> Told:
        """Of the last start, for the web UI's page."""
        refused = self._under_way.run.failure if self._under_way else self._refused
        mind = drawbacks(self._run.manifest, self._run.over_budget) if self._run else []
        scenario = str(self.inputs.scenario_file) if self.inputs else None
        return Told(refused, mind, scenario, self.asks())

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
        self._refused = self._run = self.sweep = None
        try:
            run = self.next_run.begin()
        except BadInput as e:
            self._failure = self._refused = str(e)
            log.error("%s", self._failure)
            self._exit_code, self.shape.refused = BAD_INPUT, True
            return
        finally:
            self.starts += 1
        self._run = run
        self._under_way = RunUnderWay(run, self.environment, self.runner, self.registry, self.worker_side)
        self._under_way.begin()
        self.sweep = self._under_way.sweep
        self.teller.begin()
        self.metrics_out.begin()
        self.shape.control = self.sweep.control

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
        self.metrics_out.flush()
        self.observer.stop()
        if self._failure:
            complain(self._failure)
