"""The budget's guard: it ends what is sent before more than `budget_usd` is spent."""

import logging
import typing

import gevent
from locust.runners import MasterRunner

from locustfiles.common.stages.worker_control import WorkerControl
from locustfiles.contract.scenario.billed_units import not_counted, unguarded

log = logging.getLogger("swarmledger")
GUARD_S = 0.1  # how often the budget is looked at
UNSEEN_S = 0.25  # calls of the last while of which no record may be here yet: as long as this process may lag ...
UNREPORTED_S = 1.25  # ... and workers report once a second


class BudgetGuard:
    """Whatever the sweep does: when the budget would be spent by what is under way, nothing new is sent."""

    def __init__(self, control: WorkerControl, end: typing.Callable[[], None]) -> None:
        """end() ends the run as if its last stage was over."""
        self._control, self._run, self._end = control, control.run, end
        self._greenlet: gevent.Greenlet | None = None

    def begin(self) -> None:
        budget = self._run.inputs.scenario.budget_usd
        if budget is not None:
            self._greenlet = gevent.spawn(self._watch, budget)
            self._greenlet.link_exception(self._unwatched)

    def stop(self) -> None:
        if self._greenlet:
            self._greenlet.kill(block=False)

    def _watch(self, budget: float) -> None:
        spend, control = self._run.spend, self._control
        lag_s = UNSEEN_S + (UNREPORTED_S if isinstance(control.runner, MasterRunner) else 0)
        while True:
            control.collect()
            if name := spend.blind:
                self._end_blind(name)
                return
            rate = control.spec.rate if control.spec else None
            to_come = spend.to_come_usd(self._users_at_most(), rate, lag_s, self._dispersion())
            if spend.usd() + to_come >= budget:
                break
            gevent.sleep(GUARD_S)
        self._run.over_budget = True
        control.announce(None, "settle")
        log.error(
            "Budget: $%.4f spent, up to $%.4f under way, of $%.4f; the run ends with what was measured",
            *(spend.usd(), to_come, budget),
        )

    def _end_blind(self, name: str) -> None:
        """Nothing more is spent unseen: the first call that worked has not counted what it is billed by."""
        inputs = self._run.inputs
        target = inputs.scenario.target(name)
        why = not_counted(target, inputs.prices[name], None)
        if why and not self._run.failure:
            self._run.fail(unguarded(target, why))
        self._end()

    def _unwatched(self, guard: gevent.Greenlet) -> None:
        """Our own bug: nothing is spent without the guard."""
        self._run.problem(
            f"the budget's guard failed inside Swarmledger: {type(guard.exception).__name__}: {guard.exception}"
        )
        self._end()

    def _dispersion(self) -> float:
        """Of the arrivals under way."""
        spec, scenario = self._control.spec, self._run.inputs.scenario
        return scenario.load_of(scenario.target(spec.target)).dispersion if spec else 1.0

    def _users_at_most(self) -> int:
        """Who may send now, those too that are still on their way."""
        spec, scenario = self._control.spec, self._run.inputs.scenario
        if spec is None:
            return 0
        return scenario.load_of(scenario.target(spec.target)).max_users if spec.users is None else spec.users
