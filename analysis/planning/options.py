"""The options that runs give: of every target its measured capacity or its billed tokens, by each price that is known of it."""

import dataclasses
import typing

from analysis.advice.break_even import capacity_stage
from analysis.advice.choice import MOST_ERRORS, choose, priced
from analysis.advice.comparability import of_like_work
from analysis.advice.even_lines import BILLED, token_prices
from analysis.advice.recommendation_texts import open_limits, why_none
from analysis.planning.demand import Demand
from analysis.planning.option import Option
from analysis.planning.quota import Need, need_of
from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.measured import Measured
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column
from analysis.words.level import is_open, level_text
from analysis.words.user_perceived import perceived
from analysis.words.value_text import instances_of
from locustfiles.contract.prices.price import HourlyPrice, Reserved

#: of the ways to serve: what was not measured of it
UNMEASURED = {
    "batch": "answers within hours: nothing of its latency was measured",
    "flex": "its latency was not measured, and it is throttled first",
    "priority": "its latency was not measured",
    "latency optimized": "its latency was not measured",
}
TO_ZERO = "needs inference components that may scale to zero; calls that come to none wait for the start-up or fail until it is over"


@dataclasses.dataclass(slots=True)
class Options:
    """Those that can be planned, why others cannot, and what each token target needs of its quotas."""

    some: list[Option]
    left_out: list[str]  # a sentence each
    needs: list[Need]


def options_of(measured: Measured, dataset: str, demand: Demand, savings: float | None) -> Options:
    """Those that differ at this demand. savings: a savings plan's discount on instances, as a share."""
    found = Options([], [], [])
    groups: dict[tuple, list[Result]] = {}
    for r in of_like_work(measured.candidates, measured.runs):
        if r.payload == dataset and r.figures.alone_at_a_level:
            groups.setdefault(r.place, []).append(r)
    for group in groups.values():
        price = measured.price_of(group[0])
        if isinstance(price, HourlyPrice):
            _hourly(found, group, price, _ways(demand, savings))
        else:
            _tokens(found, group, measured, demand)
    return found


def _ways(demand: Demand, savings: float | None) -> list[tuple[str, dict[str, typing.Any]]]:
    """How instances may be bought and run, in words and as fields of an Option."""
    varies = len(set(demand.per_minute)) > 1
    found: list[tuple[str, dict[str, typing.Any]]] = [("on demand, at the peak all month", {})]
    if varies:
        found.append(("on demand, scaled by the hour", {"scaled": "hourly"}))
    if 0 in demand.per_minute:
        found.append(("on demand, scaled to zero", {"scaled": "to zero"}))
    if savings is not None:
        words = f"savings plan, {show.percent(savings)} off"
        found.append((f"{words}, at the peak all month", {"committed": savings}))
        if varies:
            found.append((f"{words} what always runs, scaled by the hour", {"committed": savings, "scaled": "hourly"}))
    return found


def _hourly(
    found: Options, group: list[Result], price: HourlyPrice, ways: list[tuple[str, dict[str, typing.Any]]]
) -> None:
    best, who = capacity_stage(group), group[0].who
    if best is None:
        found.left_out.append(f"{who}: {why_none(group)}")
        return
    count = price.instance_count
    base = Option(
        name="", who=who, kind="instances", usd_per_hour=price.usd_per_hour_in_all / count,
        capacity_per_minute=best.per_minute / count, uncertainty=_half_width(best, THROUGHPUT),
        doubts=(*_doubts(best), *_more_by_a_suspect(best, group)), model=best.figures.identity.model, caution=_caution(best),
    )  # fmt: skip
    what = f"{who}: {best.figures.identity.instance_type}"
    if price.reserved or best.figures.identity.service == "bedrock":
        kind = "reserved capacity" if price.reserved else "provisioned throughput"
        carried = _reserved_rate(price.reserved, best)
        capacity = min(base.capacity_per_minute or 0.0, carried) if carried else base.capacity_per_minute
        found.some.append(
            dataclasses.replace(base, name=f"{who}: {kind}", kind="reserved", capacity_per_minute=capacity)
        )
        return
    for words, changed in ways:
        mind = (TO_ZERO,) if changed.get("scaled") == "to zero" else ()
        found.some.append(dataclasses.replace(base, name=f"{what}, {words}", **changed, mind=mind))


def _reserved_rate(reserved: Reserved | None, best: Result) -> float | None:
    """Transactions a minute that reserved tokens allow; None where nothing is reserved by tokens, or tokens are not known."""
    tokens = best.figures.tokens
    if reserved is None or not tokens.prompt_tokens_mean or not tokens.completion_tokens_mean:
        return None
    rates = [reserved.input_tpm / tokens.prompt_tokens_mean]
    if reserved.output_tpm:
        rates.append(reserved.output_tpm / tokens.completion_tokens_mean)
    return min(rates)


def _tokens(found: Options, group: list[Result], measured: Measured, demand: Demand) -> None:
    choice, who = choose(group), group[0].who
    if choice is None:
        found.left_out.append(f"{who}: {why_none(group)}")
        return
    pick = choice.pick
    doubts, caution, what = _doubts(pick), _caution(pick), f"{who}: {instances_of(pick.figures)}"
    if missed := _missed_with_more(pick, group, demand):
        doubts += (_more_was_missed(pick, missed, demand),)
        over = f"above {show.number(pick.per_minute)} a minute it missed a limit"
        caution = f"{caution}, and {over}" if caution else over
    base = Option(
        f"{what}, {BILLED}", who, "tokens", usd_per_transaction=priced(pick), uncertainty=_half_width(pick, USD), doubts=doubts,
        model=pick.figures.identity.model, caution=caution,
    )  # fmt: skip
    found.some.append(base)
    for words, usd in token_prices(*measured.billed_by(pick), pick.members or (pick.key,), priced(pick)):
        unmeasured = next((why for kind, why in UNMEASURED.items() if kind in words), "it was not measured as such")
        found.some.append(
            dataclasses.replace(base, name=f"{what}, {words}", usd_per_transaction=usd, mind=(unmeasured,))
        )
    if (need := need_of(pick, measured)) is not None:
        found.needs.append(need)


def _half_width(result: Result, column: Column) -> float | None:
    """Of the 95 % interval, the wider side, as a share of the figure."""
    value, ends = column.of(result.figures), result.intervals.get(column)
    return None if not value or ends is None else max(value - ends[0], ends[1] - value) / value


def _more_by_a_suspect(best: Result, group: list[Result]) -> list[str]:
    """Where a level that is SUSPECT carried more than the one that is planned with."""
    fit = [r for r in group if r.trusted and r.figures.limits.slo != "missed" and r.per_minute > 1.05 * best.per_minute]
    if not fit:
        return []
    most = max(fit, key=lambda r: r.per_minute)
    at = f"{show.number(most.per_minute)} a minute at {level_text(most.figures)}"
    slo, errors = most.figures.limits.slo, perceived(most.figures).error_rate or 0.0
    why = f"is {slo} against its limits" if slo != "none" else f"had {show.percent(errors)} errors"
    if most.figures.trust.verdict == "SUSPECT":
        why = "is SUSPECT"
    return [f"it carried {at}, which {why}: measured well, fewer instances may do"]


def _missed_with_more(pick: Result, group: list[Result], demand: Demand) -> list[Result]:
    """Of tokens, which cost the same at any load: levels that carried more than the pick and missed a limit, where more is planned."""
    if demand.peak <= pick.per_minute:
        return []
    found = [r for r in group if r.trusted and r.figures.limits.slo == "missed" and r.per_minute > pick.per_minute]
    return sorted(found, key=lambda r: r.per_minute)


def _more_was_missed(pick: Result, missed: list[Result], demand: Demand) -> str:
    where = ", ".join(f"{show.number(r.per_minute)} at {level_text(r.figures)}" for r in missed)
    limits = dict.fromkeys(c.criterion.text for r in missed for c in r.checks if c.state == "missed")
    return (
        f"planned by {show.number(pick.per_minute)} a minute; with more ({where}) it missed {', '.join(limits)}: "
        f"whether it keeps its limits at {show.number(demand.peak)} was not measured"
    )


def _caution(result: Result) -> str | None:
    """Of the doubts those that the first sentence has to tell."""
    f, found = result.figures, []
    if f.trust.verdict == "SUSPECT":
        found.append("its measurement is SUSPECT")
    if f.limits.slo in ("undecided", "unknown"):
        found.append("whether it keeps its limits is not known")
    errors = perceived(f).error_rate or 0.0
    if errors > MOST_ERRORS:
        found.append(f"{show.percent(errors)} of its calls failed")
    return ", and ".join(found) or None


def _doubts(result: Result) -> tuple[str, ...]:
    """Why the measurement needs care."""
    found, f = [], result.figures
    at = f"measured at {level_text(f)}"
    if f.trust.verdict == "SUSPECT":
        found.append(f"{at}, which is SUSPECT: {f.trust.reasons}")
    if f.limits.slo in ("undecided", "unknown"):
        found.append(f"{at}, whose limits are {open_limits(result)}")
    if is_open(f):
        found.append(f"{at}, above which it may have room")
    if errors := perceived(f).error_rate:
        found.append(f"{show.percent(errors)} of the calls failed there")
    return tuple(found)
