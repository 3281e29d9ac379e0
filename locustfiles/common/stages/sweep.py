"""The sweep: the greenlet that walks the stages one after another.

A stage is one visit of (target, payload, level). Levels only ascend; between (target, payload) groups, repetitions and
the steps of a search, users drain to 0.
"""

import importlib
import itertools
import logging
import typing

import gevent
from locust.runners import Runner

from locustfiles.common.planning.plan import USERS_A_SECOND, Group, alone, needs_statistics, plan
from locustfiles.common.recording.resume import found, has, next_stage
from locustfiles.common.recording.run_recorder import DiskFailed, RunRecorder
from locustfiles.common.stages.budget import BudgetGuard
from locustfiles.common.stages.preflight import Preflight, SweepEnds
from locustfiles.common.stages.search import find
from locustfiles.common.stages.stage import Stage
from locustfiles.common.stages.stage_windows import share
from locustfiles.common.stages.worker_control import WorkerControl
from locustfiles.contract.scenario.loads import Level
from locustfiles.contract.scenario.mixes import mix_text
from locustfiles.contract.scenario.slo import Slo

log = logging.getLogger("swarmledger")


class Sweep:
    """Walks the stages of one run, steering the swarm by its WorkerControl."""

    def __init__(
        self,
        run: RunRecorder,
        runner: Runner,
        alive: typing.Callable[[], list[str]],
        collect: typing.Callable[[], None],
    ) -> None:
        """alive() -> ids of the workers that can be asked now, the first ready one first; collect() takes in this process's own records."""
        self.run, self.control, manifest = run, WorkerControl(run, runner, alive, collect), run.manifest
        self.groups = [g._replace(levels=[n for n in g.levels if not has(manifest, g, n)]) for g in plan(run.inputs)]
        self.groups = [g for g in self.groups if g.levels or (g.load.find and not found(manifest, g))]
        searches = any(g.load.find for g in self.groups)  # which decide their stages as they go
        if any(needs_statistics(g.load) for g in self.groups):
            importlib.import_module("numpy.ma")  # now, with what quantiles need, and not in a window that looks at them
        self.planned = 0 if searches else len(manifest.stages) + sum(g.stages for g in self.groups)
        self.planned_s = sum(run.inputs.stage_s(g.load) * len(g.levels) for g in self.groups)
        self._done_s = 0.0
        self.stage: Stage | None = None
        self.ends_after_stage = False  # a person has asked for it
        self.preflight = Preflight(run, runner, alive)
        self._stage_numbers = itertools.count(next_stage(manifest))
        self._guard = BudgetGuard(self.control, self.end)
        self._greenlet: gevent.Greenlet | None = None

    def begin(self) -> None:
        self._guard.begin()
        self._greenlet = gevent.spawn(self._go)

    # what Locust's side calls
    def stop(self) -> None:
        """End the sweep where it stands."""
        self.control.want = (0, USERS_A_SECOND)  # or those that have gone would be started again
        if self._greenlet and self._greenlet is not gevent.getcurrent():
            self._greenlet.kill(block=True)
        self._guard.stop()
        if self.stage:
            self.stage.break_off()

    def end(self) -> None:
        """End the run as if its last stage was over."""
        if self._greenlet:
            self._greenlet.kill(block=False)
        self._guard.stop()
        self.control.set(None)

    def skip_stage(self) -> bool:
        """End the stage under way; whether there was one that goes on."""
        stage, again = self.stage, self.control.skipping
        if stage is None or not stage.skip():
            return False
        if not again:
            kept = "it has no window yet, and gets none" if stage.window.measure_from is None else "its window ends now"
            log.warning("Stage %d is skipped: %s", stage.spec.stage, kept)
        return True

    def end_after_stage(self) -> None:
        """No other stage begins; --resume measures those that are missing."""
        if not self.ends_after_stage:
            self.ends_after_stage = True
            log.warning("The run ends after this stage; --resume goes on with it")

    def done_s(self) -> float:
        """Planned seconds that are over: whole stages, and the part of the one under way."""
        window = self.stage.window if self.stage else None
        over = window is None or window.hold_until is not None or (window.ended_by and window.measure_from is None)
        begun = window.settle_from if window and not over else None
        return min(self.planned_s, self._done_s + (self.run.clock.now() - begun if begun else 0.0))

    # the greenlet
    def _go(self) -> None:
        try:
            self.preflight.preflight(alone(self.groups))
            for group in self.groups:
                self._look_whether_over()
                if not self._left_out(group):
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
        self.control.set(None)  # not when killed by `stop`: Locust is then stopping already

    def _left_out(self, group: Group) -> bool:
        """A mix is measured whole or not at all."""
        return any(map(self.preflight.left_out, alone([group])))

    def _group(self, group: Group) -> None:
        for each in alone([group]):
            self.preflight.warm_up(each)
        if self._left_out(group):
            return
        self.run.spend.load_begins(*[(each.target, each.payload) for each in alone([group])])
        for level in group.levels:
            self.measure(group, level)
        if group.load.find:
            finding = find(self.run, group, group.load.find, self.measure, self.control.drain)
            self.run.manifest.findings.append(finding)
            log.info("Found for %s, %s: %s", group.target, group.payload, finding.text)
        self.control.drain()
        self.run.spend.load_ends()

    def _look_whether_over(self) -> None:
        """Raises SweepEnds before a stage that is not to begin."""
        if self.run.over_budget:
            raise SweepEnds
        if self.ends_after_stage:
            self.control.drain()
            raise SweepEnds

    def measure(self, group: Group, level: Level, slo: Slo | None = None) -> Stage:
        """One stage. Raises SweepEnds when the budget is spent, before it or by it, or a person has ended the run before it."""
        self._look_whether_over()
        numbers = [next(self._stage_numbers) for _ in group.parts or (None,)]
        stage = self.stage = Stage(self.control, group, level, numbers[0], slo)
        # numbers of abandoned stages are not given again
        place, number = len(self.run.manifest.stages) + 1, stage.spec.stage
        of = (f" of {self.planned}" if self.planned else "") + (f" (number {number})" if number != place else "")
        what = f"a mix of {mix_text(group.parts)}" if group.parts else f"{group.target}, {group.payload}"
        log.info(
            "Stage %s%s: %s, %s (so far %d requests, %d failed, $%.4f)",
            *(f"{place} to {place + len(numbers) - 1}" if group.parts else place, of, what, level.text),
            *(self.run.requests.rows, self.run.failed, self.run.spend.usd()),
        )
        stage.go()
        if self.run.over_budget:
            self.control.drain()
            if stage.window.measure_from is not None:
                stage.window.hold_until = self.run.clock.now()
                share(stage.windows)
            self.run.stage_ends()
            raise SweepEnds
        self._done_s += self.run.inputs.stage_s(group.load)
        self.run.stage_ends()
        return stage
