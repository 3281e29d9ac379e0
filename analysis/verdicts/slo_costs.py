"""Limits on costs, which may be known between bounds only."""

import typing

from analysis.verdicts.check import Check, State
from analysis.verdicts.session_checks import no_wholes
from analysis.verdicts.slo_criteria import Criterion
from analysis.words import format as show
from analysis.words.stage_figures import StageFigures

#: of what a cost is
COSTS: dict[str, typing.Callable[[StageFigures], float | None]] = {
    "cost_per_transaction": lambda f: f.cost.usd_per_transaction,
    "cost_per_10k": lambda f: f.cost.usd_per_10k_transactions,
    "cost_per_1m_output_tokens": lambda f: f.cost.usd_per_1m_output_tokens,
    "cost_per_1m_tokens": lambda f: f.cost.usd_per_1m_tokens,
    "cost_per_session": lambda f: f.sessions.usd_per_session,
}


def cost_check(criterion: Criterion, figures: StageFigures, cost_reason: str | None) -> Check:
    """Decided where both bounds of the bill are on one side of the limit."""
    value, n = COSTS[criterion.of](figures), figures.outcome.successes
    low, high = _bounds(criterion, value, figures)
    state: State = "unknown"
    why = None
    if low is not None and low > criterion.limit:
        state = "missed"
    elif high is not None and high <= criterion.limit:
        state = "met"
    elif low is not None and high is not None:
        bounds = show.span(low, high)
        why = f"known only to be {bounds}, for failures of unknown tokens, or a cache's longer time, may be billed"
    else:
        unknown = no_wholes(figures.sessions) if criterion.of == "cost_per_session" else ""
        why = unknown or f"the cost is not known: {cost_reason or 'tokens are not counted'}"
    return Check(criterion, value, state, why, n, state == "unknown" and value is not None)


def _bounds(criterion: Criterion, value: float | None, figures: StageFigures) -> tuple[float | None, float | None]:
    """Of the bill, for so much as the criterion is on."""
    cost = figures.cost
    if criterion.of == "cost_per_session":
        return figures.sessions.usd_per_session_low, figures.sessions.usd_per_session_high
    if value is not None and cost.usd_per_transaction:
        times: float | None = value / cost.usd_per_transaction
    else:  # without an upper bound it may still be known to be too much
        times = {"cost_per_transaction": 1.0, "cost_per_10k": 10_000.0}.get(criterion.of)
    if times is None:
        return None, None
    ends = (cost.usd_per_transaction_low, cost.usd_per_transaction_high)
    low, high = (None if end is None else times * end for end in ends)
    return low, high
