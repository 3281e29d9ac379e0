"""The sweep: the greenlet that walks the stages one after another.

A stage is one visit of (target, payload, level). Levels only ascend; between (target, payload) groups, repetitions and
the steps of a search, users drain to 0.
"""

import itertools
import logging
import time
import typing

import gevent
import gevent.event

from locustfiles.common.budget import BudgetGuard
from locustfiles.common.crew import as_message
from locustfiles.common.finding import find
from locustfiles.common.first_calls import FirstCalls, SweepEnds
from locustfiles.common.loads import Level
from locustfiles.common.plan import USERS_A_SECOND, Group, plan
from locustfiles.common.run import DiskFailed, Run
from locustfiles.common.slo import Slo
from locustfiles.common.stage import POLL_S, Stage
from locustfiles.common.visit import Visit

log = logging.getLogger("swarmledger")
RECORDS_S = 15.0  # for the records of a stage to arrive


class Sweep:
    """Walks the stages of one run. `want` is what the load shape returns to Locust; None ends the run."""

    def __init__(
        self, run: Run, runner, alive: typing.Callable[[], list[str]], collect: typing.Callable[[], None]
    ) -> None:
        """alive() -> ids of the workers that can be asked now, the first ready one first; collect() takes in this process's own records."""
        self.run, self.runner, self.alive, self.collect = run, runner, alive, collect
        self.groups = [g._replace(levels=[n for n in g.levels if not run.has(g, n)]) for g in plan(run.inputs)]
        self.groups = [g for g in self.groups if g.levels or (g.load.find and not run.found(g))]
        searches = any(g.load.find for g in self.groups)  # which decide their stages as they go
        self.planned = 0 if searches else len(run.manifest.stages) + sum(len(g.levels) for g in self.groups)
        self.planned_s = sum(run.inputs.stage_s(g.load) * len(g.levels) for g in self.groups)
        self._done_s = 0.0
        self.want: tuple[int, float] | None = (0, USERS_A_SECOND)
        self.visit: Visit | None = None
        self.phase = "settle"
        self.stage: Stage | None = None
        self.changed = gevent.event.Event()
        self.first_calls = FirstCalls(run, runner, alive)
        self._stage_numbers = itertools.count(run.next_stage)
        self._clear: dict[tuple[int, str, int], dict[str, dict]] = {}  # stage, phase, look -> worker -> what it told
        self._guard = BudgetGuard(self)
        self._greenlet = gevent.spawn(self._go)

    # what Locust's side calls
    def tick(self) -> tuple[int, float] | None:
        self.changed.wait(1.0)
        self.changed.clear()
        return self.want

    def on_clear(self, worker: str, data: dict) -> None:
        if data["run"] == self.run.run_id:
            self._clear.setdefault((data["stage"], data["phase"], data["look"]), {})[worker] = data

    def stop(self) -> None:
        """End the sweep where it stands."""
        self.want = (0, USERS_A_SECOND)  # or those that have gone would be started again
        if self._greenlet is not gevent.getcurrent():
            self._greenlet.kill(block=True)
        self._guard.stop()
        if self.stage:
            self.stage.break_off()

    def end(self) -> None:
        """End the run as if its last stage was over."""
        self._greenlet.kill(block=False)
        self._guard.stop()
        self._set(None)

    def state_message(self) -> dict:
        return {"run": self.run.run_id, "visit": as_message(self.visit), "phase": self.phase}

    def done_s(self) -> float:
        """Planned seconds that are over: whole stages, and the part of the one under way."""
        window = self.stage.window if self.stage else None
        begun = window.settle_from if window and window.hold_until is None else None
        return min(self.planned_s, self._done_s + (self.run.clock.now() - begun if begun else 0.0))

    # the greenlet
    def _go(self) -> None:
        try:
            self.first_calls.preflight(self.groups)
            for group in self.groups:
                self._group(group)
            self.run.manifest.status = "complete"
        except SweepEnds:
            pass
        except DiskFailed as e:  # a stage's window could not be written
            self.run.disk_failed(e)
        except Exception as e:  # our own bug: the run ends and is not to be trusted
            log.exception("The sweep failed")
            self.run.problem(f"the sweep failed inside Swarmledger: {type(e).__name__}: {e}")
        self._guard.stop()
        self._set(None)  # not when killed by `stop`: Locust is then stopping already

    def _set(self, want: tuple[int, float] | None) -> None:
        self.want = want
        self.changed.set()

    def _group(self, group: Group) -> None:
        self.run.spend.load_begins(group.target)
        self.first_calls.warm_up(group)
        for level in group.levels:
            self.measure(group, level)
        if group.load.find:
            finding = find(self, group)
            self.run.manifest.findings.append(finding)
            log.info("Found for %s, %s: %s", group.target, group.payload, finding.text)
        self.drain()
        self.run.spend.load_ends()

    def measure(self, group: Group, level: Level, slo: Slo | None = None) -> Stage:
        """One stage. Raises SweepEnds when the budget is spent, before it or by it."""
        if self.run.over_budget:
            raise SweepEnds
        stage = self.stage = Stage(self, group, level, next(self._stage_numbers), slo)
        place, number = len(self.run.manifest.stages) + 1, stage.visit.stage  # numbers of abandoned stages are not given again
        of = (f" of {self.planned}" if self.planned else "") + (f" (number {number})" if number != place else "")
        log.info(
            "Stage %d%s: %s, %s, %s (so far %d requests, %d failed, $%.4f)",
            *(place, of, group.target, group.payload, level.text),
            *(self.run.requests.rows, self.run.failed, self.run.spend.usd()),
        )
        stage.go()
        if self.run.over_budget:
            self.drain()
            if stage.window.measure_from is not None:
                stage.window.hold_until = self.run.clock.now()
            self.run.stage_ends()
            raise SweepEnds
        self._done_s += self.run.inputs.stage_s(group.load)
        self.run.stage_ends()
        return stage

    # what a stage asks for
    def send(self, kind: str, data: dict, worker: str | None = None) -> None:
        self.runner.send_message(kind, {"run": self.run.run_id} | data, client_id=worker)

    def announce(self, visit: Visit | None, phase: str) -> None:
        self.visit, self.phase = visit, phase
        self.runner.send_message("ledger_stage", self.state_message())

    def offset_s(self, worker: str) -> float:
        """Worker's clock minus this one's, as far as it is known."""
        member = self.run.members.get(worker)
        return (member.clock_offset_ms or 0.0) / 1000 if member else 0.0

    def drain(self) -> None:
        """Nothing new is sent; returns when what is in flight has ended."""
        self.announce(None, "settle")
        self._set((0, USERS_A_SECOND))
        self._wait_for_users(0, self.run.environment.stop_timeout + 10)

    def ask_for_users(self, users: int) -> None:
        """Returns when they are there, or the budget is spent."""
        self._set((users, USERS_A_SECOND))
        self._wait_for_users(users, users / USERS_A_SECOND + 30)

    def _wait_for_users(self, users: int, timeout_s: float) -> None:
        over = time.monotonic() + timeout_s
        while self.runner.user_count != users and not (users and self.run.over_budget):
            if time.monotonic() > over:
                self.run.problem(
                    f"{self.runner.user_count} users instead of {users}: a worker is gone or too slow; "
                    "repeat the run with all workers up",
                    [self.stage.visit.stage] if self.stage else None,
                )
                return
            gevent.sleep(POLL_S)

    def wait_until_clear(self, visit: Visit, phase: str) -> dict[str, dict[str, float]]:
        """Settle: until no request of an earlier level is in flight. Hold: until the measured ones have ended; how each
        worker kept up meanwhile."""
        told = self._clear.setdefault((visit.stage, phase, visit.look), {})
        over = time.monotonic() + self.run.inputs.scenario.longest_call_s + 15
        while not set(self.alive()) <= told.keys() and not self.run.over_budget:
            if time.monotonic() > over:
                self.run.problem(f"stage {visit.stage}: requests did not end within their timeout ({phase})", [visit.stage])
                break
            gevent.sleep(POLL_S)
        return {worker: data["load"] for worker, data in told.items()}

    def wait_for_records(self, visit: Visit) -> bool:
        """Until every record that the workers had when their hold was clear is here; whether that came in time."""
        told, accounts = self._clear[visit.stage, "hold", visit.look], self.run.inbox.accounts
        over = time.monotonic() + RECORDS_S
        while True:
            self.collect()
            late = [w for w in self.alive() if w in told and accounts[w].received < told[w]["produced"]]
            if not late or time.monotonic() > over:
                return not late and set(self.alive()) <= told.keys()
            gevent.sleep(POLL_S)
