"""What a run will take and cost at most, told before it: from one recorded call of each target, without load.

Under load calls take longer and so are fewer; hourly prices count the time.
"""

import math
import typing

from locustfiles.common.inputs import Inputs
from locustfiles.common.loads import Find, Load
from locustfiles.common.plan import Group
from locustfiles.common.price_book import TOKENS, HourlyPrice, Price, TokenPrice


class Call(typing.NamedTuple):
    """What a target's recorded call was like; `usd` is None where its tokens are not known."""

    latency_s: float
    usd: float | None


def call_of(facts: typing.Mapping[str, typing.Any], price: Price) -> Call:
    """From a record's fields, `latency_ms` and those of TOKENS."""
    usd = price.usd(*(facts[name] for name in TOKENS)) if isinstance(price, TokenPrice) else None
    return Call(facts["latency_ms"] / 1000, usd)


class Estimate(typing.NamedTuple):
    seconds: float
    requests: float
    usd: float
    unknown: list[str]  # targets whose calls' price is not known: they are not in `usd`

    @property
    def text(self) -> str:
        """`about 12 min, at most about 3,000 requests and $1.25`"""
        text = f"about {math.ceil(self.seconds / 60)} min, at most about {self.requests:,.0f} requests and {dollars(self.usd)}"
        return text + (f", without {', '.join(self.unknown)}, whose tokens are not known" if self.unknown else "")


def dollars(usd: float) -> str:
    """Cents, or more digits below one."""
    return f"${usd:,.2f}" if usd >= 0.01 or usd == 0 else f"${usd:.2g}"


def estimate(inputs: Inputs, groups: list[Group], calls: dict[str, Call]) -> Estimate:
    """Of the groups that are still to come; `calls` by target."""
    seconds = requests = usd = 0.0
    unknown = []
    for group in groups:
        call, price = calls[group.target], inputs.prices[group.target]
        for level_s, n in _stages(inputs, group, call):
            seconds, requests = seconds + level_s, requests + n
            if isinstance(price, HourlyPrice):
                usd += price.usd_per_hour_in_all * level_s / 3600
            elif call.usd is not None:
                usd += n * call.usd
        if call.usd is None and not isinstance(price, HourlyPrice):
            unknown.append(group.target)
    return Estimate(seconds, requests, usd, list(dict.fromkeys(unknown)))


def _stages(inputs: Inputs, group: Group, call: Call) -> typing.Iterator[tuple[float, float]]:
    """(seconds, requests) of every stage."""
    load = group.load
    if load.replay:
        trace = inputs.traces[load.replay]
        yield trace[-1].at_s + call.latency_s, len(trace)
        return
    stage_s = inputs.stage_s(load) + call.latency_s  # and until the last answer
    levels = [(level.users, level.rate) for level in group.levels]
    if load.find:
        levels = _searched(load.find, load, stage_s)
    for users, rate in levels:
        yield stage_s, stage_s * (rate if users is None else users / (call.latency_s + load.think_s))


def _searched(find: Find, load: Load, stage_s: float) -> list[tuple[int | None, float | None]]:
    """The levels of a search that goes to the top: every doubling, as many halvings there, and the boundary again."""
    steps = max(1, math.ceil(math.log2(max(2.0, find.up_to))))
    values = [min(find.up_to, 2.0**step) for step in range(steps + 1)] + [find.up_to] * (steps + 2)
    values = values[: max(1, int(find.at_most_s / stage_s))]
    return [(None, value) if load.open_loop else (int(value), None) for value in values]
