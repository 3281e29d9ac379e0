"""The sending side of a run: in each worker, or in the one process of a run without workers.

It hears from the master (locally: from its own process) which stage is under way, makes the calls
that prepare it, and hands in its records.
"""

import collections.abc
import functools
import gc
import platform

import gevent
from locust.env import Environment
from locust.runners import LocalRunner, WorkerRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.planning.first_call import typical
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.recording import messenger
from locustfiles.common.recording.hand_in import HandIn
from locustfiles.common.recording.joining import Hello, Ping, Pong
from locustfiles.common.recording.messages import (
    ArrivalsDealt,
    CallAsked,
    CallMade,
    EndpointsChecked,
    RunBegins,
    StageAnnounced,
    StageClear,
)
from locustfiles.common.swarm.arrival_queue import ArrivalQueue
from locustfiles.common.swarm.part_draws import PartDraws
from locustfiles.common.swarm.user import tell_locust
from locustfiles.contract.error_classes import stopped_by_us
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.version import versions


class Worker:
    """What the users of this process share. Raises NoCredentials or BadInput."""

    def __init__(
        self, environment: Environment, runner: LocalRunner | WorkerRunner, inputs: Inputs, clock: Clock
    ) -> None:
        self.environment, self.runner = environment, runner
        self.inputs, self.clock = inputs, clock
        self.sender = self.sender_of(inputs)
        self.chosen = ""  # content of the scenario that the master has chosen
        self.due = ArrivalQueue(clock)
        self.records = HandIn()
        self.report_now: collections.abc.Callable[[], None] = lambda: None  # to a master, where there is one
        self.introduce: collections.abc.Callable[[Hello], None] = functools.partial(messenger.send, runner)
        self.leaving = False  # users that the master may still send here idle
        self._clear: StageClear | None = None  # the last one
        self._numbers: set[int] = set()
        messenger.register(runner, RunBegins, self._on_run)
        messenger.register(runner, StageAnnounced, self._on_stage)
        messenger.register(runner, ArrivalsDealt, self._on_arrivals)
        messenger.register(runner, CallAsked, self._on_call, concurrent=True)
        messenger.register(runner, Ping, self._on_ping)

    @property
    def scenario(self) -> Scenario:
        return self.inputs.scenario

    @property
    def payloads(self) -> dict[str, list[Prompt]]:
        return self.inputs.payloads

    def sender_of(self, inputs: Inputs) -> Sender:
        """Credentials are found now. Raises NoCredentials or BadInput."""
        sender = Sender(inputs.scenario, self.clock, self._sink)
        sender.on_clear, sender.sent, sender.by_the_image = self._say_clear, inputs.sent, inputs.by_the_image
        sender.seeded_by(lambda: f"{inputs.scenario.seed}/{max(0, self.runner.worker_index)}")
        return sender

    def take_up(self, inputs: Inputs, sender: Sender) -> None:
        """Send by another scenario from now on; `join` follows."""
        before, mine = self.sender, self.records
        before.sink, before.on_clear = mine.add, lambda spec, phase: None  # what is in flight is of the run before
        before.retire(sender)
        self.keep_records()
        gc.unfreeze()
        self.inputs, self.sender, self._clear = inputs, sender, None
        self.__dict__.pop("parts", None)

    def join(self, worker: str, again: bool = False) -> None:
        """Introduce this process to the master; `again`: it has served a run before."""
        self.sender.worker = worker
        self.introduce(Hello(self.inputs.content, platform.node(), None, again, versions(), self.chosen))

    @functools.cached_property
    def parts(self) -> PartDraws:
        """Of the scenario's mix, where it is one."""
        return PartDraws(self.scenario, self.seed_text)

    @property
    def seed_text(self) -> str:
        """What every user's random draws start from: differs by worker, not by target."""
        return f"{self.scenario.seed}/{max(0, self.runner.worker_index)}"

    def take_number(self) -> int:
        """The lowest free user number, from 1."""
        number = next(n for n in range(1, len(self._numbers) + 2) if n not in self._numbers)
        self._numbers.add(number)
        return number

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """When this process stood still, by its clock (Unix seconds)."""
        return [(self.sender.clock.at(since), self.sender.clock.at(until)) for since, until in self.sender.probe.gaps]

    @property
    def users(self) -> int:
        """That have started here and are not gone."""
        return len(self._numbers)

    def free_number(self, number: int) -> None:
        self._numbers.discard(number)

    def keep_records(self) -> None:
        """Write down what the master may never get."""
        self.records.keep(self.sender.worker, idle=not self.sender.probe.count)

    def _sink(self, record: RequestRecord) -> None:
        self.records.add(record)
        tell_locust(self.environment, record)

    def _say_clear(self, spec: StageSpec, phase: str) -> None:
        run, produced = self.records.run_id, self.records.outbox.produced
        self._clear = StageClear(run, spec.stage, phase, spec.look, self.sender.load, produced)
        messenger.send(self.runner, self._clear)
        if phase == "hold":
            self.report_now()

    def _on_run(self, message: RunBegins, _: str) -> None:
        if message.run == self.records.run_id:
            return  # said again: this process was away
        self.keep_records()  # of another run, whose master is gone
        self.records, self._clear = HandIn(message.run, message.folder), None
        self._numbers.clear()
        self.sender.announce(None, "settle")
        gc.collect()
        gc.freeze()  # what is loaded by now stays: no collection walks it during a measurement

    def _on_stage(self, message: StageAnnounced, _: str) -> None:
        if message.run != self.records.run_id or self.leaving:
            return
        spec, phase = message.visit, message.phase
        if (spec, phase) != (self.sender.spec, self.sender.phase):
            self.due.begin(spec.stage if spec and spec.users is None else None)
            self.sender.announce(spec, phase)
        elif spec and self._clear and self._clear.of == (spec.stage, phase, spec.look):
            messenger.send(self.runner, self._clear)  # said again, lest it was lost; so may our answer be

    def _on_arrivals(self, message: ArrivalsDealt, _: str) -> None:
        if message.run == self.records.run_id:
            self.due.deal(message.stage, message.due)

    def _on_call(self, message: CallAsked, _: str) -> None:
        """Check the endpoints, or make a target's warm-up call."""
        if message.run != self.records.run_id:  # of a run before, perhaps of another scenario
            return
        if message.target is None or message.payload is None:
            schemes = {t.name: self.sender.session.origin(t).scheme for t in self.scenario.targets}
            checked = EndpointsChecked(message.run, message.ask, self.sender.unreachable(), schemes)
            messenger.send(self.runner, checked)
            return
        target, prompts = self.scenario.target(message.target), self.payloads[message.payload]
        prompt = next((p for p in prompts if p.id == message.prompt_id), None) or typical(target, prompts)
        spec = StageSpec(stage=0, target=target.name, payload=message.payload, users=None)
        record = self.sender.call(0, target, prompt, spec, "warmup")
        if stopped_by_us(
            record.error, record.error_code
        ):  # without workers this is the sweep's own greenlet: the run is stopped
            raise gevent.GreenletExit
        self.report_now()  # Locust forgets what it has counted and not reported when the first users come, which may be at once
        messenger.send(self.runner, CallMade.of(record, message))

    def _on_ping(self, message: Ping, _: str) -> None:
        messenger.send(self.runner, Pong(message.sent, self.sender.clock.now()))
