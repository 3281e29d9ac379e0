"""One stage, from its users to the last of its records: it settles, measures and holds.

It settles for `settle_s`, until no request of the level before is in flight and until its latencies drift no more
(`settle_at_most_s` ends that). It measures, unless a person skips it first.
Then it holds: load goes on until every request that began in the measured
window has ended, so that none of them ends under another load, and until all records of it have arrived. A search whose
limits are undecided then measures on, in the same window; the requests that began in the hold between are not measured.
"""

import dataclasses
import logging
import math
import time
import typing

import gevent

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.planning.arrivals import Arrival, arrivals, known_arrivals
from locustfiles.common.planning.bisection import LOOKS
from locustfiles.common.planning.plan import Group
from locustfiles.common.recording.messages import ArrivalsDealt
from locustfiles.common.recording.stage_tally import Tally, window_ends
from locustfiles.common.stages.stage_windows import share, windows_of
from locustfiles.common.stages.worker_control import LOOK_S, POLL_S, WorkerControl
from locustfiles.contract.manifest import WorkerLoad
from locustfiles.contract.scenario.loads import Level
from locustfiles.contract.scenario.slo import Slo

log = logging.getLogger("swarmledger")
DEAL_EVERY_S = 0.5
DEAL_AHEAD_S = 2.0
FIRST_S = 0.25  # from dealing to the first arrival: longer than any way to a worker
LAST_S = 0.1  # from the last arrival of a trace to the end of its window: longer than a worker is late


class Stage:
    """One visit of (target, payload, level). `control` is asked for the run, the workers and what they have sent."""

    def __init__(self, control: WorkerControl, group: Group, level: Level, number: int, slo: Slo | None = None) -> None:
        """slo: of a search, which measures until it is decided, and sets `window.outcome`."""
        self.control, self.run, self.load, self.level, self.slo = control, control.run, group.load, level, slo
        self.spec = StageSpec(number, group.target, group.payload, level.users, level.rate, group.repeat)
        self.tally = Tally(keep=self._times_needed, retry=self.run.inputs.scenario.retry)
        self.trace = known_arrivals(self.load, self.run.inputs.traces, self._seed_text)
        self._dealer: gevent.Greenlet | None = None
        self._workers = set(control.alive())
        self._measured_s = 0.0  # without the holds between
        self.control.skipping = False
        self._over = False
        self.look_from: float | None = None  # when the latest look began
        now = self.run.clock.now()
        self.windows = windows_of(self.spec, group.parts, now, self.load)  # of a mix one for each part
        self.window = self.windows[0]
        self.run.tallies |= {window.stage: self.tally for window in self.windows}
        if self.load.replay:
            self.window.trace_fit = self.run.inputs.trace_fit(group.target, group.payload)
        self.window.cache_asked = self.run.inputs.cache_asked(group.target, group.payload)

    @property
    def _seed_text(self) -> str:
        return f"{self.run.inputs.scenario.seed}/{self.spec.target}/{self.spec.payload}/{self.spec.rate}/{self.spec.repeat}"

    @property
    def _times_needed(self) -> bool:
        return self.slo is not None or bool(self.load.until and self.load.until.relative_ci)

    @property
    def at_most_s(self) -> float:
        return FIRST_S + self.trace[-1].at_s + LAST_S if self.trace else self.load.at_most_s

    def go(self) -> None:
        """Raises DiskFailed when the manifest cannot be written. After it, `window.ended_by` is set; `budget` ends the run."""
        for window in self.windows:
            self.run.stage_begins(window)
        users = self.load.max_users if self.level.users is None else self.level.users
        self.control.announce(self.spec, "settle")
        self.control.ask_for_users(users)
        self.window.settle_from = self.run.clock.now()
        share(self.windows)
        if not self.trace:
            self._begin_arrivals()
            self._settle()
        if self._unwanted:
            self._over = True
            self._end("budget" if self.run.over_budget else "skip")
            self._stop_arrivals()
            return
        self.window.measure_from = self.run.clock.now()
        share(self.windows)
        for look, windows in enumerate(LOOKS if self.slo else (1,)):
            self._measure(look, windows * self.at_most_s)
            if self.window.outcome != "undecided" or self.window.ended_by != "time":
                break
            if self.control.skipping:  # between two looks
                self.window.ended_by = "skip"
                break
        self._over = True
        self._stop_arrivals()

    def break_off(self) -> None:
        """End it where it stands: what is in flight is held, nothing new belongs to the window."""
        self._stop_arrivals()
        if self.window.ended_by is None:
            self._end("stop")

    def skip(self) -> bool:
        """End its window now, and hold it as every window; where it has none yet it gets none. Whether there was a window to end
        or to begin."""
        looks_again = self.slo is not None and self.window.ended_by == "time" and self.spec.look + 1 < len(LOOKS)
        if self.window.ended_by is None or (looks_again and not self._over):
            self.control.skipping = True
        return self.control.skipping and not self._over

    def _end(self, reason: str) -> float:
        """When."""
        if reason == "budget":  # nothing is sent any more
            self._stop_arrivals()
        else:
            self.control.announce(self.spec, "hold")
        now = self.run.clock.now()
        if self.window.measure_from is not None:
            self.window.measure_until = now
        self.window.ended_by = reason
        share(self.windows)
        return now

    @property
    def _unwanted(self) -> bool:
        """It gets no window."""
        return self.run.over_budget or self.control.skipping

    @property
    def look_at_most_s(self) -> float:
        """The latest look's window, those of the looks before it in it."""
        return (LOOKS[self.spec.look] if self.slo else 1) * self.at_most_s

    @property
    def measured_s(self) -> float:
        """So far, holds between not counted."""
        measuring = self.look_from is not None and self.window.measure_until is None
        return self._measured_s + (self.run.clock.now() - self.look_from if measuring and self.look_from else 0.0)

    def _at_once(self) -> int:
        """Requests in flight when settled: the users, or by Little's law."""
        if self.level.users is not None:
            return self.level.users
        recent = self.tally.settling[-50:]
        return max(5, round((self.level.rate or 0.0) * sum(recent) / len(recent))) if recent else 5

    def _settle(self) -> None:
        load, began = self.load, time.monotonic()
        while time.monotonic() - began < load.settle_s and not self._unwanted:
            gevent.sleep(min(LOOK_S, max(POLL_S, load.settle_s - (time.monotonic() - began))))
        self.control.wait_until_clear(self.spec, "settle")
        while not (steady := self.tally.steady(self._at_once())) and not self._unwanted:
            if time.monotonic() - began >= load.settle_at_most_s:
                break
            gevent.sleep(0.1)
        self.window.steady = steady

    def _measure(self, look: int, at_most_s: float) -> None:
        """Measure until `at_most_s` have been measured in all, holds between not counted, and hold."""
        began = self.look_from = self.run.clock.now()
        self.spec = dataclasses.replace(self.spec, look=look)
        self.window.measure_until = self.window.hold_until = self.window.ended_by = None
        self.window.whole = False
        self.control.announce(self.spec, "measure")
        if self.trace:
            self._begin_arrivals()
        self._measured_s += self._end(self._until_over(began - self._measured_s, at_most_s)) - began
        if not self.run.over_budget:  # holding would spend more: the requests in flight end under a falling load
            self._hold()
            share(self.windows)

    def _until_over(self, since: float, at_most_s: float) -> str:
        """Why it ends; since: when it would have begun without a hold between."""
        while not self.run.over_budget:
            elapsed = self.run.clock.now() - since
            if reason := window_ends(elapsed, self.load, at_most_s, self.tally):
                return reason
            if self.control.skipping:
                return "skip"
            gevent.sleep(min(LOOK_S, max(POLL_S, at_most_s - elapsed)))
        return "budget"

    def _hold(self) -> None:
        loads = self.control.wait_until_clear(self.spec, "hold")
        self.window.hold_until = self.run.clock.now()
        if self.run.over_budget:  # its last requests end under a falling load
            self.window.ended_by = "budget"
            return
        self.window.workers = [WorkerLoad(worker, **load) for worker, load in sorted(loads.items()) if load]
        self.window.whole = self.control.wait_for_records(self.spec) and self._workers <= set(self.control.alive())
        if not self.window.whole and self._workers <= loads.keys():  # its records may come later
            self.control.late += self.windows
        if self.slo:
            self.window.outcome = self._outcome(self.slo)

    def _outcome(self, slo: Slo) -> str | None:
        """met, missed or undecided; missed, too, where the stage was aborted or fewer requests were sent than were due;
        undecided where it was skipped, for whoever skips may have chosen the moment; None where its numbers cannot be trusted."""
        if not self.run.is_sound(self.window):
            return None
        if self.window.ended_by == "abort":
            return "missed"
        if self.window.ended_by == "skip":
            return "undecided"
        due = (self.level.rate or 0.0) * self._measured_s  # 0 in the closed loop
        if self.tally.requests + 2 * math.sqrt(self.load.dispersion * due) < 0.95 * due:
            return "missed"
        return self.tally.keeps(slo)

    # open loop
    def _begin_arrivals(self) -> None:
        rate, load = self.level.rate, self.load
        if rate is None:
            return
        due = (
            iter(self.trace) if self.trace else arrivals(rate, load.arrivals, self._seed_text, load.cv, load.burst_size)
        )
        self._dealer = gevent.spawn(self._deal, due, self.run.clock.now() + FIRST_S)

    def _stop_arrivals(self) -> None:
        if self._dealer:
            self._dealer.kill()

    def _deal(self, due: typing.Iterator[Arrival], zero: float) -> None:
        """Hand the arrivals of the next seconds to the workers in turn, each in its own clock's time."""
        turn = 0
        upcoming = next(due, None)
        while upcoming is not None:
            hands: dict[str, list[tuple[float, int | None, int | None]]] = {
                worker: [] for worker in self.control.alive()
            }
            workers = list(hands)
            until = self.run.clock.now() - zero + DEAL_AHEAD_S
            while upcoming is not None and upcoming.at_s < until and workers:
                worker, turn = workers[turn % len(workers)], turn + 1
                at = zero + upcoming.at_s + self.control.offset_s(worker)
                hands[worker].append((at, upcoming.prompt_tokens, upcoming.max_tokens))
                upcoming = next(due, None)
            for worker, hand in hands.items():
                if hand:
                    self.control.send(ArrivalsDealt(self.run.run_id, self.spec.stage, hand), worker)
            gevent.sleep(DEAL_EVERY_S)
