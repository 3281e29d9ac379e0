"""A master's side of a scenario that is chosen: which workers have loaded it, which cannot, and which are still to answer."""

import collections.abc
import logging
import time

import gevent
from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import Hello, ScenarioChosen
from locustfiles.common.swarm.gate import Gate

log = logging.getLogger("swarmledger")
LOAD_S = 60.0  # for a worker to read and tokenise payloads
AGAIN_S = 5.0  # a message may be lost
OTHER = "another scenario or other payload files than the master's; copy the master's to it"


class ScenarioChoice:
    """`unfit`: workers that stay, and take part in nothing until another scenario is chosen; why."""

    def __init__(
        self, runner: LocalRunner | MasterRunner, gate: Gate | None, members: collections.abc.Container[str]
    ) -> None:
        """members: the workers that fit."""
        self.runner, self.gate, self.members = runner, gate, members
        self.unfit: dict[str, str] = {}
        self._inputs: Inputs | None = None  # None: the scenario is the one that was given at the start
        self._told_at: dict[str, float] = {}  # monotonic

    def objection(self, worker: str, hello: Hello, inputs: Inputs | None) -> str | None:
        """Why this worker cannot take part; None also where it may yet."""
        if inputs is None or hello.content == inputs.content:
            return hello.problem
        if hello.chosen == inputs.content:  # it has tried
            return f"worker {worker}: {OTHER}" + (f" ({hello.problem})" if hello.problem else "")
        earlier = self._inputs is not None or hello.chosen or not hello.content
        return None if earlier and not hello.problem else f"worker {worker}: {OTHER}"

    def note_unfit(self, worker: str, why: str) -> None:
        if self.unfit.get(worker) != why:
            log.error("%s", why)
        self.unfit[worker] = why

    def begin(self, inputs: Inputs) -> None:
        """Tell all workers."""
        self._inputs = inputs
        self.unfit.clear()
        self._told_at.clear()
        self.remind()

    def tell(self, worker: str, inputs: Inputs | None) -> None:
        """What to load. inputs: None where nothing is chosen yet; then Locust learns of it, and it waits."""
        if inputs is not None:
            self._told_at[worker] = time.monotonic()
            messenger.send(self.runner, ScenarioChosen(str(inputs.scenario_file), inputs.content), worker)
        elif self.gate:
            self.gate.admit(worker)

    @property
    def awaited(self) -> list[str]:
        """Workers that Locust knows, and that have not said what they make of the choice."""
        if self.gate is None:
            return []
        return [w for w in self.gate.workers if w not in self.members and w not in self.unfit and self._is_here(w)]

    def _is_here(self, worker: str) -> bool:
        """Or it is silent, or gone."""
        missing = {node.id for node in self.runner.clients.missing} if isinstance(self.runner, MasterRunner) else set()
        known = self.gate is not None and worker in self.gate.workers and not self.gate.presence.is_away(worker)
        return known and worker not in missing

    def remind(self) -> None:
        """Tell those that have not answered."""
        now = time.monotonic()
        for worker in self.awaited if self._inputs else ():
            if now - self._told_at.get(worker, -AGAIN_S) >= AGAIN_S:
                self.tell(worker, self._inputs)

    def settle(self) -> list[str]:
        """Wait for all answers. A line for each worker that cannot take part: Locust would give it users, which idle."""
        over = time.monotonic() + LOAD_S
        while self.awaited and time.monotonic() < over:
            self.remind()
            gevent.sleep(0.05)
        late = f"has not loaded the scenario within {LOAD_S:.0f} s; see that it is up, then start again"
        return [
            *(why for w, why in self.unfit.items() if self._is_here(w)),
            *(f"worker {w}: {late}" for w in self.awaited),
        ]
