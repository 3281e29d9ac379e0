"""The sweep: which stages there are, and the greenlet that walks them one after another.

A stage is one visit of (target, payload, users). It settles, for `settle_s` and until no request of
the level before is in flight; it measures; then it holds: users keep sending until every request
that began in the measured window has ended, so that none of them ends under another load. Levels
only ascend; between (target, payload) groups users drain to 0.
"""

import dataclasses
import itertools
import logging
import time
import typing

import gevent
import gevent.event
from locust import LoadTestShape

from locustfiles.common.crew import as_message
from locustfiles.common.errors import ErrorClass
from locustfiles.common.plan import Group, plan, window_ends
from locustfiles.common.run import Run, Tally
from locustfiles.common.run_folder import StageWindow, WorkerLoad
from locustfiles.common.scenario import Load
from locustfiles.common.sender import Visit

log = logging.getLogger("swarmledger")
USERS_A_SECOND = 100  # Locust warns above
WARM_UP_CALLS = 3
POLL_S = 0.02


class SweepEnds(Exception):
    """The sweep stops before its last stage; `run` knows why."""


@dataclasses.dataclass(slots=True)
class Ask:
    """One question to one worker, and its answer."""

    client: str
    answer: gevent.event.AsyncResult


class Sweep:
    """Walks the stages of one run. `want` is what the load shape returns to Locust; None ends the run."""

    def __init__(self, run: Run, runner, alive: typing.Callable[[], list[str]]) -> None:
        """alive() -> ids of the workers that can be asked now, the first ready one first."""
        self.run, self.runner, self.alive = run, runner, alive
        self._groups = plan(run.inputs)
        self.stages = sum(len(g.visits) for g in self._groups)
        self.planned_s = sum(len(g.visits) * (g.load.settle_s + g.load.at_most_s) for g in self._groups)
        self._done_s = 0.0
        self.want: tuple[int, float] | None = (0, USERS_A_SECOND)
        self.visit: Visit | None = None
        self.phase = "settle"
        self.window: StageWindow | None = None
        self.changed = gevent.event.Event()
        self._asks: dict[int, Ask] = {}
        self._numbers = itertools.count(1)
        self._clear: dict[tuple[int, str], dict[str, dict]] = {}  # worker -> how it kept up
        self._greenlet = gevent.spawn(self._go)

    # what Locust's side calls
    def tick(self) -> tuple[int, float] | None:
        self.changed.wait(1.0)
        self.changed.clear()
        return self.want

    def on_called(self, data: dict) -> None:
        if data["run"] == self.run.run_id and data["ask"] in self._asks:
            self._asks.pop(data["ask"]).answer.set(data)

    def on_clear(self, worker: str, data: dict) -> None:
        if data["run"] == self.run.run_id:
            self._clear.setdefault((data["stage"], data["phase"]), {})[worker] = data["load"]

    def on_worker_gone(self, worker: str) -> None:
        for number, ask in list(self._asks.items()):
            if ask.client == worker:
                self._asks.pop(number).answer.set(None)

    def stop(self) -> None:
        """End the sweep where it stands: what is in flight is held, nothing new belongs to the window."""
        if self._greenlet is not gevent.getcurrent():
            self._greenlet.kill(block=True)
        if self.window and self.window.ended_by is None:
            self._close_window("stop")

    def end(self) -> None:
        """End the run as if its last stage was over."""
        self._greenlet.kill(block=False)
        self._set(None)

    def state_message(self) -> dict:
        return {"run": self.run.run_id, "visit": as_message(self.visit), "phase": self.phase}

    def done_s(self) -> float:
        """Planned seconds that are over: whole stages, and the part of the one under way."""
        begun = self.window.settle_from if self.window and self.window.hold_until is None else None
        return min(self.planned_s, self._done_s + (self.run.clock.now() - begun if begun else 0.0))

    # the greenlet
    def _go(self) -> None:
        try:
            self._preflight()
            for group in self._groups:
                self._group(group)
            self.run.manifest.status = "complete"
        except SweepEnds:
            pass
        except OSError as e:  # a stage's window could not be written
            self.run.problem(f"{self.run.folder.path} cannot be written: {e.strerror}; the run stops, what it holds is kept")
        except Exception as e:  # our own bug: the run ends and is not to be trusted
            log.exception("The sweep failed")
            self.run.problem(f"the sweep failed inside Swarmledger: {type(e).__name__}: {e}")
        self._set(None)  # not when killed by `stop`: Locust is then stopping already

    def _set(self, want: tuple[int, float] | None) -> None:
        self.want = want
        self.changed.set()

    def _announce(self, visit: Visit | None, phase: str) -> None:
        self.visit, self.phase = visit, phase
        self.runner.send_message("ledger_stage", self.state_message())

    def _ask(self, target: str | None, payload: str | None, timeout_s: float) -> dict | None:
        """Have the first worker check the endpoints (no target) or make a warm-up call. None: it never answered."""
        for client in self.alive()[:1]:
            number, ask = next(self._numbers), Ask(client, gevent.event.AsyncResult())
            self._asks[number] = ask
            data = {"run": self.run.run_id, "ask": number, "target": target, "payload": payload}
            self.runner.send_message("ledger_call", data, client_id=client)
            return ask.answer.wait(timeout_s)
        return None

    def _preflight(self) -> None:
        answer = self._ask(None, None, 60)
        if answer is None:
            raise self._failed("no worker answered; start workers with --worker --master-host, then start again")
        for problem in answer["problems"]:
            raise self._failed(problem)

    def _failed(self, sentence: str) -> SweepEnds:
        self.run.fail(sentence)
        return SweepEnds()

    def _warm_up(self, group: Group) -> None:
        """One call; if the service refuses it as ours to mend, twice more, then the sweep ends."""
        answer = None
        for _ in range(WARM_UP_CALLS):
            answer = self._ask(group.target, group.payload, self.run.inputs.scenario.request_timeout_s + 15)
            if answer is None or answer["error"] not in (ErrorClass.AUTH, ErrorClass.CLIENT):
                return
            gevent.sleep(self.run.inputs.scenario.error_pause_s)
        remedy = (
            "check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, session token, clock) and the permissions"
            if answer["error"] == ErrorClass.AUTH
            else "check endpoint or model id, region and parameters"
        )
        code = answer["error_code"] or f"HTTP {answer['http_status']}"
        raise self._failed(f"target `{group.target}`: {code}: {answer['error_message']}; {remedy}")

    def _group(self, group: Group) -> None:
        self.run.spend.load_begins(group.target)
        self._warm_up(group)
        for visit in group.visits:
            self._stage(visit, group.load)
        self._drain()
        self.run.spend.load_ends()

    def _drain(self) -> None:
        self._set((0, USERS_A_SECOND))
        self._wait_for_users(0, self.run.environment.stop_timeout + 10)
        self._announce(None, "settle")

    def _wait_for_users(self, users: int, timeout_s: float) -> None:
        over = time.monotonic() + timeout_s
        while self.runner.user_count != users:
            if time.monotonic() > over:
                self.run.problem(
                    f"{self.runner.user_count} users instead of {users}: a worker is gone or too slow; "
                    "repeat the run with all workers up"
                )
                return
            gevent.sleep(POLL_S)

    def _stage(self, visit: Visit, load: Load) -> None:
        now = self.run.clock.now
        self.window = StageWindow(visit.stage, visit.repeat, visit.target, visit.payload, visit.users, started_at=now())
        self.run.stage_begins(self.window)
        log.info(
            "Stage %d of %d: %s, %s, %d users (so far %d requests, %d failed)",
            *(visit.stage, self.stages, visit.target, visit.payload, visit.users, self.run.requests.rows, self.run.failed),
        )
        self._announce(visit, "settle")
        self._set((visit.users, USERS_A_SECOND))
        self._wait_for_users(visit.users, visit.users / USERS_A_SECOND + 30)
        self.window.settle_from = now()
        self._sleep_within_budget(load.settle_s)
        self._wait_until_clear(visit, "settle")
        if self.run.over_budget:
            self._close_window("budget")
            self._end_over_budget()
        self.window.measure_from = now()
        self._announce(visit, "measure")
        self._close_window(self._measure(visit, load))
        if self.run.over_budget:  # holding would spend more: the requests in flight end under a falling load
            self._end_over_budget()
        self._wait_until_clear(visit, "hold")
        self.window.hold_until = now()
        self.window.workers = [
            WorkerLoad(worker, **load) for worker, load in sorted(self._clear.get((visit.stage, "hold"), {}).items())
        ]
        self._done_s += load.settle_s + load.at_most_s
        self.run.stage_ends()

    def _end_over_budget(self) -> typing.NoReturn:
        self._drain()
        if self.window.measure_from is not None:
            self.window.hold_until = self.run.clock.now()
        self.run.stage_ends()
        raise SweepEnds

    def _sleep_within_budget(self, seconds: float) -> None:
        over = time.monotonic() + seconds
        while (left := over - time.monotonic()) > 0 and not self._budget_spent():
            gevent.sleep(min(left, 0.5))

    def _budget_spent(self) -> bool:
        budget, spend = self.run.inputs.scenario.budget_usd, self.run.spend
        if budget is None or self.run.over_budget:
            return self.run.over_budget
        to_come = spend.to_come_usd(self.runner.user_count)
        if spend.usd() + to_come >= budget:
            self.run.over_budget = True
            log.error(
                "Budget: $%.4f spent, up to $%.4f in flight, of $%.4f; the run ends with what was measured",
                *(spend.usd(), to_come, budget),
            )
        return self.run.over_budget

    def _measure(self, visit: Visit, load: Load) -> str:
        began = time.monotonic()
        while True:
            if self._budget_spent():
                return "budget"
            elapsed = time.monotonic() - began
            if reason := window_ends(elapsed, load, self.run.tallies.get(visit.stage, Tally())):
                return reason
            gevent.sleep(min(0.1, max(0.0, load.at_most_s - elapsed)))

    def _close_window(self, reason: str) -> None:
        self._announce(self.visit, "hold")
        if self.window.measure_from is not None:
            self.window.measure_until = self.run.clock.now()
        self.window.ended_by = reason

    def _wait_until_clear(self, visit: Visit, phase: str) -> None:
        """Settle: until no request of an earlier level is in flight. Hold: until the measured ones have ended."""
        over = time.monotonic() + self.run.inputs.scenario.request_timeout_s + 15
        while not set(self.alive()) <= self._clear.get((visit.stage, phase), {}).keys():
            if time.monotonic() > over:
                self.run.problem(f"stage {visit.stage}: requests did not end within their timeout ({phase})")
                return
            gevent.sleep(POLL_S)


class StageShape(LoadTestShape):
    """Locust asks it once a second how many users there should be; the run's Sweep knows."""

    sweep: Sweep | None = None
    refused = False  # no run could be begun
    workers_ready: typing.Callable[[], bool] = staticmethod(lambda: True)

    def tick(self) -> tuple[int, float] | None:
        if self.refused:
            self.refused = False  # the web UI may start again
            return None
        if self.sweep is not None:
            return self.sweep.tick()
        # Locust's start fires test_start, which begins the run; without a ready worker it does nothing, for ever
        return (0, USERS_A_SECOND) if self.workers_ready() else None
