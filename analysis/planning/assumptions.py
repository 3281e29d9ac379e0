"""What a plan takes for granted, a line each."""

from analysis.planning.option import Terms
from analysis.planning.plan import MAX_CROSSINGS, SCAN_FROM, SCAN_TO, SWING, Plan
from analysis.words import format as show
from locustfiles.contract.prices.price import HOURS_A_MONTH


def assumptions(plan: Plan) -> list[str]:
    """Every one, in words."""
    demand, terms = plan.demand, plan.terms
    found = [
        f"Load: {demand.text}; the rate is even within an hour.",
        f"Requests are alike those of `{plan.dataset}`: as long, as often cached, as often failing.",
    ]
    if demand.growth:
        found.append(f"Growth: {show.percent(demand.growth)} a month, for {demand.months} months.")
    if any(month.option.kind == "instances" for month in plan.months):
        found += _of_instances(terms)
    if any(month.option.kind == "reserved" for month in plan.months):
        found.append(
            f"Reserved and provisioned units are paid for all month, planned at the peak with {show.percent(terms.headroom)} left free."
        )
    if any(month.option.kind == "tokens" for month in plan.months):
        found.append(
            "Tokens: the dollars that a measured transaction was billed; the service carries any volume within its quotas."
        )
    swing = show.percent(SWING)
    found.append(
        f"Sensitivity: each figure alone is taken {swing} higher and lower; with more tokens an instance carries so many fewer; "
        "a measurement's interval is its 95 % one."
    )
    found.append(
        f"Crossing points: the load in its own shape, from {show.percent(SCAN_FROM)} to {SCAN_TO:g} times of it; "
        f"the first {MAX_CROSSINGS}."
    )
    found.append("Not in it: tax, data transfer, storage, the load tests themselves, and people's time.")
    return found


def _of_instances(terms: Terms) -> list[str]:
    spare = f"{terms.spare} more than needed (N+{terms.spare})" if terms.spare else "none to spare"
    return [
        "Capacity: that of the best measured level that is not known to miss a limit; instances share the load evenly.",
        f"Instances: {show.percent(terms.headroom)} of the capacity stays free, {spare}.",
        f"Scaled by the hour: as many as the hour needs; an added one is paid for {terms.start_up_minutes:g} minutes before.",
        f"A month has {HOURS_A_MONTH} hours.",
    ]
