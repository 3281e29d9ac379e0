"""A plan as tables and sentences: for the terminal, Markdown and JSON."""

import dataclasses
import typing

import pandas as pd

from analysis.planning.assumptions import assumptions
from analysis.planning.generator import Planned, generator_lines, generator_table, generators_as_json
from analysis.planning.option import Month
from analysis.planning.plan import MAX_CROSSINGS, Plan
from analysis.planning.quota import exceeded, quota_lines
from analysis.report.markdown import table
from analysis.report.summary_json import plain
from analysis.words import format as show
from analysis.words.safe_text import markdown_text


def headline(plan: Plan, quotas: dict[str, float]) -> str:
    """The cheapest, what comes next, and whether the account's quotas carry it."""
    best, *others = plan.months
    load = f"{show.number(plan.demand.peak)} transactions a minute at the peak on `{plan.dataset}`"
    first = "The cheapest" if others else "The only option that can be planned"
    text = f"{first} for {load} is {best.option.name}: {_a_month(best)}."
    rival = next((m for m in others if m.option.who != best.option.who), None)
    for words, month in (("Next", others[0] if others else None), ("The cheapest of another target", rival)):
        if month is not None and (words == "Next" or month is not others[0]):
            text += f" {words}: {month.option.name}, {_a_month(month)}, {_more(best, month)}."
    flips = [s.what for s in plan.swings if s.changed]
    if not others:
        return " ".join([text, *_first_cautions(plan, quotas)])
    text += (
        f" Another would be the cheapest with {'; '.join(flips)}."
        if flips
        else " It stays the cheapest under every change below."
    )
    return " ".join([text, *_first_cautions(plan, quotas)])


def _first_cautions(plan: Plan, quotas: dict[str, float]) -> list[str]:
    """Sentences without which the cheapest would be misread."""
    best, found = plan.best.option, []
    if best.caution:
        found.append(f"Mind: {best.caution}.")
    models = {month.option.model or "a model that is not named": None for month in plan.months}
    if len(models) > 1:
        found.append(f"These are {len(models)} models, which do not answer alike: {'; '.join(models)}.")
    if plan.options.left_out:
        names = ", ".join(dict.fromkeys(line.partition(": ")[0] for line in plan.options.left_out))
        found.append(f"Not planned, for the reasons below: {names}.")
    needs = [need for need in plan.options.needs if need.who == best.who and best.kind == "tokens"]
    if beyond := [kind for need in needs for kind in exceeded(need, plan.demand, quotas)]:
        found.append(f"It is beyond the quota of {' and of '.join(beyond)}: ask for more first.")
    return found


def _more(best: Month, other: Month) -> str:
    return f"{show.number(100 * (other.usd / best.usd - 1))} % more" if best.usd else "more"


def _a_month(month: Month) -> str:
    return f"{show.money(month.usd)} a month"


def months_table(plan: Plan) -> pd.DataFrame:
    """Every option, cheapest first."""
    rows = []
    for month in plan.months:
        option = month.option
        rows.append(
            {
                "Option": option.name,
                "USD a month": show.money(month.usd),
                "USD per 10,000": show.money(10_000 * month.usd / plan.demand.a_month),
                "Instances": _instances(month),
                "One carries, a minute": show.number(option.capacity_per_minute),
            }
        )
    return pd.DataFrame(rows)


def doubt_lines(plan: Plan) -> list[str]:
    """What to mind: of each target once, then of each way of buying."""
    of_target = {month.option.who: month.option.doubts for month in plan.months}
    lines = [f"{who}: {'; '.join(doubts)}." for who, doubts in of_target.items() if doubts]
    return lines + [
        f"{month.option.name}: {'; '.join(month.option.mind)}." for month in plan.months if month.option.mind
    ]


def _instances(month: Month) -> str:
    if month.instances is None:
        return show.UNKNOWN
    low, high = month.instances
    return str(high) if low == high else f"{low} to {high}"


def growth_table(plan: Plan) -> pd.DataFrame:
    """Month by month: the load, the cheapest option, and all that was paid by it and by the plan's first choice."""
    rows, first, cheapest = [], 0.0, 0.0
    for number, months in enumerate(plan.grown, start=1):
        best = min(months, key=lambda month: month.usd)
        first, cheapest = first + months[0].usd, cheapest + best.usd
        demand = plan.demand.in_month(number)
        rows.append(
            {
                "Month": str(number),
                "Peak, a minute": show.number(demand.peak),
                "Cheapest": best.option.name,
                "USD": show.money(best.usd),
                "USD so far": show.money(cheapest),
                f"So far by {plan.best.option.name}": show.money(first),
            }
        )
    return pd.DataFrame(rows)


def swings_table(plan: Plan) -> pd.DataFrame:
    """What the order hangs on."""
    return pd.DataFrame(
        [
            {
                "With": s.what,
                "Cheapest": s.cheapest,
                "USD a month": show.money(s.usd),
                "Another": "yes" if s.changed else "no",
            }
            for s in plan.swings
        ]
    )


def crossing_lines(plan: Plan) -> list[str]:
    """Where another option becomes the cheapest."""
    if not plan.crossings:
        return ["No other option becomes the cheapest at a load between a hundredth and twenty times the planned one."]
    shown = plan.crossings[:MAX_CROSSINGS]
    lines = [
        f"From {show.number(c.peak_per_minute)} transactions a minute at the peak on {c.cheapest} is the cheapest (below it {c.before})."
        for c in shown
    ]
    return lines + (["More follow above."] if len(plan.crossings) > len(shown) else [])


class Section(typing.NamedTuple):
    """A part of the plan: lines, or a table."""

    title: str
    lines: list[str]
    table: pd.DataFrame | None = None


def sections(plan: Plan, quotas: dict[str, float], planned: list[Planned] | None) -> list[Section]:
    """In the order in which they are read. planned: what it takes to send the load; None where nobody asked."""
    found = [Section("Options", [], months_table(plan))]
    if doubts := doubt_lines(plan):
        found.append(Section("Mind", doubts))
    if plan.demand.months > 1:
        found.append(Section("Months", [], growth_table(plan)))
    found.append(Section("Crossing points", crossing_lines(plan)))
    found.append(Section("What it hangs on", [], swings_table(plan)))
    if plan.options.needs:
        found.append(
            Section("Quotas", [line for need in plan.options.needs for line in quota_lines(need, plan.demand, quotas)])
        )
    if planned is not None:
        found.append(Section("Generator", generator_lines(), generator_table(planned)))
    if plan.options.left_out:
        found.append(Section("Not planned", plan.options.left_out))
    return [*found, Section("Assumptions", plan.notes + assumptions(plan))]


def markdown(plan: Plan, quotas: dict[str, float], planned: list[Planned] | None) -> str:
    """The whole plan."""
    parts = ["# Plan", markdown_text(headline(plan, quotas))]
    for section in sections(plan, quotas, planned):
        parts.append(f"## {section.title}")
        if section.table is not None:
            parts.append(table(section.table))
        if section.lines:
            parts.append("\n".join(f"- {markdown_text(line)}" for line in section.lines))
    return "\n\n".join(parts) + "\n"


def as_json(plan: Plan, quotas: dict[str, float], planned: list[Planned] | None) -> dict[str, typing.Any]:
    """The plan's figures, and its sentences."""
    generators = {} if planned is None else {"generators": generators_as_json(planned)}
    return plain(
        {
            "dataset": plan.dataset,
            "headline": headline(plan, quotas),
            "demand": {
                "per_minute": plan.demand.per_minute,
                "peak_per_minute": plan.demand.peak,
                "transactions_a_month": plan.demand.a_month,
            },
            "options": [_option(month) for month in plan.months],
            "months": [
                [{"option": m.option.name, "usd": m.usd, "instances": m.instances} for m in some] for some in plan.grown
            ],
            "crossings": [c._asdict() for c in plan.crossings],
            "sensitivity": [s._asdict() for s in plan.swings],
            "quotas": [
                need._asdict() | {"settled": need.settled, "at_start": need.at_start} for need in plan.options.needs
            ],
            "quota_lines": [line for need in plan.options.needs for line in quota_lines(need, plan.demand, quotas)],
            "not_planned": plan.options.left_out,
            "assumptions": plan.notes + assumptions(plan),
        }
        | generators
    )


def _option(month: Month) -> dict[str, typing.Any]:
    return dataclasses.asdict(month.option) | {"usd_a_month": month.usd, "instances": month.instances}
