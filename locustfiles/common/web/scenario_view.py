"""What the start form shows of a scenario before anything is sent: its targets and prices, its stages, its time."""

import math
import typing

from locustfiles.common.planning.estimate import dollars
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import alone, plan
from locustfiles.common.planning.turns_ahead import due_words
from locustfiles.contract.prices.price import AnyPrice, HourlyPrice, TokenPrice
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.scenario.time_limits import too_short

FIRST_LEVELS, LAST_LEVELS = 8, 2  # of a long list of levels


def described(inputs: Inputs) -> dict[str, typing.Any]:
    """A JSON value. What is not known before a first call is null: tokens, and with them the cost of a target paid by token."""
    scenario, groups = inputs.scenario, plan(inputs)
    searches = any(g.load.find for g in groups)
    planned_s = sum(inputs.stage_s(g.load) * len(g.levels) for g in groups)
    longest_s = sum(g.load.find.at_most_s if g.load.find else inputs.stage_s(g.load) * len(g.levels) for g in groups)
    sure = "about" if any(g.load.until or g.load.abort_stage for g in groups) else "at least"  # they may end it early
    # of a mix each target once, though several parts ask it
    asked = {(g.target, g.repeat if g.share else n): g for n, g in enumerate(alone(groups))}.values()
    hours = [_hourly_usd(inputs, g.target, inputs.stage_s(g.load) * len(g.levels)) for g in asked]
    hourly = [usd for usd in hours if usd is not None]
    return {
        "file": str(inputs.scenario_file),
        "name": scenario.name,
        "targets": [_target(inputs, target) for target in scenario.targets],
        "stages": [
            _stages(inputs, target, stem) for target in scenario.targets for stem in inputs.stems_of(target.name)
        ],
        "stages_planned": None if searches else sum(g.stages for g in groups),
        "planned_s": None if searches else planned_s,
        "planned": f"as its search decides, about {span(longest_s)} at most"
        if searches
        else f"{sure} {span(planned_s)}",
        "hourly_usd": sum(hourly) if hourly and not searches else None,
        "hourly": f"{sure} {dollars(sum(hourly))}" if hourly and not searches else None,
        "hourly_targets": any(isinstance(price, HourlyPrice) for price in inputs.prices.values()),
        "token_targets": any(isinstance(price, TokenPrice) for price in inputs.prices.values()),
        "cancel": scenario.cancel.text if scenario.cancel else None,
        "budget_usd": scenario.budget_usd,
        "confirm_above_usd": scenario.confirm_above_usd,
        "limits": {
            "budget": "none" if scenario.budget_usd is None else dollars(scenario.budget_usd),
            "confirm_above": dollars(scenario.confirm_above_usd),
        },
        "cautions": [*inputs.price_cautions, *inputs.far_replays, *inputs.inexact_lines, *too_short(scenario)],
    }


def _target(inputs: Inputs, target: Target) -> dict[str, typing.Any]:
    price, source = inputs.prices[target.name], inputs.sources[target.name]
    served = (target.model_id or target.asked) if target.service == "sagemaker" else target.model_id
    return {
        "target": target.name,
        "service": target.service,
        "served": served,
        "model": target.model or served,
        "price": price_words(price),
        "priced_by": source.text if source.origin != "none" else None,
        "cautions": list(source.cautions),
    }


def _stages(inputs: Inputs, target: Target, stem: str) -> dict[str, typing.Any]:
    load = inputs.scenario.load_of(target)
    return {
        "target": target.name,
        "payload": stem,
        "prompts": len(inputs.payloads[stem]),
        "levels": _levels(inputs, load, due_words(inputs.payloads[stem])) + _of_mix(inputs, target.name, stem),
        "window": _window(inputs, load),
        "repeat": load.repeat,
    }


def _of_mix(inputs: Inputs, target: str, stem: str) -> str:
    shares = (part.share for part in inputs.scenario.parts if (part.target, part.payload) == (target, stem))
    return next((f" of a mix, {100 * share:.3g} % of whose requests" for share in shares), "")


def _levels(inputs: Inputs, load: Load, due: str) -> str:
    """due: the unit of its rate."""
    if load.find:
        return f"the most {load.find.of} up to {load.find.up_to:g} that keep the limits"
    of = "users" if load.users else due
    numbers = [f"{(n.users if n.users is not None else n.rate or 0.0):g}" for n in inputs.levels_of(load)]
    if len(numbers) > FIRST_LEVELS + LAST_LEVELS + 1:
        numbers = [*numbers[:FIRST_LEVELS], "…", *numbers[-LAST_LEVELS:]]
    if load.ramp:
        return f"a ramp from {load.ramp.begin:g} to {load.ramp.end:g} {due}, {load.arrivals_text} arrivals"
    kind = f", {load.arrivals_text} arrivals" if load.rate else f", from {load.replay}" if load.replay else ""
    return f"{', '.join(numbers)} {of}{kind}"


def _window(inputs: Inputs, load: Load) -> str:
    if load.replay:
        return f"{span(inputs.stage_s(load))}, the trace's"
    settled = f", after {span(load.settle_s)} of settling" if load.settle_s and not load.ramp else ""
    if load.until is None:
        return f"{span(load.measure_s or 0.0)}{settled}"
    enough = [f"{load.until.requests:,} requests"] if load.until.requests else []
    enough += [f"a mean known within {load.until.relative_ci:.3g} of itself"] if load.until.relative_ci else []
    return f"until {' and '.join(enough)}, at most {span(load.until.at_most_s)}{settled}"


def _hourly_usd(inputs: Inputs, target: str, seconds: float) -> float | None:
    price = inputs.prices[target]
    return price.usd_per_hour_in_all * seconds / 3600 if isinstance(price, HourlyPrice) else None


def price_words(price: AnyPrice) -> str:
    """`$0.0003 per 1,000 tokens read, $0.0006 written`, or why there is none."""
    if isinstance(price, HourlyPrice):
        count = f", {price.instance_count} of them" if price.instance_count > 1 else ""
        share = f", {price.share:.3g} of it" if price.share < 1 else ""
        return f"${price.usd_per_hour:.10g} an hour{count}{share}"
    if isinstance(price, TokenPrice):
        parts = [f"${usd:.10g} per {unit}" for unit, usd in price.units.items()]
        if price.guardrail and not (price.input or price.output or parts):
            parts = [f"${usd:.10g} per unit of {policy}" for policy, usd in price.guardrail.items()]
        elif price.input or price.output or not parts:
            parts.insert(
                0, f"${price.input:.10g} per 1,000 prompt tokens, ${price.output:.10g} per 1,000 of the answer"
            )
        return ", ".join(parts)
    return f"not known: {price.why}"


def span(seconds: float) -> str:
    """`45 s`, `12 min 30 s`, `2 h 5 min`"""
    if seconds < 60:
        return f"{seconds:g} s" if seconds == round(seconds, 1) else f"{seconds:.1f} s"
    whole = math.ceil(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [(hours, "h"), (minutes, "min"), (rest if not hours else 0, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n)
