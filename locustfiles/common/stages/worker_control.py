"""Tells the workers which stage and phase is on, asks Locust for users, and waits for both: how the sweep steers the swarm."""

import time
import typing

import gevent
import gevent.event
from locust.runners import Runner

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.planning.plan import USERS_A_SECOND
from locustfiles.common.recording import messenger
from locustfiles.common.recording.messages import Message, StageAnnounced, StageClear
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.contract.manifest import StageWindow

POLL_S = 0.02
LOOK_S = 0.25  # whatever may end a phase early is looked at so often; each look wakes an idle process
UNCHANGED_S = 5.0
RECORDS_S = 15.0  # for the records of a stage to arrive


class WorkerControl:
    """The swarm of one run as the sweep steers it. `want` is what the load shape returns to Locust; None ends the run."""

    def __init__(
        self,
        run: RunRecorder,
        runner: Runner,
        alive: typing.Callable[[], list[str]],
        collect: typing.Callable[[], None],
    ) -> None:
        """alive() -> ids of the workers that can be asked now, the first ready one first; collect() takes in this process's own records."""
        self.run, self.runner, self.alive, self.collect = run, runner, alive, collect
        self.want: tuple[int, float] | None = (0, USERS_A_SECOND)
        self.spec: StageSpec | None = None
        self.phase = "settle"
        self._latest: int | None = None  # number of the stage under way, or of the last one
        self.late: list[
            StageWindow
        ] = []  # stages whose workers were all clear, and whose records were not all here in time
        self.skipping = False  # the stage under way: nothing is waited for before its window
        self.changed = gevent.event.Event()
        self._heard = gevent.event.Event()  # a worker is clear
        self._clear: dict[
            tuple[int, str, int], dict[str, StageClear]
        ] = {}  # stage, phase, look -> worker -> its message

    # what Locust's side calls
    def tick(self) -> tuple[int, float] | None:
        self.changed.wait(UNCHANGED_S)
        self.changed.clear()
        return self.want

    def on_clear(self, message: StageClear, worker: str) -> None:
        if message.run == self.run.run_id:
            self._clear.setdefault(message.of, {})[worker] = message
            self._heard.set()

    def say_stage(self, worker: str | None = None) -> None:
        """Which stage and phase is on, to one worker or to all."""
        self.send(StageAnnounced(self.run.run_id, self.spec, self.phase), worker)

    # what a stage asks for
    def send(self, message: Message, worker: str | None = None) -> None:
        messenger.send(self.runner, message, worker)

    def announce(self, spec: StageSpec | None, phase: str) -> None:
        self.spec, self.phase = spec, phase
        self._latest = spec.stage if spec else self._latest
        self.say_stage()

    def offset_s(self, worker: str) -> float:
        """Worker's clock minus this one's, as far as it is known."""
        member = self.run.members.get(worker)
        return (member.clock_offset_ms or 0.0) / 1000 if member else 0.0

    def set(self, want: tuple[int, float] | None) -> None:
        self.want = want
        self.changed.set()

    def drain(self) -> None:
        """Nothing new is sent; returns when what is in flight has ended."""
        self.announce(None, "settle")
        self.set((0, USERS_A_SECOND))
        self._wait_for_users(0, self.run.environment.stop_timeout + 10)

    def ask_for_users(self, users: int) -> None:
        """Returns when they are there, the budget is spent or the stage is skipped."""
        self.set((users, USERS_A_SECOND))
        self._wait_for_users(users, users / USERS_A_SECOND + 30)

    def _wait_for_users(self, users: int, timeout_s: float) -> None:
        over = time.monotonic() + timeout_s
        while self.runner.user_count != users and not (users and (self.run.over_budget or self.skipping)):
            if time.monotonic() > over:
                self.run.problem(
                    f"{self.runner.user_count} users instead of {users}: a worker is gone or too slow; "
                    "repeat the run with all workers up",
                    None if self._latest is None else [self._latest],
                )
                return
            gevent.sleep(POLL_S)

    def wait_until_clear(self, spec: StageSpec, phase: str) -> dict[str, dict[str, float]]:
        """Settle: until no request of an earlier level is in flight. Hold: until the measured ones have ended; how each
        worker kept up meanwhile."""
        clear = self._clear.setdefault((spec.stage, phase, spec.look), {})
        over = time.monotonic() + self.run.inputs.scenario.longest_call_s + 15
        while not set(self.alive()) <= clear.keys() and not self.run.over_budget:
            if phase == "settle" and self.skipping:
                break
            if time.monotonic() > over:
                self.run.problem(
                    f"stage {spec.stage}: requests did not end within their timeout ({phase})", [spec.stage]
                )
                break
            self._heard.wait(LOOK_S)
            self._heard.clear()
        return {worker: message.load for worker, message in clear.items()}

    def wait_for_records(self, spec: StageSpec) -> bool:
        """Until every record that the workers had when their hold was clear is here; whether that came in time."""
        clear, accounts = self._clear[spec.stage, "hold", spec.look], self.run.inbox.accounts
        over = time.monotonic() + RECORDS_S
        while True:
            self.collect()
            late = [w for w in self.alive() if w in clear and accounts[w].received < clear[w].produced]
            if not late or time.monotonic() > over:
                return not late and set(self.alive()) <= clear.keys()
            gevent.sleep(POLL_S)
