"""Mixes as a whole: what all their parts did together, at the load that they share, and how well it is known.

A mix draws its parts in fixed shares, so that its requests are a stratified sample: what a transaction is billed is known by the parts'
own intervals, weighted by their successes, and by how far the number of these may be off where some fail (Cochran, Sampling Techniques,
5.3 and 6.11). Its throughput is a sum of rates that share their users: half the width of its interval is at most the sum of the parts'
halves, whatever they have to do with each other, and is taken to be that.
"""

import math
import typing

from analysis.cost.pricing import Prices
from analysis.verdicts.difference import shares_of
from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.proportions import Share, wilson
from analysis.verdicts.quantiles import T_95
from analysis.verdicts.serial_intervals import ERROR_RATE
from analysis.verdicts.stage_results import Result
from analysis.words.stage_figures import StageFigures
from analysis.words.value_text import Interval
from locustfiles.contract.prices.price import HourlyPrice


class MixCost(typing.NamedTuple):
    """USD of a transaction over all parts. low, high: the bounds of the bill; ends: its 95 % interval, which holds them; None is not known,
    and `reason` why no cost is."""

    usd: float | None = None
    low: float | None = None
    high: float | None = None
    ends: Interval | None = None
    reason: str | None = None


class Mix(typing.NamedTuple):
    """All parts of a mix at one level, in the scenario's order. None is not known; `_ends`: 95 % intervals."""

    parts: list[Result]
    requests: int
    successes: int
    failures: int
    cancelled: int
    error_rate: float | None
    error_rate_ends: Interval | None
    errors_of: float  # requests that are independent of each other, of which the error rate tells
    throughput_per_s: float | None
    throughput_ends: Interval | None
    in_flight_mean: float | None
    cost: MixCost

    @property
    def first(self) -> StageFigures:
        return self.parts[0].figures

    @property
    def usd_per_transaction(self) -> float | None:
        return self.cost.usd

    @property
    def verdict(self) -> typing.Literal["VALID", "SUSPECT", "INVALID"]:
        """The worst of its parts'."""
        verdicts = [r.figures.trust.verdict for r in self.parts]
        return "INVALID" if "INVALID" in verdicts else "SUSPECT" if "SUSPECT" in verdicts else "VALID"


def mixes_of(results: typing.Iterable[Result], prices: dict[str, Prices]) -> list[Mix]:
    """Every mix of every run. prices: by run."""
    found: dict[tuple[str, int], list[Result]] = {}
    for r in results:
        if r.figures.identity.mix is not None:
            found.setdefault((r.key.run, r.figures.identity.mix), []).append(r)
    return [mix_of(parts, prices[run]) for (run, _), parts in found.items()]


def mix_of(parts: list[Result], prices: Prices) -> Mix:
    """Of parts that were sent to at the same time."""
    figures = [r.figures for r in parts]
    requests, successes, failures, cancelled = (
        sum(getattr(f.outcome, name) or 0 for f in figures)
        for name in ("requests", "successes", "failures", "cancelled")
    )
    ended, throughput = requests - cancelled, _sum(f.throughput.throughput_per_s for f in figures)
    rate, independent = failures / ended if ended else None, _independent(parts)
    rates = None if throughput is None else _rates(parts, throughput)
    return Mix(
        parts=parts,
        requests=requests,
        successes=successes,
        failures=failures,
        cancelled=cancelled,
        error_rate=rate,
        error_rate_ends=None if rate is None or not independent else wilson(Share(rate, independent)),
        errors_of=independent,
        throughput_per_s=throughput,
        throughput_ends=rates,
        in_flight_mean=_sum(f.throughput.in_flight_mean for f in figures),
        cost=_cost(parts, successes, throughput, rates, prices),
    )


def _sum(values: typing.Iterable[float | None]) -> float | None:
    """None where one is not known."""
    known = list(values)
    return None if None in known else sum(v for v in known if v is not None)


def _sent(parts: list[Result]) -> list[Result]:
    """Those that had requests."""
    return [r for r in parts if r.figures.outcome.requests]


def _ended(part: Result) -> int:
    return (part.figures.outcome.requests or 0) - (part.figures.outcome.cancelled or 0)


def _independent(parts: list[Result]) -> float:
    """So many independent requests tell as much of the error rate as those of all parts do."""
    each = [(_ended(r), shares_of(r, ERROR_RATE).n) for r in parts if _ended(r)]
    return sum(n for n, _ in each) ** 2 / sum(n * n / own for n, own in each) if each else 0.0


def _rates(parts: list[Result], throughput: float) -> Interval | None:
    own = [(r.figures.throughput.throughput_per_s or 0.0, r.intervals.get(THROUGHPUT)) for r in _sent(parts)]
    if not own or any(ends is None for _, ends in own):
        return None
    below, above = (sum(abs(ends[i] - rate) for rate, ends in own if ends) for i in (0, 1))
    return max(0.0, throughput - below), throughput + above


def _cost(
    parts: list[Result], successes: int, throughput: float | None, rates: Interval | None, prices: Prices
) -> MixCost:
    """What the tokens of all were billed by all successes, and the hours of all targets, each once, by the throughput of all."""
    of = {r.figures.identity.target: prices.of_target[r.figures.identity.target] for r in parts}
    by_call = [r for r in _sent(parts) if not isinstance(of[r.figures.identity.target], HourlyPrice)]
    lacking = next((r for r in by_call if r.usd is None), None)
    if lacking:
        return MixCost(reason=f"of `{lacking.figures.identity.target}` on `{lacking.payload}`: {lacking.cost_reason}")
    if not successes or not throughput:
        return MixCost(reason="no success was measured")
    a_second = sum(price.usd_per_hour_in_all for price in of.values() if isinstance(price, HourlyPrice)) / 3600
    high = _billed(by_call, successes, "usd_per_transaction")
    low = _billed(by_call, successes, "usd_per_transaction_low")
    hours = a_second / throughput
    ends = _cost_ends(by_call, successes, (low, high)) if by_call else (0.0, 0.0)
    if a_second and ends is not None:
        # both halves are added: a second that is busier bills more calls, too
        ends = None if rates is None or not rates[0] else (ends[0] + a_second / rates[1], ends[1] + a_second / rates[0])
    return MixCost(high + hours, low + hours, high + hours, ends)


def _billed(by_call: list[Result], successes: int, name: str) -> float:
    """USD of a transaction of the mix."""
    return sum(getattr(r.figures.cost, name) * (r.figures.outcome.successes or 0) for r in by_call) / successes


def _cost_ends(by_call: list[Result], successes: int, bounds: Interval) -> Interval | None:
    """Of what is billed: each bound, widened by what the parts' intervals reach beyond their own bounds, as of strata; and by what
    failures more or fewer in a part change."""
    below = above = failing = 0.0
    for r in by_call:
        cost, share = r.figures.cost, (r.figures.outcome.successes or 0) / successes
        least, most = cost.usd_per_transaction_low, cost.usd_per_transaction
        if USD not in r.intervals or least is None or most is None:
            return None
        low, high = r.intervals[USD]
        below += (share * max(0.0, least - low)) ** 2
        above += (share * max(0.0, high - most)) ** 2
        errors = shares_of(r, ERROR_RATE)
        spread = _ended(r) * math.sqrt(errors.value * (1 - errors.value) / errors.n) if errors.n else 0.0
        failing += (T_95 * spread / successes * (most - bounds[1])) ** 2
    return max(0.0, bounds[0] - math.sqrt(below + failing)), bounds[1] + math.sqrt(above + failing)


def shares(mix: Mix) -> list[float | None]:
    """Of all draws that began in the window, those of each part: requests, of conversations each first turn, with `retry:` calls."""
    each = [_drawn(r) for r in mix.parts]
    whole = _sum(each)
    return [None if not whole or n is None else n / whole for n in each]


def _drawn(part: Result) -> int | None:
    figures = part.figures
    sent = figures.outcome.requests if figures.calls.calls is None else figures.calls.calls
    if not figures.sessions.there or sent is None:
        return sent
    if not part.turns:  # of repetitions together
        return None
    first = sum(turn.requests for turn in part.turns if turn.turn == 1)
    return first + sent - sum(turn.requests for turn in part.turns)
