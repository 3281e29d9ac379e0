"""A worker's side of a scenario that is chosen at the master: the file of that path, from this worker's own working folder."""

import collections.abc
import math
import platform

import locust.runners
from locust.env import Environment
from locust.runners import WorkerRunner

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.loading import load_beside_the_loop
from locustfiles.common.planning.plan import STOP_S
from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import Hello, ScenarioChosen
from locustfiles.common.swarm.introduction import Introduction
from locustfiles.common.swarm.worker import Worker
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.version import versions


def keep_time(environment: Environment, inputs: Inputs) -> None:
    """How long users, and a worker's master, are waited for under a scenario."""
    environment.stop_timeout = inputs.scenario.request_timeout_s + STOP_S
    # while a worker stops its users it hears no heartbeat of the master's, for up to twice the timeout
    locust.runners.MASTER_HEARTBEAT_TIMEOUT = math.ceil(max(60, 2 * environment.stop_timeout + 60))


class ScenarioFollower:
    """`begin` makes the sending side of a worker that was started with no scenario of its own."""

    def __init__(
        self,
        environment: Environment,
        runner: WorkerRunner,
        services: tuple[str, ...],
        introduction: Introduction,
        begin: collections.abc.Callable[[Inputs, str], None],
    ) -> None:
        self.environment, self.runner, self.services = environment, runner, services
        self.introduction, self._begin = introduction, begin
        self._loading: ScenarioChosen | None = None
        messenger.register(runner, ScenarioChosen, self._on_chosen, concurrent=True)

    @property
    def _side(self) -> Worker | None:
        return getattr(self.environment, "swarmledger", None)

    def say_that_there_is_none(self) -> None:
        """This worker waits for the master's choice."""
        self.introduction.say(Hello("", platform.node(), None, again=False, versions=versions()))

    def _on_chosen(self, message: ScenarioChosen, _: str) -> None:
        if self._loading == message:
            return  # said again meanwhile
        self._loading = message
        try:
            self._take_up(message)
        except BadInput as e:
            if self._loading is message:
                hello = Hello("", platform.node(), str(e), again=False, versions=versions(), chosen=message.content)
                self.introduction.say(hello)
        finally:
            if self._loading is message:
                self._loading = None

    def _take_up(self, message: ScenarioChosen) -> None:
        side = self._side
        if side is None or side.inputs.content != message.content:
            inputs = load_beside_the_loop(message.file, self.services, priced=False)
            if self._loading is not message:
                return  # yet another one was chosen
            keep_time(self.environment, inputs)
            if side is None:
                self._begin(inputs, message.content)
                return
            side.take_up(inputs, side.sender_of(inputs))
        side.chosen = message.content
        side.join(side.sender.worker)
