"""The sending side of a run: in each worker, or in the one process of a run without workers.

It hears from the master (locally: from its own process) which stage is under way, makes the calls
that prepare it, and hands in its records.
"""

import gc
import logging
import platform
import random
import time

import gevent
import locust

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.delivery import KEY, Outbox
from locustfiles.common.swarm.arrival_queue import ArrivalQueue
from locustfiles.common.swarm.user import tell_locust
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, complain
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.price_book import TOKENS
from locustfiles.contract.spool import SpoolFile

HAND_IN_S = 10.0
MASTER_SILENT_S = 10
PAUSED_S = 3  # a look at the master that comes so late: this process was paused, not the master
REJOINED_S = 5  # for messages under way to a worker that has just introduced itself anew
#: what the master hears of a warm-up call at once
TOLD = ("error", "error_code", "error_message", "http_status", "latency_ms", "prompt_id", *TOKENS)
log = logging.getLogger("swarmledger")


class Worker:
    """What the users of this process share. Raises NoCredentials or BadInput."""

    def __init__(self, environment, inputs: Inputs, clock: Clock) -> None:
        self.environment = environment
        self.runner = environment.runner
        self.inputs = inputs
        self.scenario = inputs.scenario
        self.payloads = inputs.payloads
        self.sender = Sender(inputs.scenario, clock, self._sink)
        self.sender.on_clear = self._tell_clear
        self.due = ArrivalQueue(clock)
        self.outbox = Outbox("")
        self.final = False  # the users are gone: the next report says how many records there were in all
        self.silent = False  # the master is
        self.spool = SpoolFile("")
        self._leaving = False
        self._left = False
        self._told = False  # the master knows how many records there were in all
        self._cleared: dict | None = None  # what the master was told last of a stage that is clear
        self._known_from = 0.0  # monotonic: a master that does not know this worker is heard from then on
        self._numbers: set[int] = set()
        for name, listener, concurrent in (
            ("ledger_run", self._on_run, False),
            ("ledger_stage", self._on_stage, False),
            ("ledger_arrivals", self._on_arrivals, False),
            ("ledger_call", self._on_call, True),
            ("ledger_flush", self._on_flush, False),
            ("ledger_ping", self._on_ping, False),
            ("ledger_ack", self._on_ack, False),
            ("ledger_refuse", self._on_refuse, False),
            ("ledger_stranger", self._on_stranger, True),
        ):
            self.runner.register_message(name, listener, concurrent)

    def join(self, worker: str, again: bool = False) -> None:
        """Introduce this process to the master; `again`: it has served a run before."""
        self.sender.worker = worker
        hello = {"content": self.inputs.content, "host": platform.node(), "problem": None, "again": again}
        self.runner.send_message("ledger_hello", hello)

    @property
    def seed_text(self) -> str:
        """What every user's random draws start from: differs by worker, not by target."""
        return f"{self.scenario.seed}/{max(0, self.runner.worker_index)}"

    def take_number(self) -> int:
        """The lowest free user number, from 1."""
        number = next(n for n in range(1, len(self._numbers) + 2) if n not in self._numbers)
        self._numbers.add(number)
        return number

    @property
    def users(self) -> int:
        """That have started here and are not gone."""
        return len(self._numbers)

    def free_number(self, number: int) -> None:
        self._numbers.discard(number)

    def _sink(self, record: RequestRecord) -> None:
        self.outbox.add(record)
        tell_locust(self.environment, record)

    def _tell_clear(self, stage: int, phase: str) -> None:
        data = {"run": self.outbox.run_id, "stage": stage, "phase": phase, "look": self.sender.spec.look}
        self._cleared = data | {"load": self.sender.load, "produced": self.outbox.produced}
        self.runner.send_message("ledger_clear", self._cleared)
        if phase == "hold":
            self.hand_in()

    def on_report(self, client_id: str, data: dict, **_: object) -> None:
        """Worker: Locust's report to the master takes the records along."""
        if self.owes or (self.outbox.run_id and not self.final):
            data[KEY] = self.outbox.report(self.final, self.silent)

    @property
    def owes(self) -> bool:
        """Whether the master lacks records, or the number of them all, which may be 0."""
        return not self.outbox.empty or (self.final and not self._told)

    def _keep(self) -> None:
        """Write down what the master may never get."""
        if self.owes and self.outbox.produced:
            self.spool.keep(self.outbox.spool(self.sender.worker, self.final or not self.sender.probe.count))

    def _on_run(self, environment, msg, **_) -> None:
        if msg.data["run"] == self.outbox.run_id:
            return  # told again: this process was away
        self._keep()  # of another run, whose master is gone
        self.spool = SpoolFile(msg.data["folder"])
        self.outbox, self.final, self._told, self._cleared = Outbox(msg.data["run"]), False, False, None
        self._numbers.clear()
        self.sender.announce(None, "settle")
        gc.collect()
        gc.freeze()  # what is loaded by now stays: no collection walks it during a measurement

    def _on_stage(self, environment, msg, **_) -> None:
        if msg.data["run"] == self.outbox.run_id and not self._leaving:
            spec = StageSpec(**msg.data["visit"]) if msg.data["visit"] else None
            phase = msg.data["phase"]
            if (spec, phase) == (
                self.sender.spec,
                self.sender.phase,
            ):  # said again, lest it was lost; so may our answer be
                told = self._cleared and tuple(self._cleared[name] for name in ("stage", "phase", "look"))
                if spec and told == (spec.stage, phase, spec.look):
                    self.runner.send_message("ledger_clear", self._cleared)
                return
            self.due.begin(spec.stage if spec and spec.users is None else None)
            self.sender.announce(spec, phase)

    def _on_arrivals(self, environment, msg, **_) -> None:
        if msg.data["run"] == self.outbox.run_id:
            self.due.deal(msg.data["stage"], msg.data["due"])

    def _on_call(self, environment, msg, **_) -> None:
        """Check the endpoints, or make a target's warm-up call."""
        data, answer = msg.data, {"run": msg.data["run"], "ask": msg.data["ask"]}
        if data["target"] is None:
            schemes = {t.name: self.sender.session.origin(t).scheme for t in self.scenario.targets}
            self.runner.send_message(
                "ledger_called", answer | {"problems": self.sender.unreachable(), "schemes": schemes}
            )
            return
        target, prompts = self.scenario.target(data["target"]), self.payloads[data["payload"]]
        prompt = random.Random(f"{self.seed_text}/warmup/{data['ask']}").choice(prompts)
        spec = StageSpec(stage=0, target=target.name, payload=data["payload"], users=None)
        record = self.sender.call(0, target, prompt, spec, "warmup")
        if (
            record.error == ErrorClass.CANCELLED
        ):  # without workers this is the sweep's own greenlet, and the run is stopped
            raise gevent.GreenletExit
        facts = {name: getattr(record, name) for name in TOLD}
        self.runner.send_message("ledger_called", answer | facts)

    def _on_flush(self, environment, msg, **_) -> None:
        if msg.data["run"] == self.outbox.run_id:
            self.final = True
            self.environment.stop_timeout = (
                1  # a worker waits this long before it is ready again; spawning sets it anew
            )
            self.hand_in()

    def hand_in(self) -> None:
        """Worker: report now instead of at the next interval."""
        if hasattr(self.runner, "_send_stats"):
            self.runner._send_stats()

    def leave(self, **_: object) -> None:
        """Worker, on its way out for whatever reason: let requests in flight end, hand everything in or keep it in a file."""
        if not self.outbox.run_id or self._left:
            return
        self._leaving = self._left = True  # users that the master may still send here idle
        if not self.final:
            self.sender.announce(None, "settle")
            self.runner.stop()
            self.final = True
        over = time.monotonic() + HAND_IN_S
        while self.owes and self.runner.greenlet and time.monotonic() < over:  # without greenlets no answer is heard
            self.hand_in()
            gevent.sleep(0.5)
        self._keep()
        if not self.outbox.empty:
            self.environment.process_exit_code = NOT_TRUSTED

    def watch_master(self) -> None:
        """Worker: without its master a run cannot be kept, so its users stop loading a paid endpoint."""
        while True:
            before = time.monotonic()
            gevent.sleep(1)
            heard = self.runner.last_heartbeat_timestamp
            if time.monotonic() - before > PAUSED_S or not heard:
                continue
            self.silent = time.time() - heard > MASTER_SILENT_S
            if self.silent and self.outbox.run_id:
                if self.sender.spec and self.runner.user_count:
                    log.error(
                        "The master has been silent for %d s: the users here idle until it announces a stage",
                        MASTER_SILENT_S,
                    )
                self.sender.announce(None, "settle")
                self._keep()

    def _on_stranger(self, environment, msg, **_) -> None:
        """The master there does not know this worker: it was started anew, or has given it up. Join it."""
        if self._leaving or time.monotonic() < self._known_from:
            return
        self._known_from = float("inf")  # one at a time
        log.warning("The master does not know this worker (any more): joining it anew")
        self.sender.announce(None, "settle")
        self.runner.stop()  # requests in flight end
        self._keep()
        self.runner.last_heartbeat_timestamp = time.time()  # it is there
        self.runner.worker_state = "ready"
        self.runner.send_message("client_ready", locust.__version__)
        self.join(self.sender.worker, again=True)
        self._known_from = time.monotonic() + REJOINED_S

    def _on_ping(self, environment, msg, **_) -> None:
        self.runner.send_message("ledger_pong", {"sent": msg.data["sent"], "now": self.sender.clock.now()})

    def _on_ack(self, environment, msg, **_) -> None:
        self.acknowledged(**msg.data)
        if self.final and not self.outbox.empty:
            self.hand_in()

    def acknowledged(self, run: str, upto: int, final: bool) -> None:
        """The master has every record below `upto`; `final`: and knows how many there are."""
        if run == self.outbox.run_id:
            self.outbox.acknowledge(run, upto)
            self._told = final
            if not self.owes:
                self.spool.remove()

    def _on_refuse(self, environment, msg, **_) -> None:
        complain(msg.data["why"])
        self.environment.process_exit_code = BAD_INPUT
        self.runner.quit()
