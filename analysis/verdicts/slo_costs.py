"""Limits on what a stage costs: a bill may have bounds only, for failures whose tokens nobody knows may be billed, or not."""

import typing

from analysis.verdicts.slo_criteria import Criterion, State
from analysis.words import format as show
from analysis.words.stage_figures import StageFigures

#: of what a cost is
COSTS: dict[str, typing.Callable[[StageFigures], float | None]] = {
    "cost_per_transaction": lambda f: f.cost.usd_per_transaction,
    "cost_per_10k": lambda f: f.cost.usd_per_10k_transactions,
    "cost_per_1m_output_tokens": lambda f: f.cost.usd_per_1m_output_tokens,
    "cost_per_1m_tokens": lambda f: f.cost.usd_per_1m_tokens,
}


def cost_state(
    criterion: Criterion, figures: StageFigures, cost_reason: str | None
) -> tuple[float | None, State, str | None]:
    """(value, state, why it is not known). cost_reason: why there is no cost. Decided where both bounds of the bill are on one
    side of the limit."""
    value = COSTS[criterion.of](figures)
    low, high = _bounds(criterion, value, figures)
    state: State = "unknown"
    why = None
    if low is not None and low > criterion.limit:
        state = "missed"
    elif high is not None and high <= criterion.limit:
        state = "met"
    elif low is not None and high is not None:
        why = f"known only to be {show.span(low, high)}, for failures of unknown tokens may be billed"
    else:
        why = f"the cost is not known: {cost_reason or 'tokens are not counted'}"
    return value, state, why


def _bounds(criterion: Criterion, value: float | None, figures: StageFigures) -> tuple[float | None, float | None]:
    """Of the bill, for so much as the criterion is on."""
    cost = figures.cost
    if value is not None and cost.usd_per_transaction:
        times: float | None = value / cost.usd_per_transaction
    else:  # without an upper bound it may still be known to be too much
        times = {"cost_per_transaction": 1.0, "cost_per_10k": 10_000.0}.get(criterion.of)
    if times is None:
        return None, None
    ends = (cost.usd_per_transaction_low, cost.usd_per_transaction_high)
    low, high = (None if end is None else times * end for end in ends)
    return low, high
