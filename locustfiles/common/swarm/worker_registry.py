"""The workers of a master: who has introduced itself, who does not fit, how far each one's clock is off.

A run without workers has a registry of one, this process.
"""

import argparse
import collections.abc
import logging
import time

import gevent
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import Hello, Ping, Pong
from locustfiles.common.swarm import run_token
from locustfiles.common.swarm.gate import Gate
from locustfiles.common.swarm.scenario_choice import ScenarioChoice
from locustfiles.contract.exit_codes import BAD_INPUT, complain
from locustfiles.contract.manifest import WorkerEntry
from locustfiles.contract.version import versions

log = logging.getLogger("swarmledger")
PINGS = 10
INTRODUCE_S = 10.0  # for a worker that has shown the token to read its scenario


class WorkerRegistry:
    """`members`: the workers that fit, in the order they came. `on_new(worker)` is called for each of them."""

    def __init__(
        self,
        environment: Environment,
        runner: LocalRunner | MasterRunner,
        options: argparse.Namespace,
        inputs: Inputs | None,
        clock: Clock,
        on_new: collections.abc.Callable[[str], None],
        gate: Gate | None,
    ) -> None:
        """inputs: None until a scenario is chosen; gate: what lets workers in; None without any."""
        self.runner, self.options, self.inputs, self.clock, self.on_new = runner, options, inputs, clock, on_new
        self.gate = gate
        self._clients = runner.clients if isinstance(runner, MasterRunner) else None  # the workers that Locust knows
        self.members: dict[str, WorkerEntry] = {}
        self.expected = 1  # workers to wait for before a run
        self.begun = False  # a run has begun in this process
        self.choice = ScenarioChoice(runner, gate, self.members)
        self._heard: set[str] = set()  # workers that have introduced themselves, fit or not
        self.under_way: collections.abc.Callable[[], bool] = lambda: False  # a run is
        self._refusal: str | None = None  # a worker did not fit before the run began
        self._best_round_trip: dict[str, float] = {}
        self._versions = versions()
        messenger.register(runner, Hello, self._on_hello)
        messenger.register(runner, Pong, self._on_pong)
        environment.events.worker_connect.add_listener(self._on_connect)

    @property
    def distributed(self) -> bool:
        return self._clients is not None

    def alive(self) -> list[str]:
        """Ids of the workers that can send, the first to have joined first."""
        clients = self._clients
        if clients is None:
            return list(self.members)
        here = {c.id for c in (*clients.ready, *clients.spawning, *clients.running)}
        return [worker for worker in self.members if worker in here]

    def heard_at(self, worker: str) -> float:
        """When it was last heard, Unix seconds; now where that is not known."""
        return self._at(self.gate.presence.heard.get(worker) if self.gate else None)

    def heard_s_ago(self, worker: str) -> float | None:
        """None where that is not known; of this process itself 0."""
        if not self.gate:
            return 0.0
        heard = self.gate.presence.heard.get(worker)
        return None if heard is None else max(0.0, self.clock.now() - self.clock.at(heard))

    def back_at(self, worker: str) -> float:
        """When it was heard again after its last silence."""
        return self._at(self.gate.presence.back.get(worker) if self.gate else None)

    def _at(self, moment: float | None) -> float:
        return self.clock.now() if moment is None else self.clock.at(moment)

    def _on_hello(self, hello: Hello, worker: str) -> None:
        self._heard.add(worker)
        why = self.choice.objection(worker, hello, self.inputs)
        if why and self.gate and worker in self.gate.workers and not self.under_way():
            self.choice.note_unfit(worker, why)
            return
        if why:
            self._refuse(worker, why, hello.again)
            return
        if self.inputs is None or hello.content != self.inputs.content:
            self.choice.tell(worker, self.inputs)
            return
        self.choice.unfit.pop(worker, None)
        entry = WorkerEntry(worker, hello.host, None if self.distributed else 0.0, None, 0, None)
        entry.versions = self._unlike(worker, hello.versions)
        self.members.setdefault(worker, entry)
        if self.gate:
            self.gate.admit(worker)
            gevent.spawn(self._measure_offset, worker)
        self.on_new(worker)

    def _unlike(self, worker: str, theirs: dict[str, str]) -> dict[str, str]:
        """What of them differs from the master's, and with it from what the manifest says."""
        own = self._versions
        unlike = {name: version for name, version in sorted(theirs.items()) if version != own.get(name)}
        if unlike:
            said = ", ".join(f"{name} {version} (here {own.get(name, 'none')})" for name, version in unlike.items())
            log.warning("worker %s runs other versions than the master: %s; install the same on both", worker, said)
        return unlike

    def _refuse(self, worker: str, why: str, again: bool) -> None:
        """again: a worker that an earlier master has left behind, which is no reason to call the run off."""
        log.error(why)
        if not again and not self.begun and self.options.headless:
            if self._refusal is None:  # nothing has been sent yet: one bad worker spoils the whole run
                self._refusal = why
                gevent.spawn(self._call_off, why)
            return  # all leave together: Locust's master hears nothing more once its last worker has left
        if self.gate:
            self.gate.refuse(worker, why)

    def _call_off(self, why: str) -> None:
        """End master and workers before the run began, those that are still starting too."""
        over = time.monotonic() + INTRODUCE_S
        while len(self._heard) < self.options.expect_workers and time.monotonic() < over:
            gevent.sleep(0.05)
        if self.gate:
            self.gate.refuse_all(why)
        gevent.sleep(0.5)
        complain(why)
        run_token.end_at_once(BAD_INPUT)  # Locust's wait for workers cannot be left otherwise

    def choose(self, inputs: Inputs) -> None:
        """What the runs are of from now on; every worker is told, and introduces itself anew."""
        if self.inputs is None or inputs.content != self.inputs.content:
            self.members.clear()
            self._best_round_trip.clear()
        self.inputs = inputs
        self.choice.begin(inputs)

    def await_introductions(self) -> None:
        """A worker that has come may still be reading its scenario."""
        over = time.monotonic() + INTRODUCE_S
        while self.gate and self.gate.awaited and time.monotonic() < over:
            gevent.sleep(0.05)
        for worker in self.gate.awaited if self.gate else ():
            log.warning("worker %s has not introduced itself yet: the run begins without it", worker)
        if self._refusal:
            gevent.sleep(2 * INTRODUCE_S)  # this process ends meanwhile
        self.begun = True

    def ready(self) -> bool:
        """After a run a worker needs a second to be ready for the next. False when none is."""
        clients, over = self._clients, time.monotonic() + INTRODUCE_S
        if clients is None:
            return True
        while len(clients.ready) < self.expected and time.monotonic() < over:
            gevent.sleep(0.05)
        if not clients.ready:
            log.error("No worker is ready; start workers with --worker --master-host, then start again")
            return False
        return True

    def _on_connect(self, client_id: str, **_: object) -> None:
        """A worker that is ready again after a run."""
        if client_id in self.members:
            self.on_new(client_id)

    def _measure_offset(self, worker: str) -> None:
        for _ in range(PINGS):
            messenger.send(self.runner, Ping(self.clock.now()), worker)
            gevent.sleep(0.05)

    def _on_pong(self, pong: Pong, worker: str) -> None:
        """Of several pings the quickest bounds the offset best: worker clock minus the middle of the round trip."""
        now = self.clock.now()
        best = self._best_round_trip.get(worker)
        if worker in self.members and (best is None or now - pong.sent < best):
            self._best_round_trip[worker] = now - pong.sent
            self.members[worker].clock_offset_ms = round((pong.now - (pong.sent + now) / 2) * 1000, 3)
