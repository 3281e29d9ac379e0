"""The plan: every option's month, cheapest first, what the order hangs on, and the volumes at which it changes."""

import dataclasses
import math
import typing

from analysis.planning.demand import Demand
from analysis.planning.measured import dataset_of
from analysis.planning.option import Month, Option, Terms, month_of
from analysis.planning.options import Options, options_of
from analysis.verdicts.measured import Measured
from locustfiles.contract.bad_input import BadInput

SWING = 0.2  # by how much each assumption is changed to see whether the cheapest stays so
SCAN_FROM, SCAN_TO, SCAN_POINTS = 0.01, 20.0, 400  # multiples of the planned demand that are searched for crossings
MAX_CROSSINGS = 10
FINE = 1e-6
MOST_SHIFT = 0.99  # an interval that reaches 0 has no finite number of instances at its end


class Crossing(typing.NamedTuple):
    """From this demand on (its peak, transactions a minute) another option is the cheapest."""

    peak_per_minute: float
    cheapest: str
    before: str


class Swing(typing.NamedTuple):
    """One assumption changed: which option is then the cheapest, and what it costs in a month."""

    what: str
    cheapest: str
    usd: float
    changed: bool  # another one than in the plan


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """Everything that `plan` says."""

    dataset: str
    demand: Demand
    terms: Terms
    months: list[Month]  # of the first month, cheapest first
    grown: list[list[Month]]  # month by month, in the order of `months`; of one month alone it is that
    crossings: list[Crossing]
    swings: list[Swing]
    options: Options
    notes: list[str]
    invalid: bool

    @property
    def best(self) -> Month:
        return self.months[0]


def plan_of(measured: Measured, demand: Demand, terms: Terms, wanted: str | None, savings: float | None) -> Plan:
    """savings: a savings plan's discount as a share. Raises BadInput where nothing can be planned."""
    dataset, notes = dataset_of(measured, wanted)
    options = options_of(measured, dataset, demand, savings)
    if not options.some:
        there = any(r.payload == dataset for r in measured.results)
        none = "it was measured in mixes or ramps alone." if there else "nothing was measured on it."
        why = " ".join(options.left_out) or none
        raise BadInput(
            f"no option on `{dataset}` can be planned: {why} Give a run whose stages keep their limits and have a price"
        )
    months = ranked(options.some, demand, terms)
    order = [month.option for month in months]
    grown = [[month_of(o, demand.in_month(m), terms) for o in order] for m in range(1, demand.months + 1)]
    return Plan(
        dataset, demand, terms, months, grown, crossings(options.some, demand, terms), swings(options.some, demand, terms),
        options, notes, measured.invalid,
    )  # fmt: skip


def ranked(options: typing.Sequence[Option], demand: Demand, terms: Terms) -> list[Month]:
    """Cheapest first; of two that cost the same the one that was named first."""
    return sorted((month_of(option, demand, terms) for option in options), key=lambda month: month.usd)


def crossings(options: typing.Sequence[Option], demand: Demand, terms: Terms) -> list[Crossing]:
    """Where another option becomes the cheapest as the demand rises in its own shape, from 1 % to 20 times of it."""

    def cheapest(factor: float) -> str:
        return ranked(options, demand.times(factor), terms)[0].option.name

    steps = [SCAN_FROM * (SCAN_TO / SCAN_FROM) ** (i / (SCAN_POINTS - 1)) for i in range(SCAN_POINTS)]
    found: list[Crossing] = []
    low, before = steps[0], cheapest(steps[0])
    for high in steps[1:]:
        while cheapest(high) != before:
            at, name = _bisected(cheapest, low, high, before)
            found.append(Crossing(at * demand.peak, name, before))
            low, before = at, name
            if len(found) > MAX_CROSSINGS:
                return found
        low = high
    return found


def _bisected(cheapest: typing.Callable[[float], str], low: float, high: float, before: str) -> tuple[float, str]:
    """(the least factor found at which it is no longer `before`, what is then the cheapest)."""
    while high / low > 1 + FINE:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if cheapest(middle) == before else (low, middle)
    return high, cheapest(high)


def swings(options: typing.Sequence[Option], demand: Demand, terms: Terms) -> list[Swing]:
    """The cheapest option under each changed assumption: of all options, and of the winner alone where it can be misjudged."""
    best = ranked(options, demand, terms)[0].option
    found = []

    def add(what: str, some: typing.Sequence[Option], load: Demand = demand) -> None:
        first = ranked(some, load, terms)[0]
        found.append(Swing(what, first.option.name, first.usd, first.option.name != best.name))

    for sign in (1 + SWING, 1 - SWING):
        percent = f"{'+' if sign > 1 else '−'}{SWING:.0%}".replace("%", " %")
        add(f"transactions {percent}", options, demand.times(sign))
        add(f"tokens of a transaction {percent}", [_longer(o, sign) for o in options])
        add(f"prices by the hour {percent}", [_dearer(o, sign, "instances", "reserved") for o in options])
        add(f"prices by tokens {percent}", [_dearer(o, sign, "tokens") for o in options])
    if best.uncertainty is not None:
        # the winner at the worse end of its own interval, all others at their better one
        add("the measurements' own intervals, against the cheapest", [_shifted(o, o.who == best.who) for o in options])
    return found


def _longer(option: Option, factor: float) -> Option:
    """Tokens cost so much more, and an instance carries so many transactions fewer."""
    if option.kind == "tokens":
        return _dearer(option, factor, "tokens")
    assert option.capacity_per_minute is not None
    return dataclasses.replace(option, capacity_per_minute=option.capacity_per_minute / factor)


def _dearer(option: Option, factor: float, *kinds: str) -> Option:
    if option.kind not in kinds:
        return option
    usd, hour = option.usd_per_transaction, option.usd_per_hour
    return dataclasses.replace(
        option,
        usd_per_transaction=None if usd is None else usd * factor,
        usd_per_hour=None if hour is None else hour * factor,
    )


def _shifted(option: Option, worse: bool) -> Option:
    """At an end of its own 95 % interval: tokens of a cost, instances of a capacity."""
    half = min(option.uncertainty or 0.0, MOST_SHIFT)
    if option.kind == "tokens":
        return _dearer(option, 1 + half if worse else 1 - half, "tokens")
    assert option.capacity_per_minute is not None
    return dataclasses.replace(
        option, capacity_per_minute=option.capacity_per_minute * (1 - half if worse else 1 + half)
    )
