"""LLMUser: sends the current stage's prompts, one after the other, and tells Locust of each."""

import random

import gevent
from locust import User, task
from locust.user.task import LOCUST_STATE_STOPPING

from locustfiles.common.errors import ErrorClass
from locustfiles.common.payloads import Draws, Prompt
from locustfiles.common.record import RequestRecord
from locustfiles.common.sender import Sender

IDLE_S = 0.02


class RequestFailed(Exception):
    """What Locust's failures tab shows: the service's code and our class; no request id, so that texts are stable."""

    def __init__(self, record: RequestRecord) -> None:
        detail = record.error_code or (f"HTTP {record.http_status}" if record.http_status else "no answer")
        super().__init__(f"{record.error}: {detail}")

    def __repr__(self) -> str:
        return str(self)


def tell_locust(environment, record: RequestRecord) -> None:
    """Fire Locust's request event: `<target> <payload> @<users>`, ms, the record as context."""
    stage = "warmup" if record.phase == "warmup" else f"@{record.users}"
    environment.events.request.fire(
        request_type=record.operation,
        name=f"{record.target} {record.payload} {stage}",
        response_time=record.latency_ms,
        response_length=record.response_bytes,
        response=None,
        context={"record": record},
        exception=RequestFailed(record) if record.error else None,
        start_time=record.started_at,
        url=None,
    )


class LLMUser(User):
    """A closed-loop user of LLM endpoints. `environment.swarmledger` is what its process sends with."""

    abstract = True

    def on_start(self) -> None:
        self.crew = self.environment.swarmledger
        self.number = self.crew.take_number()
        self._draws: dict[str, Draws] = {}
        self._pause_s = 0.0
        visit = self.crew.sender.visit
        if visit:  # users that start in one instant would stay in lockstep
            target = self.crew.scenario.target(visit.target)
            settle_s = self.crew.scenario.load_of(target).settle_s
            gevent.sleep(random.Random(f"{self.crew.seed_text}/{self.number}/start").uniform(0, min(settle_s, 2.0)))
            self.crew.sender.warm(target)

    def on_stop(self) -> None:
        self.crew.free_number(self.number)

    def stop(self, force: bool = False) -> bool:
        """Locust raises when a user is told to stop twice, as by a Ctrl-C that reaches master and worker at once."""
        if self._state == LOCUST_STATE_STOPPING and not force:
            return False
        return super().stop(force)

    def wait_time(self) -> float:
        return self._pause_s

    def draw(self, payload: str) -> Prompt:
        """The next prompt of this user's own seeded order of a payload."""
        if payload not in self._draws:
            seed = f"{self.crew.seed_text}/{self.number}/{payload}"
            self._draws[payload] = Draws(self.crew.payloads[payload], seed)
        return next(self._draws[payload])

    @task
    def request(self) -> None:
        sender: Sender = self.crew.sender
        visit, phase = sender.visit, sender.phase
        if visit is None:
            self._pause_s = IDLE_S
            return
        scenario = self.crew.scenario
        target = scenario.target(visit.target)
        record = sender.call(self.number, target, self.draw(visit.payload), visit, phase)
        if record.error == ErrorClass.CANCELLED:
            raise gevent.GreenletExit
        think_s = scenario.load_of(target).think_s
        self._pause_s = max(think_s, scenario.error_pause_s) if record.error else think_s
