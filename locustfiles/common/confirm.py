"""Asks before a run that may cost much: on a terminal in words, elsewhere by `--yes`."""

import sys

import gevent

from locustfiles.common.estimate import Estimate, dollars
from locustfiles.common.scenario import Scenario


def confirm(ahead: Estimate, scenario: Scenario, options) -> str | None:
    """Why the run must not begin, or None. A `budget_usd` below the limit is an answer already."""
    most = min(ahead.usd, scenario.budget_usd or float("inf"))
    if most <= scenario.confirm_above_usd or options.yes:
        return None
    refusal = (
        f"the run may cost {dollars(most)}, above confirm_above_usd ({dollars(scenario.confirm_above_usd)}); add --yes, "
        "or set a budget_usd or a higher confirm_above_usd in the scenario"
    )
    if not options.headless or not sys.stdin.isatty():
        return refusal
    print(f"This run takes {ahead.text}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = gevent.get_hub().threadpool.apply(sys.stdin.readline)  # workers' heartbeats go on meanwhile
    return None if answer.strip().lower() in ("y", "yes") else "not confirmed; nothing but one call of each target was sent"
