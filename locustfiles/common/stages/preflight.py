"""What is asked of a worker before there is load: whether the endpoints answer, and one recorded call of each target."""

import dataclasses
import itertools
import logging
import time
import typing

import gevent
import gevent.event
from locust.runners import MasterRunner, Runner

from locustfiles.common.planning import cores
from locustfiles.common.planning.confirm import Question, confirm
from locustfiles.common.planning.estimate import Calls, estimate
from locustfiles.common.planning.first_call import Call, averaged, call_of, next_line
from locustfiles.common.planning.first_failure import is_used_up, remedy, what_failed
from locustfiles.common.planning.plan import Group
from locustfiles.common.planning.prompt_tokens import steps_reached
from locustfiles.common.planning.sample_sizes import too_small_samples
from locustfiles.common.recording import messenger
from locustfiles.common.recording.messages import CallAsked, Called, CallMade, EndpointsChecked
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import LeftOut
from locustfiles.contract.scenario.billed_units import not_counted, unguarded
from locustfiles.contract.scenario.remedies import IN_ONE_PIECE

log = logging.getLogger("swarmledger")
#: failures in a row after which a target is left out; a refusal is one each time, and a timeout takes its time
TRIES, TRIES_OF = 5, {ErrorClass.AUTH: 3, ErrorClass.CLIENT: 3, ErrorClass.READ_TIMEOUT: 2}
WORKER_S = 15.0  # for a worker to be heard again, where all are silent


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
        self.question: Question | None = None  # the web UI asks it, and the sweep waits
        self._asks: dict[int, Ask] = {}
        self._numbers = itertools.count(1)
        self.ahead: str | None = None  # time, requests and dollars of the run, when the first calls have told them
        self._warm: set[tuple[str, str]] = set()
        self._broken: set[tuple[str, str]] = set()  # whose first calls were throttled
        self._first: list[Call] = []  # all that worked
        self._whole: set[str] = set()  # targets that do not stream although they are asked to
        self._uncounted: set[str] = set()  # targets whose token counts cannot be read
        self._no_units: set[str] = set()  # targets whose units are not counted

    def on_called(self, message: Called) -> None:
        if message.run == self.run.run_id and message.ask in self._asks:
            self._asks.pop(message.ask).answer.set(message)

    def on_worker_gone(self, worker: str) -> None:
        for number, ask in list(self._asks.items()):
            if ask.worker == worker:
                self._asks.pop(number).answer.set(None)

    def preflight(self, groups: list[Group]) -> None:
        """What speaks against a price, endpoints, the first calls of each target, and the time and cost ahead."""
        for line in self.run.inputs.price_cautions:
            log.warning("Price of %s", line)
        answer = self._ask(None, None, 60) or self._ask(None, None, 60)
        if not isinstance(answer, EndpointsChecked):
            raise self._failed("workers: none answered; start some with --worker --master-host, then start again")
        self.run.manifest.schemes = answer.schemes
        targets = dict.fromkeys(g.target for g in groups)
        away = {name: problem for problem in answer.problems for name in problem.targets if name in targets}
        if away and len(away) == len(targets):
            raise self._failed(answer.problems[0].text)
        for name, problem in away.items():
            self.run.leave_out(LeftOut(name, None, ErrorClass.CONNECT, problem.what, problem.remedy))
        calls: Calls = {}
        for group in groups:
            key = (group.target, group.payload)
            if key not in calls and not self.left_out(group) and (call := self._call(group)):
                calls[key] = call if key in self._broken else averaged(self._further(group, call))
                self._warm.add(key)
        if groups and not calls and not self.run.manifest.stages:  # else a resumed run has what it could measure
            first = self.run.manifest.left_out[0]
            raise self._failed(f"{first.what}: {first.why}")
        if any(g.share is not None and self.left_out(g) for g in groups):
            first = self.run.manifest.left_out[0]
            raise self._failed(f"{first.what}: {first.why}; a mix is measured with all its parts, or not at all")
        if calls:
            self._tell(groups, calls)

    def _tell(self, groups: list[Group], calls: Calls) -> None:
        """What lies ahead. Raises SweepEnds where it must be confirmed and is not."""
        inputs, first = self.run.inputs, dict[str, Call]()
        failed = [(g.target, g.payload) for g in groups if self.left_out(g)]
        worked = {key: call for key, call in calls.items() if key not in self._broken}
        told = estimate(inputs, groups, worked, [*failed, *self._broken])
        self.ahead = told.text if worked else "not known, for all first calls were throttled"
        log.info("Ahead: %s", self.ahead)
        for (target, _), call in worked.items():
            first.setdefault(target, call)
        many = isinstance(self.runner, MasterRunner)
        slow = cores.too_few_processes(inputs, groups, first, len(self.alive()), many, cores.cores_here())
        for line in (
            *too_small_samples(inputs, groups, first),
            *inputs.far_replays,
            *inputs.inexact_lines,
            *steps_reached(inputs, worked),
            *slow,
        ):
            log.warning("%s", line)
        ahead = estimate(inputs, groups, calls, failed)  # throttled calls say nothing, and may become dear ones
        throttled = {target for target, _ in self._broken}
        if refusal := confirm(ahead, inputs, self.run.environment.parsed_options, throttled, self._confirmed):
            raise self._failed(refusal)

    def _confirmed(self, text: str) -> bool | None:
        """The web UI's answer; None without one."""
        log.warning("%s Answer in the web UI", text)
        self.question = Question(text)
        try:
            return self.question.wait()
        finally:
            self.question = None

    def left_out(self, group: Group) -> bool:
        """Whether its target, or this payload of it, is not to be measured."""
        return any(
            one.target == group.target and one.payload in (None, group.payload) for one in self.run.manifest.left_out
        )

    def warm_up(self, group: Group) -> None:
        """One call before a group's load, unless the preflight has just made it."""
        if (group.target, group.payload) in self._warm:
            self._warm.remove((group.target, group.payload))
        else:
            self._call(group)

    def _further(self, group: Group, call: Call) -> list[Call]:
        """A group's first calls: as many as it takes to tell what lies ahead. One that fails is the last."""
        scenario, prompts, made = self.run.inputs.scenario, self.run.inputs.payloads[group.payload], [call]
        target, price = scenario.target(group.target), self.run.inputs.prices[group.target]
        spent_usd = sum(c.usd or 0.0 for c in self._first)
        while not self.run.over_budget:
            prompt = next_line(target, prompts, made, spent_usd, scenario.budget_usd)
            answer = prompt and self._ask(group.target, group.payload, scenario.longest_call_s + 15, prompt.id)
            if not isinstance(answer, CallMade):
                break
            if answer.error is not None:
                log.warning(
                    "target `%s`: a first call worked, another one failed: %s", target.name, what_failed(answer)
                )
                break
            made.append(call_of(answer, price))
        self._first += made
        return made

    def _ask(
        self, target: str | None, payload: str | None, timeout_s: float, prompt_id: str | None = None
    ) -> Called | None:
        """Have the first worker check the endpoints (no target) or make a warm-up call. None: it never answered."""
        over = time.monotonic() + WORKER_S
        while not self.alive() and time.monotonic() < over:
            gevent.sleep(0.1)
        for worker in self.alive()[:1]:
            number, ask = next(self._numbers), Ask(worker, gevent.event.AsyncResult())
            self._asks[number] = ask
            messenger.send(self.runner, CallAsked(self.run.run_id, number, target, payload, prompt_id), worker)
            answer: Called | None = ask.answer.wait(timeout_s)
            return answer
        return None

    def _note(self, target: str, made: CallMade) -> None:
        """A success that is not what was asked for; once a target."""
        if made.ttft_ms is None and self.run.inputs.scenario.target(target).stream and target not in self._whole:
            self._whole.add(target)
            log.warning("target `%s`: %s", target, IN_ONE_PIECE)
        if made.error_code and target not in self._uncounted:  # of a success: its counts cannot be read
            self._uncounted.add(target)
            log.warning("target `%s`: %s: those counts are left empty", target, made.error_message)
        self._note_units(target, made)

    def _note_units(self, name: str, made: CallMade) -> None:
        """A call that worked, of a target that is billed by units that it does not count. Raises SweepEnds where a budget is to
        be kept."""
        target = self.run.inputs.scenario.target(name)
        why = not_counted(target, self.run.inputs.prices[name], made.billed_units)
        if why and self.run.inputs.scenario.budget_usd is not None:
            raise SweepEnds if self.run.failure else self._failed(unguarded(target, why))
        if why and name not in self._no_units:
            self._no_units.add(name)
            log.warning("target `%s`: %s", name, why)

    def _failed(self, sentence: str) -> SweepEnds:
        self.run.fail(sentence)
        return SweepEnds()

    def _call(self, group: Group) -> Call | None:
        """One call; where it fails, more, up to TRIES. None: all failed, the target (later: this payload) is left out."""
        failures: list[CallMade] = []
        if self.run.over_budget:
            raise SweepEnds
        for _ in range(TRIES):
            if failures and len(failures) >= TRIES_OF.get(ErrorClass(failures[0].error or ErrorClass.INTERNAL), TRIES):
                break
            made = self._ask(group.target, group.payload, self.run.inputs.scenario.longest_call_s + 15)
            if isinstance(made, CallMade):  # else the worker is gone: the next one is asked
                if made.error is None:
                    self._note(group.target, made)
                    return call_of(made, self.run.inputs.prices[group.target])
                failures.append(made)
            gevent.sleep(self.run.inputs.scenario.error_pause_s)
        if not failures:
            raise self._failed(f"target `{group.target}`: no worker made its warm-up call; see that the workers are up")
        return self._all_failed(group, failures)

    def _all_failed(self, group: Group, failures: list[CallMade]) -> Call | None:
        """Throttles alone may be what is to be measured; what else fails every time is not. The first failure that is no
        throttle tells why: gateways answer a refusal that is repeated with a throttle, and throttle what they would refuse."""
        first = next((made for made in failures if made.error != ErrorClass.THROTTLED), failures[0])
        target = self.run.inputs.scenario.target(group.target)
        if all(made.error == ErrorClass.THROTTLED for made in failures) and not is_used_up(first):
            self._broken.add((group.target, group.payload))
            told = "target `%s`: all %d first calls were throttled, it is measured all the same: %s; %s"
            log.warning(told, group.target, len(failures), what_failed(first), remedy(target, first))
            return call_of(first, self.run.inputs.prices[group.target])
        payload = group.payload if self._worked(group.target) else None
        self.run.leave_out(LeftOut(group.target, payload, first.error or "", what_failed(first), remedy(target, first)))
        return None

    def _worked(self, target: str) -> bool:
        """Whether a call of it, or a stage, has worked before."""
        return any(t == target for t, _ in self._warm) or any(s.target == target for s in self.run.manifest.stages)
