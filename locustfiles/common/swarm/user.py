"""LLMUser: sends the current stage's prompts, one after the other, and tells Locust of each."""

import functools
import math
import random

import gevent
from locust import User, task
from locust.user.task import LOCUST_STATE_STOPPING

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.session import Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.planning.plan import START_S
from locustfiles.common.planning.sent_lines import for_arrival
from locustfiles.common.prompts.payloads import Draws, Prompt
from locustfiles.common.swarm.play import Play
from locustfiles.contract.error_classes import OwnCode, stopped_by_us
from locustfiles.contract.record import RequestRecord

IDLE_S = 0.25  # between two looks whether there is a stage: users are told to come after it is announced
DUE_TIMEOUT_S = 30.0  # a user that nothing is due for is woken when a stage begins, and is stopped where it waits


class RequestFailed(Exception):
    """What Locust's failures tab shows: the service's code and our class; no request id, so that texts are stable."""

    def __init__(self, record: RequestRecord) -> None:
        detail = record.error_code or (f"HTTP {record.http_status}" if record.http_status else "no answer")
        super().__init__(f"{record.error}: {detail}")

    def __repr__(self) -> str:
        return str(self)


def tell_locust(environment, record: RequestRecord) -> None:
    """Fire Locust's request event: `<target> <payload> @<users>` (open loop: `@<rate>/s`), ms, the record as context.

    Not of a request that its client left on purpose: it is no success and no failure, and Locust knows nothing else."""
    if record.error_code == OwnCode.CLIENT_CANCELLED:
        return
    level = f"@{record.users}" if record.users is not None else f"@{record.rate:g}/s" if record.rate else record.phase
    environment.events.request.fire(
        request_type=record.operation,
        name=f"{record.target} {record.payload} {level}",
        response_time=record.latency_ms,
        response_length=record.response_bytes,
        response=None,
        context={"record": record},
        exception=RequestFailed(record) if record.error else None,
        start_time=record.started_at,
        url=None,
    )


class LLMUser(User):
    """A user of LLM endpoints. `environment.swarmledger` is what its process sends with."""

    abstract = True

    def on_start(self) -> None:
        self.worker_side = self.environment.swarmledger
        self.number = self.worker_side.take_number()
        self._draws: dict[tuple[str, str], Draws] = {}  # content of the scenario, payload
        self._pause_s, self._waits = 0.0, False
        self._play = Play(f"{self.worker_side.seed_text}/{self.number}")
        self._warm_for: int | None = None  # a stage
        spec = self.worker_side.sender.spec
        if spec and spec.users is not None:  # users that start in one instant would stay in lockstep
            settle_s = self.worker_side.scenario.load_of(self.worker_side.scenario.target(spec.target)).settle_s
            gevent.sleep(
                random.Random(f"{self.worker_side.seed_text}/{self.number}/start").uniform(0, min(settle_s, START_S))
            )
        if spec:
            self._warm(spec)

    def _warm(self, spec: StageSpec) -> None:
        """See that no request of the stage has to open a connection. In the open loop every user may be needed at once, but no
        more of them than requests come within a call's longest time (four deviations above the mean)."""
        self._warm_for, users, scenario = spec.stage, self.worker_side.users, self.worker_side.scenario
        if spec.users is None:
            come = spec.rate * scenario.longest_call_s
            spread = scenario.load_of(scenario.target(spec.target)).dispersion
            users = min(users, math.ceil(come + 4 * math.sqrt(spread * come)))
        for name in dict.fromkeys(part.target for part in scenario.parts) or (spec.target,):
            self.worker_side.sender.warm(scenario.target(name), users)

    def on_stop(self) -> None:
        self.worker_side.free_number(self.number)

    def stop(self, force: bool = False) -> bool:
        """Locust raises when a user is told to stop twice, as by a Ctrl-C that reaches master and worker at once. One that waits
        for an arrival has no request that must end."""
        if self._state == LOCUST_STATE_STOPPING and not force:
            return False
        return super().stop(force or self._waits)

    def wait_time(self) -> float:
        return self._pause_s

    def draw(self, payload: str) -> Prompt:
        """The next prompt of this user's own seeded order of a payload."""
        key = self.worker_side.inputs.content, payload
        if key not in self._draws:
            seed = f"{self.worker_side.seed_text}/{self.number}/{payload}"
            self._draws[key] = Draws(self.worker_side.payloads[payload], seed)
        return next(self._draws[key])

    @task
    def request(self) -> None:
        sender: Sender = self.worker_side.sender
        spec, phase = sender.spec, sender.phase
        if spec is None:
            self._pause_s = IDLE_S
            return
        scenario = self.worker_side.scenario
        if spec.users is None:
            # of the stage before some may have been closed meanwhile
            if phase == "settle" and self._warm_for != spec.stage:
                self._warm(spec)
            return self._open_loop()
        session = self._play.under_way(spec)
        if session:
            spec, prompt = session.spec, session.prompt
        else:
            spec = self.worker_side.parts.next(spec)
            prompt = self.draw(spec.payload)
            session = self._play.begin(sender, spec, prompt)
        target = scenario.target(spec.target)
        record = sender.call(self.number, target, prompt, spec, phase, session=session)
        if stopped_by_us(record.error, record.error_code):
            raise gevent.GreenletExit
        self._pause_s = self._play.pause_s(record, target, scenario)

    def _open_loop(self) -> None:
        """Send the next request that is due, whatever became of those before: a session's next turn, else what an arrival
        begins."""
        spec = self.worker_side.sender.spec
        if spec and (session := self._play.under_way(spec)):
            self._send(session.prompt, session.spec, self._play.due, session)
            return
        self._pause_s = 0.0
        self._waits = True
        try:
            arrival = self.worker_side.due.next(DUE_TIMEOUT_S)
        finally:
            self._waits = False
        spec = self.worker_side.sender.spec  # another stage may have begun meanwhile, or another run
        if arrival is None or spec is None or spec.users is not None:
            return
        spec = self.worker_side.parts.next(spec)
        prompt = self.prompt_for(arrival, spec.target, spec.payload)
        self._send(prompt, spec, arrival.at_s, self._play.begin(self.worker_side.sender, spec, prompt))

    def _send(self, prompt: Prompt, spec: StageSpec, due: float, session: Session | None) -> None:
        """In the open loop; there a user pauses in its own session alone."""
        sender, scenario = self.worker_side.sender, self.worker_side.scenario
        target = scenario.target(spec.target)
        record = sender.call(self.number, target, prompt, spec, sender.phase, due, session)
        if stopped_by_us(record.error, record.error_code):
            raise gevent.GreenletExit
        pause_s = self._play.pause_s(record, target, scenario)
        self._pause_s = pause_s if session and not session.ended else 0.0

    @functools.cached_property
    def _random(self) -> random.Random:
        """For replays, which alone take lines by their length."""
        return random.Random(f"{self.worker_side.seed_text}/{self.number}/replay")

    def prompt_for(self, arrival: Arrival, target: str, payload: str) -> Prompt:
        """The next prompt; where a trace has token lengths, one of the nearest length, asked for so many tokens."""
        prompt = self.draw(payload)
        if arrival.prompt_tokens is not None:
            prompt = self._random.choice(
                self.worker_side.inputs.by_length[target, payload].lines(arrival.prompt_tokens)
            )
        return for_arrival(prompt, arrival.prompt_tokens, arrival.max_tokens)
