"""A worker's way to its master: it knocks, shows the run's token when it is asked, and says who it is."""

import time

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import Challenge, Hello, Knock, Proof, Refused
from locustfiles.common.swarm import run_token
from locustfiles.contract.exit_codes import BAD_INPUT, complain


class Introduction:
    """Made before the scenario is read, which may take a while: the master knows meanwhile who is there."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self.environment, self.runner = environment, runner
        self._hello: Hello | None = None
        self._answered = False
        messenger.register(runner, Challenge, self._on_challenge)
        messenger.register(runner, Refused, self._on_refuse)
        messenger.send(runner, Knock())

    def say(self, hello: Hello, wait_s: float = 0.0) -> None:
        """Now and with every later answer to a challenge, for what comes before the first answer is not heard. Returns when it has
        been said to be heard, or after `wait_s`."""
        self._hello, over = hello, time.monotonic() + wait_s
        messenger.send(self.runner, hello)
        while not self._answered and time.monotonic() < over:
            gevent.sleep(0.02)

    def _on_challenge(self, message: Challenge, _: str) -> None:
        worker = self.runner.client_id
        tokens = run_token.of_worker()
        messenger.send(self.runner, Proof([run_token.proof(token, message.challenge, worker) for token in tokens]))
        if self._hello:
            messenger.send(self.runner, self._hello)
        self._answered = True

    def _on_refuse(self, message: Refused, _: str) -> None:
        complain(message.why)
        self.environment.process_exit_code = BAD_INPUT
        self.runner.quit()
