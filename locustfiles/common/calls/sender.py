"""One call: target and prompt in, a RequestRecord for each attempt out. The only place that turns clocks into durations."""

import collections
import collections.abc
import itertools
import random
import time
import typing

import gevent

from locustfiles.common.calls.async_call import async_calls
from locustfiles.common.calls.boto3_call import Boto3Call
from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.kept_bodies import KeptBodies
from locustfiles.common.calls.leaving import Leaving
from locustfiles.common.calls.loop_probe import Probe
from locustfiles.common.calls.outcome import elapsed_ms, outcome, token_counts
from locustfiles.common.calls.own_answers import read, unsigned
from locustfiles.common.calls.session import Asked, Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.calls.unreachable import Unreachable, unreachable
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.request import Body
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import counter_of
from locustfiles.common.transport.aws_session import UNSIGNED, AwsSession
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.exchange import Exchange
from locustfiles.contract.error_classes import ErrorClass, OwnCode
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import Target


class Sender:
    """What one process sends with: session, transport, clock anchor, call numbers, and where records go.

    `sink` gets every record. `on_clear(spec, phase)` is called once in a stage's settle phase, when no request
    of an earlier stage is in flight any more, and once in its hold phase, when none of its measured window is.
    """

    def __init__(self, scenario: Scenario, clock: Clock, sink: collections.abc.Callable[[RequestRecord], None]) -> None:
        """Raises NoCredentials or BadInput."""
        self.scenario = scenario
        self.clock = clock
        self.session = AwsSession(scenario)
        for target in scenario.targets:  # boto3 takes its 0.1 s for a service now, not in a user's first request
            self.session.origin(target)
        self.probe = Probe()
        self.transport = ConnectionPool(self.session.ca_file, kernel_stamps=scenario.stamps == "kernel")
        self._boto3 = Boto3Call(self.session, scenario) if scenario.transport == "boto3" else None
        self._async = async_calls(self.session, self.transport, self._boto3, scenario)
        self.worker = "local"
        self.sink = sink
        self.on_clear: collections.abc.Callable[[StageSpec, str], None] = lambda spec, phase: None
        #: (target, payload, line) -> what is sent in its place: Inputs.sent
        self.sent: collections.abc.Callable[[Target, str, Prompt], Prompt] = lambda target, payload, prompt: prompt
        #: whether a target is billed by the images that it embeds, of which no answer has the count: Inputs.by_the_image
        self.by_the_image: collections.abc.Callable[[Target], bool] = lambda target: False
        self.load: dict[str, float] = {}  # how this process kept up in the last measured window: Probe.read
        self.spec: StageSpec | None = None
        self.phase = "settle"
        self._idle = False  # told that nothing is to be sent
        self._told = True  # on_clear was called for this phase
        self._open: collections.Counter[tuple[int, str]] = collections.Counter()  # in flight by (stage, phase)
        self._bodies = KeptBodies()
        self._calls = itertools.count(1)
        self._jitter = random.Random()
        self._leaving = Leaving(scenario.cancel)
        self._counters = {t.name: counter_of(t.tokenizer) for t in scenario.targets if t.tokenizer}

    def seeded_by(self, seed_text: collections.abc.Callable[[], str]) -> None:
        """What its own draws start from, known once this process has its number."""
        self._leaving.seed_text = seed_text

    def retire(self, successor: "Sender") -> None:
        """Another one takes its place, and counts calls on; what is in flight ends."""
        successor.worker, successor._calls = self.worker, self._calls
        self.announce(None, "settle")
        self.probe.end()
        self.transport.close()

    def count_from(self, number: int) -> None:
        """Call numbers go on from here."""
        self._calls = itertools.count(number + 1)

    def announce(self, spec: StageSpec | None, phase: str) -> None:
        """Requests sent from now on belong to `spec` and `phase`."""
        if phase == "settle":
            self.load = {}
        elif phase == "measure" and (self.phase == "settle" or not self._is_on(spec)):
            self.probe.begin()  # and not when a stage is measured on
        elif phase == "hold" and self.phase == "measure":
            self.load = self.probe.read()
        self.spec, self.phase, self._idle = spec, phase, spec is None
        self._told = spec is None or phase == "measure"
        self._tell_when_clear()

    def _is_on(self, spec: StageSpec | None) -> bool:
        return spec is not None and self.spec is not None and self.spec.stage == spec.first

    def _tell_when_clear(self) -> None:
        spec = self.spec
        if self._told or spec is None:
            return
        awaited: typing.Iterable[int] = (self._open[spec.stage, "measure"],)
        if self.phase == "settle":
            awaited = (n for (of, phase), n in self._open.items() if of != spec.stage)
        if not any(awaited):
            self._told = True
            self.on_clear(spec, self.phase)

    def warm(self, target: Target, users: int) -> None:
        """See that there is a connection for each of so many users ahead of their first requests, where connections are ours."""
        origin = self.session.origin(target)
        if not self._boto3 and self.transport.standing(origin) < users:
            self.transport.open(origin)

    def unreachable(self) -> list[Unreachable]:
        """Connect to every target's endpoint, send nothing; those that did not answer."""
        return unreachable(self.scenario, self.session, self.transport)

    def call(
        self,
        user: int,
        target: Target,
        prompt: Prompt,
        spec: StageSpec,
        phase: str,
        due: float | None = None,
        session: Session | None = None,
    ) -> RequestRecord:
        """Send one request and, with a `retry:`, more until one succeeds; the last one's record. The stage's settling
        and holding wait for the whole call. Killed in a request, it returns a record of class `cancelled`: the caller
        then ends its greenlet. Killed in the pause before a retry, it raises GreenletExit.

        due: when it should have been sent (perf_counter seconds), open loop only; session: whose next turn it is, else the
        prompt is sent by itself."""
        awaited = spec.first, phase
        self._open[awaited] += 1
        try:
            call = next(self._calls)
            if session is None:
                prompt = self.sent(target, spec.payload, prompt)
            asked = session.next(self.worker, call) if session else Asked(prompt, self._bodies.of(target, prompt))
            return self._attempts(asked, target, spec, phase, due, self._facts(user, target, asked, spec, call))
        finally:
            self._ended(awaited)

    def _ended(self, awaited: tuple[int, str]) -> None:
        self._open[awaited] -= 1
        if not self._told:
            self._tell_when_clear()

    def _attempts(
        self, asked: Asked, target: Target, spec: StageSpec, phase: str, due: float | None, facts: dict[str, typing.Any]
    ) -> RequestRecord:
        retry, counter, attempt = self.scenario.retry, self._counters.get(target.name), 0
        leaves = bool(spec.stage) and asked.body.stream and self._leaving.draw()
        while True:
            attempt += 1
            in_flight = self.probe.count + 1
            awaited = spec.first, phase
            self._open[awaited] += 1  # an attempt in the window, if its call began before it or not
            try:
                exchange, parsed = self._send(target, asked.body, leaves)
                told = outcome(exchange, parsed)
                told.update(token_counts(counter, target, asked.prompt, parsed, asked.before))
                embedded = asked.body.images is not None and told["billed_units"] is None and told["error"] is None
                if embedded and self.by_the_image(target):
                    told["billed_units"] = asked.body.images
                if asked.session is not None:
                    told.update(asked.heard(told, exchange, parsed.text))
                record = RequestRecord(
                    **facts,
                    started_at=self.clock.at(exchange.sent_at),
                    phase=phase,
                    attempt=attempt,
                    in_flight=in_flight,
                    schedule_delay_ms=None if due is None or attempt > 1 else elapsed_ms(due, exchange.sent_at),
                    **told,
                )
                self.sink(record)
            finally:
                self._ended(awaited)
            if record.error_code == OwnCode.CLIENT_CANCELLED and not self._boto3:  # it closed its connection
                self.transport.open(self.session.origin(target))
            if retry is None or not retry.again(record):
                return record
            gevent.sleep(retry.pause_s(attempt, self._jitter))
            if spec.stage and self._idle:  # draining, out of budget, or without a master: nothing is sent any more
                return record
            if self._is_on(spec):  # an attempt belongs where it starts, a call where it began
                phase = self.phase

    def _facts(self, user: int, target: Target, asked: Asked, spec: StageSpec, call: int) -> dict[str, typing.Any]:
        """What all attempts of a call share."""
        return {
            "worker": self.worker,
            "user": user,
            "target": target.name,
            "service": target.service,
            "operation": asked.body.operation,
            "payload": spec.payload,
            "prompt_id": asked.prompt.id,
            "asked_prompt_tokens": asked.prompt.asked.prompt_tokens,
            "asked_completion_tokens": asked.prompt.asked.completion_tokens,
            "stage": spec.stage,
            "repeat": spec.repeat,
            "users": spec.users,
            "rate": spec.rate,
            "call": call,
            "media_bytes": asked.body.media_bytes,
            "effort": asked.body.effort,
        } | asked.facts

    def _send(self, target: Target, body: Body, leaves: bool) -> tuple[Exchange, ParsedAnswer]:
        """What came back, or an exchange of class `cancelled`. leaves: the client does before the answer's end."""
        timeout_s, exchange = self.scenario.request_timeout_s, Exchange()
        if leaves:
            self._leaving.prepare(exchange, body)
        try:
            other: typing.Any = self._boto3
            if self._async and getattr(target, "async_inference", None):
                other = self._async
            if other is not None:
                with self.probe.watch(exchange):
                    return exchange, other.run(exchange, target, body, timeout_s)
            try:
                request = self.session.request(target, body.path, body.headers, body.body)
            except UNSIGNED as e:
                return exchange, unsigned(exchange, e)
            exchange.request_bytes = len(body.body)
            self.probe.enter(exchange)
            try:
                self.transport.run(exchange, self.session.origin(target), request, timeout_s)
            finally:
                self.probe.leave(exchange)
            return exchange, self._read(body, exchange)
        except gevent.GreenletExit:
            exchange.sent_at, exchange.done_at = exchange.sent_at or time.perf_counter(), time.perf_counter()
            exchange.error, exchange.error_message = ErrorClass.CANCELLED, "stopped before the answer ended"
            return exchange, self._read(body, exchange)

    def _read(self, body: Body, exchange: Exchange) -> ParsedAnswer:
        if exchange.status is None:
            return ParsedAnswer()
        return read(exchange, parse_answer, body, exchange.status, exchange.headers, exchange.chunks, exchange.ended)
