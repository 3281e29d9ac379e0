"""Which workers take part in the run under way: who is told of it, who is gone, and who is back.

A run without workers has one, this process.
"""

import logging
import math
import time
import typing

from locust import runners
from locust.runners import Runner

from locustfiles.common.recording import messenger
from locustfiles.common.recording.messages import RunBegins
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.link_to_master import MASTER_SILENT_S
from locustfiles.common.swarm.patient_master import PatientMaster
from locustfiles.common.swarm.worker import Worker
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.contract.manifest import StageWindow

log = logging.getLogger("swarmledger")
# Locust calls a worker missing when it was silent for longer
UNNOTICED_S = runners.HEARTBEAT_LIVENESS * runners.HEARTBEAT_INTERVAL
ALONE_S = 30.0  # without any worker a run is given up
REPORTED_S = 2.0  # a worker that is back has told by then why it was silent


class Silence(typing.NamedTuple):
    """In which nothing was heard of a worker; Unix seconds, this process's clock."""

    worker: str
    since: float
    until: float


def touched(stages: list[StageWindow], since: float, until: float) -> list[int]:
    """Numbers of those that had measured requests under way in that time: from the window's begin to the hold's end."""
    begun = [(s.stage, s.measure_from, s.hold_until or math.inf) for s in stages if s.measure_from is not None]
    return [stage for stage, begin, end in begun if begin < until and since < end]


class Attendance:
    """Of one run; `look` is called once a second.

    An absence is charged to the stages whose measured requests it touches, from the window's begin to the hold's end,
    whenever it is noticed: one that is over by then was recorded before.
    """

    def __init__(
        self, run: RunRecorder, sweep: Sweep, runner: Runner, registry: WorkerRegistry, worker_side: Worker | None
    ) -> None:
        """worker_side: this process's own (a run without workers)."""
        self.run, self.sweep, self.runner, self.registry = run, sweep, runner, registry
        self.worker_side = worker_side
        self._gone: dict[str, float] = {}  # worker -> when it was last heard
        self._back: list[Silence] = []  # of which it is not known yet whether the worker stood still meanwhile
        self._gaps: dict[str, dict[tuple[float, float], Silence]] = {}  # worker -> by its clock -> by this one's
        self._alone_since: float | None = None  # monotonic: no worker is heard
        self._touched: set[int] = set()  # stages without a worker for a while

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
        if self.worker_side:
            self.take_gaps("local", self.worker_side.gaps)
        self._notice_gone()
        self._notice_alone()
        self._judge(self.run.clock.now() - REPORTED_S)
        self.registry.choice.remind()
        for worker in self.registry.alive() if self.registry.distributed else ():
            if worker in self.run.members:  # one that was cut off, for however short, has missed what was announced
                self.sweep.control.say_stage(worker)

    def users_missing(self) -> bool:
        """Locust shares users out anew when a worker comes or goes, but in one run only once: then we have it do so. Those that it is
        about to start are not missing."""
        want = self.sweep.control.want
        ramps = isinstance(self.runner, PatientMaster) and self.runner.ramps
        if want is None or ramps or not (self.registry.distributed and self.registry.alive()):
            return False
        return self.runner.user_count < want[0]

    def notice_pause(self, late_s: float) -> None:
        """Workers that hear nothing for MASTER_SILENT_S idle; their last heartbeat may be a second older than the pause, which
        may have begun a second before this process was due to wake. They are told again within a second."""
        if self.registry.distributed and late_s > MASTER_SILENT_S - 2:
            text = f"the master was paused for {late_s:.0f} s: its workers idle after {MASTER_SILENT_S} s of silence; repeat these stages"
            now = self.run.clock.now()
            self._charge(text, now - late_s - 1, now + 1)

    def take_gaps(self, worker: str, gaps: typing.Iterable[tuple[float, float]]) -> None:
        """What a worker says of itself: when its event loop stood still, by its own clock; all that there were."""
        known, offset_s = self._gaps.setdefault(worker, {}), self.sweep.control.offset_s(worker)
        for since, until in gaps:
            if (since, until) in known:
                continue
            gap = known[since, until] = Silence(worker, since - offset_s, until - offset_s)
            if until - since > UNNOTICED_S:
                who = "this process" if worker == "local" else f"worker {worker}"
                text = (
                    f"{who} stood still for {until - since:.1f} s (paused, or kept from running); repeat these stages"
                )
                self._touched.update(self._charge(text, gap.since, gap.until))

    def amend(self) -> None:
        """At the end, when all that there is has been handed in: whether each stage is whole."""
        if self.worker_side:
            self.take_gaps("local", self.worker_side.gaps)
        self._judge(math.inf)
        settled = all(account.settled for account in self.run.inbox.accounts.values())
        for window in self.sweep.control.late if settled else ():
            window.whole = True
        for window in self.run.manifest.stages:
            if window.stage in self._touched:
                window.whole, window.outcome = False, None
            elif settled and not window.whole and window.hold_until and window.ended_by != "budget":
                text = f"stage {window.stage}: a worker that began it had left by its end: its load was not as planned; repeat it"
                self.run.problem(text, [window.stage])

    def _notice_alone(self) -> None:
        """Workers that are all silent may be back in a moment; for ever they are not waited for."""
        if not self.registry.distributed or self.registry.alive():
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > ALONE_S:
            text = f"no worker was heard for {ALONE_S:.0f} s: the run ends; see that the workers are up, then go on with --resume"
            self.run.problem(text, self.run.unfinished())
            self.sweep.end()

    def _charge(self, text: str, since: float, until: float) -> list[int]:
        """The stages that it concerns."""
        stages = touched(self.run.manifest.stages, since, until)
        if stages:
            self.run.problem(text, stages)
        else:
            log.warning("%s: nothing was being measured", text.partition(";")[0])
        return stages

    def _judge(self, before: float) -> None:
        """Silences that ended before then. What a worker spent standing still it has told, and that is charged already; in what
        is left it was cut off: it may not have heard which stage was on, or idled."""
        for silence in [s for s in self._back if s.until < before]:
            self._back.remove(silence)
            _, since, until = silence
            gaps = self._gaps.get(silence.worker, {}).values()
            still = sum(max(0.0, min(gap.until, until) - max(gap.since, since)) for gap in gaps)
            if until - since - still > max(UNNOTICED_S, still):
                text = f"worker {silence.worker} was silent for {until - since:.0f} s (cut off or paused); repeat these stages"
                self._touched.update(self._charge(text, since, until))

    def _notice_gone(self) -> None:
        """A worker may leave with all its records, come back (it was paused, or cut off), or never be heard again, which
        the run's end finds out."""
        alive = set(self.registry.alive())
        for worker in self._gone.keys() & alive:
            self.admit(worker)
            self._back.append(Silence(worker, self._gone.pop(worker), self.registry.back_at(worker)))
        for worker in set(self.run.members) - alive - self._gone.keys():
            self._gone[worker] = self.registry.heard_at(worker)
            self.sweep.preflight.on_worker_gone(worker)
            settled = self.run.inbox.account(worker).settled
            log.warning("Worker %s has left%s", worker, "; all its records are here" if settled else " or is silent")
