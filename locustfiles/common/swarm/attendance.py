"""Which workers take part in the run under way: who is told of it, who is gone, and who is back.

A run without workers has one, this process.
"""

import logging
import time

from locust import runners
from locust.runners import Runner

from locustfiles.common.recording import messenger
from locustfiles.common.recording.messages import RunBegins
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.link_to_master import MASTER_SILENT_S
from locustfiles.common.swarm.worker_registry import WorkerRegistry

log = logging.getLogger("swarmledger")
UNNOTICED_S = (
    runners.HEARTBEAT_LIVENESS * runners.HEARTBEAT_INTERVAL
)  # Locust calls a worker missing when it was silent for longer


class Attendance:
    """Of one run; `look` is called once a second."""

    def __init__(self, run: RunRecorder, sweep: Sweep, runner: Runner, registry: WorkerRegistry) -> None:
        self.run, self.sweep, self.runner, self.registry = run, sweep, runner, registry
        self._gone: dict[str, tuple[float, int]] = {}  # worker -> since when, and the stage of then

    def introduce(self, worker: str) -> None:
        """Tell a worker of the run."""
        self.run.members[worker] = self.registry.members[worker]
        self.run.inbox.account(worker)
        messenger.send(self.runner, RunBegins(self.run.run_id, str(self.run.folder.path)), worker)

    def admit(self, worker: str) -> None:
        """Tell a worker of the run, and of the stage that is on: one that came late, or once more."""
        self.introduce(worker)
        self.sweep.control.say_stage(worker)

    def look(self) -> None:
        self._notice_gone()
        for worker in self.registry.alive() if self.registry.distributed else ():
            if worker in self.run.members:  # one that was cut off, for however short, has missed what was announced
                self.sweep.control.say_stage(worker)

    def users_missing(self) -> bool:
        """Locust shares users out anew when a worker comes or goes, but in one run only once: then we have it do so."""
        want = self.sweep.control.want
        return (
            self.registry.distributed
            and bool(self.registry.alive())
            and want is not None
            and self.runner.user_count < want[0]
        )

    def notice_pause(self, late_s: float, stage: int) -> None:
        """stage: the one under way before. Workers that hear nothing for MASTER_SILENT_S idle; their last heartbeat may be a
        second older than the pause, which may have begun a second before this process was due to wake."""
        if self.registry.distributed and late_s > MASTER_SILENT_S - 2:
            text = f"the master was paused for {late_s:.0f} s: its workers idle after {MASTER_SILENT_S} s of silence; repeat these stages"
            if stages := list(
                range(max(1, stage), self.sweep.stage_number + 1)
            ):  # before the first nothing is measured
                self.run.problem(text, stages)

    def _notice_gone(self) -> None:
        """A worker may leave with all its records, come back (it was paused, or cut off), or never be heard again, which
        the run's end finds out."""
        alive, now = set(self.registry.alive()), time.monotonic()
        for worker in self._gone.keys() & alive:
            since, stage = self._gone.pop(worker)
            self.admit(worker)
            silent = f"worker {worker} was silent for {now - since + UNNOTICED_S:.0f} s (paused or cut off)"
            self.run.problem(silent, list(range(stage, self.sweep.stage_number + 1)))
        for worker in set(self.run.members) - alive - self._gone.keys():
            self._gone[worker] = (now, self.sweep.stage_number)
            self.sweep.preflight.on_worker_gone(worker)
            settled = self.run.inbox.account(worker).settled
            log.warning("Worker %s has left%s", worker, "; all its records are here" if settled else " or is silent")
