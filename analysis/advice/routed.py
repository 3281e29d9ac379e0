"""What a prompt router chose, and what its answers cost by the prices of the models that gave them."""

import pandas as pd

from analysis.cost.bill import usd_by_tokens
from analysis.cost.pricing import day_of
from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from analysis.runs.texts import counted, in_it
from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import books_of
from locustfiles.contract.prices.find_price import Asked, model_price
from locustfiles.contract.prices.price import Price, TokenPrice

SAME = 0.01  # two sums that are no further apart are one


def router_note(run: Run, good: Rows, price: Price | None) -> str | None:
    """Of a target behind which several models answer."""
    models = counted(good["invoked_model"])
    if models.empty:
        return None
    named = ", ".join(f"`{model}` {show.percent(n / len(good))}" for model, n in models.items())
    told = f"a prompt router chose who answered ({named}); all are billed by the one price of the target"
    if not isinstance(price, TokenPrice) or (sums := _both(run, good, price)) is None:
        return f"{told}."
    billed, own = sums
    if abs(own - billed) <= SAME * billed:
        return f"{told}, and cost the same by the models' own prices."
    return (
        f"{told}, {show.money(billed)} for these answers, which cost {show.money(own)} by the models' own prices: the target's `price:` is "
        f"too {'low' if own > billed else 'high'} for this mix."
    )


def _both(run: Run, good: Rows, price: TokenPrice) -> tuple[float, float] | None:
    """USD of the answers by the target's price and by their models'; None where one is not known."""
    usd = usd_by_tokens(good, price).sum()
    own = 0.0
    models = good["invoked_model"]
    if models.isna().any():
        return None
    for model in sorted(in_it(models)):
        found = _price_of(model, run)
        if found is None:
            return None
        found = found.model_copy(update={"guardrail": price.guardrail})
        own += usd_by_tokens(good[models == model], found).sum()
    return None if pd.isna(usd) or pd.isna(own) else (float(usd), float(own))


def _price_of(model: str, run: Run) -> TokenPrice | None:
    region = run.scenario.region
    try:
        price = model_price(model, Asked(region, day_of(run)), books_of(None, region)).price
    except BadInput:
        return None
    return price if isinstance(price, TokenPrice) else None
