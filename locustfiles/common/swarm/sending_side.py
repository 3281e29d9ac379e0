"""How a process comes to send: the worker's part, and the own part of a process without workers."""

import functools

import gevent
import locust.runners
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.swarm.introduction import Introduction
from locustfiles.common.swarm.link_to_master import MasterLink
from locustfiles.common.swarm.scenario_follower import ScenarioFollower
from locustfiles.common.swarm.worker import Worker

REPORT_INTERVAL_S = 1.0


def join(
    environment: Environment,
    introduction: Introduction,
    services: tuple[str, ...],
    inputs: Inputs | None,
    clock: Clock,
) -> None:
    """A worker's begin. inputs: None where it has no scenario of its own and loads the master's. Raises NoCredentials or BadInput."""
    begin = functools.partial(_begin_worker, environment, introduction, clock)
    follower = ScenarioFollower(environment, introduction.runner, services, introduction, begin)
    if inputs:
        begin(inputs)
    else:
        follower.say_that_there_is_none()


def _begin_worker(
    environment: Environment, introduction: Introduction, clock: Clock, inputs: Inputs, chosen: str = ""
) -> None:
    """chosen: content of the scenario that the master chose. Raises NoCredentials or BadInput."""
    runner = introduction.runner
    locust.runners.WORKER_REPORT_INTERVAL = REPORT_INTERVAL_S
    worker_side = Worker(environment, runner, inputs, clock)
    environment.swarmledger = worker_side  # type: ignore[attr-defined]
    worker_side.chosen = chosen
    worker_side.introduce = introduction.say
    gevent.spawn(MasterLink(environment, runner, worker_side).watch)
    worker_side.join(runner.client_id)


def own_side(
    environment: Environment, runner: LocalRunner | MasterRunner, clock: Clock, inputs: Inputs
) -> Worker | None:
    """Of a process without workers, else none; it has not joined yet. Raises NoCredentials or BadInput."""
    if not isinstance(runner, LocalRunner):
        return None
    worker_side = Worker(environment, runner, inputs, clock)
    environment.swarmledger = worker_side  # type: ignore[attr-defined]
    return worker_side
