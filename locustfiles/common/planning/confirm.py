"""Asks before a run that may cost much: on a terminal or in the web UI in words, elsewhere by `--yes`."""

import contextlib
import itertools
import os
import select
import sys
import termios
import typing

import gevent
import gevent.event

from locustfiles.common.planning.estimate import Estimate, dollars
from locustfiles.common.planning.inputs import Inputs
from locustfiles.contract.prices.price import Price
from locustfiles.contract.scenario.billed_units import counted_unit
from locustfiles.contract.scenario.remedies import NO_COUNTS
from locustfiles.contract.scenario.scenario import Scenario

ANSWER_BYTES = 1024
LOOK_EVERY_S = 0.1
ANSWER_S = 600.0  # for whoever has the web UI open
_NUMBERS = itertools.count(1)
#: told while a question stands on the terminal, and when it has its answer
on_terminal: list[typing.Callable[[bool], None]] = []


class Question:
    """Asked in the web UI; the sweep waits. `id` tells it from those before, which another tab may still show."""

    def __init__(self, text: str) -> None:
        self.text, self.id = text, next(_NUMBERS)
        self._answer: gevent.event.AsyncResult[bool] = gevent.event.AsyncResult()

    def answer(self, yes: bool) -> None:
        """The first answer counts."""
        if not self._answer.ready():
            self._answer.set(yes)

    def wait(self, seconds: float = ANSWER_S) -> bool | None:
        """None where nobody answered."""
        with gevent.Timeout(seconds, False):
            return self._answer.get()
        return None


def needs_yes(ahead: Estimate, scenario: Scenario) -> float | None:
    """The most that a run may cost, USD, if it must be confirmed. A `budget_usd` below the limit is an answer already."""
    usd = float("inf") if ahead.unknown else ahead.most.usd
    most = usd if scenario.budget_usd is None else min(usd, scenario.budget_usd)
    return most if most > scenario.confirm_above_usd else None


def cost_text(
    most: float, ahead: Estimate, prices: typing.Mapping[str, Price], throttled: typing.Collection[str] = ()
) -> str:
    """`$12.50`, or that it cannot be told. throttled: targets of which that is because no first call got through."""
    if most < float("inf"):
        return dollars(most)
    without = [name for name in ahead.unknown if name in throttled]
    by_unit = [name for name in ahead.unknown if name not in throttled and counted_unit(prices[name])]
    uncounted = [name for name in ahead.unknown if name not in (*throttled, *by_unit)]
    why = [f"{', '.join(without)}: all first calls were throttled"] if without else []
    why += [f"{', '.join(by_unit)}: billed by units that no answer counts"] if by_unit else []
    why += [f"{', '.join(uncounted)}: {NO_COUNTS}"] if uncounted else []
    return f"more than can be told ({'; '.join(why)})"


def confirm(
    ahead: Estimate,
    inputs: Inputs,
    options,
    throttled: typing.Collection[str] = (),
    ask: typing.Callable[[str], bool | None] = lambda text: None,
) -> str | None:
    """Why the run must not begin, or None. ask: has the web UI's page ask; None where nobody answered."""
    scenario = inputs.scenario
    most = needs_yes(ahead, scenario)
    if most is None or options.yes:
        return None
    cost = cost_text(most, ahead, inputs.prices, throttled)
    above = f"the run may cost {cost}, above {dollars(scenario.confirm_above_usd)}"
    takes = f"This run takes {ahead.text}. Go on?"
    if not options.headless:
        return _refusal(ask(f"T{above[1:]}. {takes}"), "yes")
    if not sys.stdin.isatty():
        return (
            f"confirm_above_usd: {above}; add --yes, or set a budget_usd or a higher confirm_above_usd in the scenario"
        )
    print(f"\n{takes} [y/N]", file=sys.stderr, flush=True)
    return _refusal(_answer().strip().lower() in ("y", "yes"), "y")


def _refusal(confirmed: bool | None, word: str) -> str | None:
    """word: what is to be answered."""
    if confirmed:
        return None
    why = "not confirmed" if confirmed is False else f"nobody confirmed it within {ANSWER_S / 60:g} min"
    return f"confirm_above_usd: {why}, nothing but first calls was sent; answer {word}, or add --yes"


def _answer() -> str:
    """A line from the terminal; workers' heartbeats go on meanwhile."""
    with _line_mode() as terminal:
        while not select.select([terminal], [], [], 0)[0]:
            gevent.sleep(LOOK_EVERY_S)
        return os.read(terminal, ANSWER_BYTES).decode(errors="replace")


@contextlib.contextmanager
def _line_mode() -> typing.Iterator[int]:
    """The terminal's descriptor. Locust reads its keys ("w": one more user) one by one, unseen; until the answer is there
    it gets none, and what is typed is shown and can be corrected."""
    stdin, terminal = sys.stdin, sys.stdin.fileno()
    quiet, other_end = os.pipe()
    modes = termios.tcgetattr(terminal)
    spelled = list(modes)
    spelled[3] |= termios.ICANON | termios.ECHO
    with open(quiet, encoding="utf-8") as nothing:
        try:
            sys.stdin = nothing
            termios.tcsetattr(terminal, termios.TCSANOW, spelled)
            for tell in on_terminal:
                tell(True)
            yield terminal
        finally:
            for tell in on_terminal:
                tell(False)
            termios.tcsetattr(terminal, termios.TCSANOW, modes)
            sys.stdin = stdin
            os.close(other_end)
