"""What can be bought to carry the load: instances by the hour, reserved units, or tokens."""

import dataclasses
import typing

from analysis.planning.demand import Demand

Kind = typing.Literal["instances", "reserved", "tokens"]


class Terms(typing.NamedTuple):
    """How instances are planned. headroom: share of a measured capacity that stays free; spare: instances beyond those needed;
    start_up_minutes: paid for each instance that is added and not yet serving."""

    headroom: float = 0.2
    spare: int = 1
    start_up_minutes: float = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One way to serve the load. What its kind does not have is None."""

    name: str  # what is bought and how: `p4d: ml.p4d.24xlarge, on demand, at the peak all month`
    who: str  # the target that was measured, of several runs with its run
    kind: Kind
    usd_per_transaction: float | None = None  # tokens
    usd_per_hour: float | None = None  # of one instance or reserved unit
    capacity_per_minute: float | None = None  # transactions that one carries within the limits
    scaled: typing.Literal["peak", "hourly", "to zero"] = "peak"
    committed: float | None = None  # a savings plan's discount as a share, on the least number that runs all month
    uncertainty: float | None = None  # half-width of the measured figure as a share: of its cost or its capacity
    model: str | None = None  # what answers, where that is named
    caution: str | None = None  # the doubt that belongs in the first sentence
    doubts: tuple[str, ...] = ()  # why what was measured of the target needs care
    mind: tuple[str, ...] = ()  # what this way of buying brings with it


class Month(typing.NamedTuple):
    """What an option costs in a month. instances: the least and the most that run, None of tokens."""

    option: Option
    usd: float
    instances: tuple[int, int] | None


def month_of(option: Option, demand: Demand, terms: Terms) -> Month:
    """Of the demand as it is; growth is the caller's."""
    if option.kind == "tokens":
        assert option.usd_per_transaction is not None
        return Month(option, option.usd_per_transaction * demand.a_month, None)
    assert option.usd_per_hour is not None
    counts = counts_of(option, demand, terms)
    started = sum(max(0, now - before) for before, now in zip((counts[-1], *counts), counts, strict=False))
    cycles = demand.hours_each * terms.start_up_minutes / 60
    usd = option.usd_per_hour * (sum(counts) * demand.hours_each + started * cycles)
    if option.committed is not None:
        usd -= option.usd_per_hour * min(counts) * demand.hours_each * len(counts) * option.committed
    return Month(option, usd, (min(counts), max(counts)))


def counts_of(option: Option, demand: Demand, terms: Terms) -> list[int]:
    """Instances in each hour of the demand."""
    assert option.capacity_per_minute
    usable = option.capacity_per_minute * (1 - terms.headroom)
    spare = terms.spare if option.kind == "instances" else 0
    if option.scaled == "peak":
        return [_needed(demand.peak, usable) + spare] * len(demand.per_minute)
    return [
        0 if option.scaled == "to zero" and rate == 0 else _needed(rate, usable) + spare for rate in demand.per_minute
    ]


def _needed(rate: float, usable: float) -> int:
    """At least one: an endpoint is paid for when idle."""
    whole, rest = divmod(rate, usable)
    return max(1, int(whole) + (rest > usable * 1e-9))
