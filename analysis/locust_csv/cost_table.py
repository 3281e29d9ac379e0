"""What steps of a Locust run cost, and which of them to choose."""

from dataclasses import dataclass

import pandas as pd

from analysis.words.format import count, money, number, percent, seconds

SAME = 1e-9  # relative; costs closer than this are equal
ROW_S = 1.0  # the history has a row a second: a step's length and counts are known to about that


@dataclass(frozen=True)
class Limits:
    """What a step must keep to be recommended; all inclusive, None means no limit."""

    latency_mean_s: float | None = None
    error_rate: float | None = None
    cost_per_10k: float | None = None


def cost_table(
    steps: pd.DataFrame,
    *,
    usd_per_hour: float | None = None,
    instance_count: int = 1,
    input_usd_per_1k: float | None = None,
    output_usd_per_1k: float | None = None,
    prompt_tokens_mean: float | None = None,
    completion_tokens_mean: float | None = None,
) -> pd.DataFrame:
    """`steps` with its costs in USD, from an hourly price or from token prices (not both: ValueError).

    cost_per_transaction: hourly price x instances / successes per hour, or mean prompt tokens / 1000 x input price +
    mean completion tokens / 1000 x output price. minutes_per_1m_output_tokens = 1e6 / (successes/s x mean completion
    tokens) / 60, and cost_per_1m_output_tokens = cost_per_transaction / mean completion tokens x 1e6 (by the hour:
    those minutes / 60 x the price). What is not known (no success, no token mean) is empty. Token means that stand in
    `steps` are used where none is given here. priced_by is "hour" or "token".
    """
    if (usd_per_hour is None) == (input_usd_per_1k is None or output_usd_per_1k is None):
        raise ValueError("give usd_per_hour, or input_usd_per_1k and output_usd_per_1k")
    table = steps.copy()
    means = {"prompt_tokens_mean": prompt_tokens_mean, "completion_tokens_mean": completion_tokens_mean}
    for column, value in means.items():
        if value is not None or column not in table:
            table[column] = value
        table[column] = table[column].astype(float)
    rate = table["successes_per_s"].astype(float).where(lambda column: column > 0)
    output = table["completion_tokens_mean"].where(lambda column: column > 0)
    if usd_per_hour is not None:
        table["cost_per_transaction"] = usd_per_hour * instance_count / (rate * 3600)
    elif input_usd_per_1k is not None and output_usd_per_1k is not None:
        cost = table["prompt_tokens_mean"] / 1000 * input_usd_per_1k
        cost += table["completion_tokens_mean"] / 1000 * output_usd_per_1k
        table["cost_per_transaction"] = cost.where(rate.notna())
    table["priced_by"] = "hour" if usd_per_hour is not None else "token"
    table["cost_per_10k_transactions"] = table["cost_per_transaction"] * 10_000
    table["cost_per_1m_output_tokens"] = table["cost_per_transaction"] / output * 1e6
    table["minutes_per_1m_output_tokens"] = 1e6 / (rate * output) / 60
    return table


def recommend(table: pd.DataFrame, limits: Limits = Limits(), left_out: int = 0) -> str:
    """One sentence: the cheapest step of a cost_table that keeps every limit, runner-up and margin; or none and why.

    Steps that cost the same (token prices do not depend on the load) rank by successes per second. An unknown value
    does not keep a limit. left_out: how many levels were held too briefly to be in the table; a step that is alone
    for that reason is called no comparison.
    """
    kept = _kept(table, limits)
    passing = table[kept.all(axis=1)]
    if passing.empty:
        failed = (~kept).sum().sort_values(ascending=False, kind="stable")
        reasons = ", ".join(f"{name} failed in {count(n)} of {len(table)}" for name, n in failed.items() if n)
        return f"No recommendation: no step passes; {reasons}."
    ranked = passing.sort_values(["cost_per_transaction", "successes_per_s"], ascending=[True, False])
    equal = ranked["cost_per_transaction"] <= ranked["cost_per_transaction"].iloc[0] * (1 + SAME)
    ranked = pd.concat([ranked[equal].sort_values("successes_per_s", ascending=False), ranked[~equal]])
    best, alone = ranked.iloc[0], len(ranked) == 1
    passes = "" if len(kept.columns) == 1 else f" that {'keeps' if alone else 'keep'} every limit"
    lead = f"Only step{passes}" if alone else f"Cheapest of {len(ranked)} steps{passes}"
    if len(table) == 1 and left_out:
        lead = f"No comparison: one step{passes} was measured, {_levels(left_out)} held too briefly to be"
    sentence = (
        f"{lead}: {_named(best, table)}, at {money(best['cost_per_transaction'])} per transaction or "
        f"{money(best['cost_per_10k_transactions'])} per 10k, "
        f"with a mean latency of {seconds(best['latency_mean_s'])}, "
        f"{percent(best['error_rate'])} errors and {number(best['successes_per_s'] * 60)} transactions/minute"
    )
    sentence += "." if alone else f"; {_runner_up(ranked, table)}."
    return sentence + (f" Not judged: {_levels(left_out)} held too briefly." if left_out and len(table) > 1 else "")


def _kept(table: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """A column a limit, in words: whether each step keeps it. That its cost is known is one of them."""
    checks = {"a known cost": table["cost_per_transaction"].notna()}
    if limits.error_rate is not None:
        checks[f"error rate ≤ {percent(limits.error_rate)}"] = table["error_rate"] <= limits.error_rate
    if limits.latency_mean_s is not None:
        checks[f"mean latency ≤ {seconds(limits.latency_mean_s)}"] = table["latency_mean_s"] <= limits.latency_mean_s
    if limits.cost_per_10k is not None:
        within = table["cost_per_10k_transactions"] <= limits.cost_per_10k
        checks[f"cost per 10k transactions ≤ {money(limits.cost_per_10k)}"] = within
    return pd.DataFrame(checks).astype(bool)


def _levels(n: int) -> str:
    return "1 level was" if n == 1 else f"{n} levels were"


def _runner_up(ranked: pd.DataFrame, table: pd.DataFrame) -> str:
    best, second = ranked.iloc[0], ranked.iloc[1]
    name = f"the runner-up, {_named(second, table)},"
    margin = second["cost_per_transaction"] / best["cost_per_transaction"] - 1
    if margin <= SAME:
        fewer = 1 - second["successes_per_s"] / best["successes_per_s"]
        return f"{name} costs the same" + (f" with {percent(fewer)} fewer transactions" if fewer > SAME else ": a tie")
    known_to = ROW_S / best["seconds"] + ROW_S / second["seconds"]
    if best["priced_by"] == "hour" and margin < known_to:
        limit = f"rows a second apart tell them apart to {percent(known_to)} only"
        return f"{name} costs {percent(margin)} more, a tie: {limit}"
    return f"{name} costs {percent(margin)} more"


def _named(step: pd.Series, table: pd.DataFrame) -> str:
    name = (
        "the whole run"
        if pd.isna(step["users"])
        else "1 user"
        if step["users"] == 1
        else f"{count(step['users'])} users"
    )
    if pd.notna(step["step"]) and (table[["run", "users"]] == step[["run", "users"]]).all(axis=1).sum() > 1:
        name += f" (step {count(step['step'])})"
    return name if table["run"].nunique() == 1 else f"{name} in {step['run']}"
