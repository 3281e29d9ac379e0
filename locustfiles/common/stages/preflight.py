"""What is asked of a worker before there is load: whether the endpoints answer, and one recorded call of each target."""

import dataclasses
import itertools
import logging
import typing

import gevent
import gevent.event
from locust.runners import Runner

from locustfiles.common.planning.confirm import confirm
from locustfiles.common.planning.estimate import estimate
from locustfiles.common.planning.first_call import Call, call_of
from locustfiles.common.planning.plan import Group
from locustfiles.common.planning.sample_sizes import too_small_samples
from locustfiles.common.recording import messenger
from locustfiles.common.recording.messages import CallAsked, Called, CallMade, EndpointsChecked
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.price_book import HourlyPrice
from locustfiles.contract.scenario.remedies import IN_ONE_PIECE, remedy_of

log = logging.getLogger("swarmledger")
TRIES = 3


class SweepEnds(Exception):
    """The sweep stops before its last stage; `run` knows why."""


@dataclasses.dataclass(slots=True)
class Ask:
    """One question to one worker, and its answer."""

    worker: str
    answer: gevent.event.AsyncResult  # Called, or None where the worker is gone


class Preflight:
    """Every method raises SweepEnds where the run must not go on."""

    def __init__(self, run: RunRecorder, runner: Runner, alive: typing.Callable[[], list[str]]) -> None:
        self.run, self.runner, self.alive = run, runner, alive
        self._asks: dict[int, Ask] = {}
        self._numbers = itertools.count(1)
        self._warm: set[tuple[str, str]] = set()
        self._broken: set[str] = set()  # targets that have failed a call here
        self._whole: set[str] = set()  # targets that do not stream although they are asked to

    def on_called(self, message: Called) -> None:
        if message.run == self.run.run_id and message.ask in self._asks:
            self._asks.pop(message.ask).answer.set(message)

    def on_worker_gone(self, worker: str) -> None:
        for number, ask in list(self._asks.items()):
            if ask.worker == worker:
                self._asks.pop(number).answer.set(None)

    def preflight(self, groups: list[Group]) -> None:
        """Endpoints, one call of each target, and the time and cost ahead."""
        answer = self._ask(None, None, 60)
        if not isinstance(answer, EndpointsChecked):
            raise self._failed("workers: none answered; start some with --worker --master-host, then start again")
        for problem in answer.problems:
            raise self._failed(problem)
        self.run.manifest.schemes = answer.schemes
        calls: dict[str, Call] = {}
        for group in groups:
            if group.target not in calls:
                calls[group.target] = self._call(group)
                self._warm.add((group.target, group.payload))
        ahead = estimate(self.run.inputs, groups, calls)
        log.info("Ahead: %s", ahead.text)
        for shortage in too_small_samples(
            self.run.inputs, groups, {t: call for t, call in calls.items() if t not in self._broken}
        ):
            log.warning("%s", shortage)
        for far in self.run.inputs.far_replays:
            log.warning("%s", far)
        if refusal := confirm(ahead, self.run.inputs.scenario, self.run.environment.parsed_options):
            raise self._failed(refusal)

    def warm_up(self, group: Group) -> None:
        """One call before a group's load, unless the preflight has just made it."""
        if (group.target, group.payload) in self._warm:
            self._warm.remove((group.target, group.payload))
        else:
            self._call(group)

    def _ask(self, target: str | None, payload: str | None, timeout_s: float) -> Called | None:
        """Have the first worker check the endpoints (no target) or make a warm-up call. None: it never answered."""
        for worker in self.alive()[:1]:
            number, ask = next(self._numbers), Ask(worker, gevent.event.AsyncResult())
            self._asks[number] = ask
            messenger.send(self.runner, CallAsked(self.run.run_id, number, target, payload), worker)
            answer: Called | None = ask.answer.wait(timeout_s)
            return answer
        return None

    def _warn(self, target: str, made: CallMade) -> None:
        """Once a target; its stages may say more."""
        if target in self._broken:
            return
        if made.error:
            self._broken.add(target)
            code = f" ({made.error_code})" if made.error_code else ""
            log.warning(
                "target `%s`: first call failed: %s%s; %s", target, made.error, code, self._remedy(target, made)
            )
        elif made.ttft_ms is None and self.run.inputs.scenario.target(target).stream and target not in self._whole:
            self._whole.add(target)
            log.warning("target `%s`: %s", target, IN_ONE_PIECE)

    def _remedy(self, target: str, made: CallMade) -> str:
        error = ErrorClass(made.error or ErrorClass.INTERNAL)
        return remedy_of(self.run.inputs.scenario.target(target), error, made.http_status)

    def _failed(self, sentence: str) -> SweepEnds:
        self.run.fail(sentence)
        return SweepEnds()

    def _call(self, group: Group) -> Call:
        """One call; if the service refuses it as ours to mend, twice more, then the sweep ends."""
        made: Called | None = None
        if self.run.over_budget:
            raise SweepEnds
        for number in range(1, TRIES + 1):
            made = self._ask(group.target, group.payload, self.run.inputs.scenario.longest_call_s + 15)
            if not isinstance(made, CallMade):  # the worker is gone: the next one is asked
                continue
            if made.error not in (ErrorClass.AUTH, ErrorClass.CLIENT):
                price = self.run.inputs.prices[group.target]
                call = call_of(made, price)
                if call.usd is not None or isinstance(price, HourlyPrice) or not made.error or number == TRIES:
                    self._warn(group.target, made)
                    return call
            gevent.sleep(self.run.inputs.scenario.error_pause_s)
        if not isinstance(made, CallMade) or made.error is None:
            raise self._failed(f"target `{group.target}`: no worker made its warm-up call; see that the workers are up")
        code = made.error_code or f"HTTP {made.http_status}"
        message = f": {made.error_message}" if made.error_message else ""
        raise self._failed(f"target `{group.target}`: {code}{message}; {self._remedy(group.target, made)}")
