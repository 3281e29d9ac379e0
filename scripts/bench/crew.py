"""Many workers in one process: each has its own connection to the master, identity, user, probe and records, as a worker that
is a process has. Run by `python -m scripts.bench.collect --processes N`, with the environment that it gives."""

import argparse
import sys

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs, load_inputs
from locustfiles.common.swarm import patient_master
from locustfiles.common.swarm.introduction import Introduction
from locustfiles.common.swarm.scenario_follower import keep_time
from locustfiles.common.swarm.sending_side import join
from locustfiles.contract.exit_codes import OK
from scripts.bench.collect_user import SERVICES, Maker


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.crew", description=__doc__)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--port", type=int, required=True, help="the master's, on this machine")
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args()
    patient_master.use()  # as where Locust reads its arguments
    inputs, clock = load_inputs(args.scenario, SERVICES, priced=False), Clock()
    crew = [_worker(args.port, inputs, clock) for _ in range(args.workers)]
    gevent.joinall([gevent.spawn(_until_it_ends, environment, runner) for environment, runner in crew])
    return OK


def _worker(port: int, inputs: Inputs, clock: Clock) -> tuple[Environment, WorkerRunner]:
    environment = Environment(user_classes=[Maker])
    keep_time(environment, inputs)
    runner = environment.create_worker_runner("127.0.0.1", port)
    join(environment, Introduction(environment, runner), SERVICES, inputs, clock)
    return environment, runner


def _until_it_ends(environment: Environment, runner: WorkerRunner) -> None:
    """As Locust's own main program does it."""
    runner.greenlet.join()
    environment.events.quitting.fire(environment=environment, reverse=True)


if __name__ == "__main__":
    sys.exit(main())
